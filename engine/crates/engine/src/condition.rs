//! Conditions at work (`plan::script::Condition`): when a redirect, an answer or a log line applies.

use plan::script::{Condition, FileTest};
use route::CompiledPattern;

use crate::control::error::CallError;
use crate::exchange::Scope;
use crate::files::open::file_test;
use crate::snapshot::links::Links;
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
    pub fn build(condition: &Condition, links: &Links<'_>) -> Result<Self, CallError> {
        let each = |all: &[Condition]| all.iter().map(|one| Self::build(one, links)).collect::<Result<Vec<_>, _>>();
        let text = |template| Text::build(template, links);
        Ok(match condition {
            Condition::True(value) => Self::True(text(value)?),
            Condition::Equals { value, to } => Self::Equals(text(value)?, text(to)?),
            Condition::Matches { value, pattern } => Self::Matches(text(value)?, links.pattern(pattern)?),
            Condition::Not(inner) => Self::Not(Box::new(Self::build(inner, links)?)),
            Condition::All(all) => Self::All(each(all)?),
            Condition::Any(all) => Self::Any(each(all)?),
            Condition::File { path, test } => Self::File(text(path)?, *test),
        })
    }

    /// Whether it holds; patterns that match write their slots.
    #[must_use]
    pub fn holds(&self, scope: &Scope<'_>) -> bool {
        match self {
            Self::True(value) => {
                let value = value.render(scope);
                !value.is_empty() && value != b"0"
            }
            Self::Equals(value, to) => value.render(scope) == to.render(scope),
            Self::Matches(value, pattern) => matches(pattern, &value.render(scope), scope),
            Self::File(path, test) => file_test(&path.render(scope), *test),
            Self::Not(inner) => !inner.holds(scope),
            Self::All(all) => all.iter().all(|t| t.holds(scope)),
            Self::Any(all) => all.iter().any(|t| t.holds(scope)),
        }
    }
}

/// Whether the pattern matches, and its slot is written then; where it does not, `$1` is known no more (nginx). One that
/// gives up has not matched.
pub fn matches(pattern: &CompiledPattern, subject: &[u8], scope: &Scope<'_>) -> bool {
    let mut captures = scope.captures.borrow_mut();
    let matched = pattern.capture(subject, &mut captures).unwrap_or(false);
    if let (false, Some(slot)) = (matched, pattern.slot()) {
        captures.forget_numbers(slot);
    }
    matched
}
