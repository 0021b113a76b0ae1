//! Conditions at work (`plan::script::Condition`): when a redirect, an answer or a log line applies.

use plan::script::{Condition, FileTest};
use route::CompiledPattern;

use crate::exchange::Scope;
use crate::files::open::file_test;
use crate::template::Text;

pub enum Test {
    True(Text),
    Equals(Text, Text),
    Matches(Text, CompiledPattern),
    File(Text, FileTest),
    Not(Box<Test>),
    All(Vec<Test>),
    Any(Vec<Test>),
}

impl Test {
    /// Makes a condition ready.
    ///
    /// # Errors
    /// What in it this engine cannot run yet, or a pattern that does not compile.
    pub fn build(condition: &Condition) -> Result<Self, String> {
        let each = |all: &[Condition]| all.iter().map(Self::build).collect::<Result<Vec<_>, _>>();
        Ok(match condition {
            Condition::True(value) => Self::True(Text::build(value)?),
            Condition::Equals { value, to } => Self::Equals(Text::build(value)?, Text::build(to)?),
            Condition::Matches { value, pattern } => {
                Self::Matches(Text::build(value)?, CompiledPattern::new(pattern).map_err(|e| e.to_string())?)
            }
            Condition::Not(inner) => Self::Not(Box::new(Self::build(inner)?)),
            Condition::All(all) => Self::All(each(all)?),
            Condition::Any(all) => Self::Any(each(all)?),
            Condition::File { path, test } => Self::File(Text::build(path)?, *test),
        })
    }

    #[must_use]
    pub fn holds(&self, scope: &Scope<'_>) -> bool {
        match self {
            Self::True(value) => {
                let value = value.render(scope);
                !value.is_empty() && value != b"0"
            }
            Self::Equals(value, to) => value.render(scope) == to.render(scope),
            // A pattern that gives up has not matched.
            Self::Matches(value, pattern) => pattern.is_match(&value.render(scope)).unwrap_or(false),
            Self::File(path, test) => file_test(&path.render(scope), *test),
            Self::Not(inner) => !inner.holds(scope),
            Self::All(all) => all.iter().all(|t| t.holds(scope)),
            Self::Any(all) => all.iter().any(|t| t.holds(scope)),
        }
    }
}
