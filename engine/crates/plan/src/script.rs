//! nginx's rewrite phase as data: `set`, `rewrite`, `if`, `return`, `break`.

use serde::{Deserialize, Serialize};

use crate::matching::Pattern;
use crate::route::Respond;
use crate::template::Template;
use crate::Id;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Step {
    Set {
        slot: u16,
        value: Template,
    },
    Rewrite(Rewrite),
    /// When it holds: the steps run, and `route` (a prepared one) replaces the current route after the phase.
    If {
        when: Condition,
        steps: Vec<Step>,
        #[serde(deserialize_with = "crate::explicit")]
        route: Option<Id>,
    },
    /// The current query, without `?` (nginx `set $args`); the path and what was received stay.
    SetQuery(Template),
    /// Ends the exchange with this answer; error pages may replace it.
    Return(Respond),
    /// The same, and no error page replaces it (nginx `return 404 "text"`).
    ReturnText(Respond),
    /// The connection is closed without a word (nginx `return 444`).
    Close,
    Break,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rewrite {
    /// Matched against the current path.
    pub pattern: Pattern,
    /// The new path; the first `?` in a literal part begins a query. A redirect sends the whole.
    pub replacement: Template,
    /// The old query is appended (not when the replacement ends in `?`).
    pub append_query: bool,
    pub then: RewriteThen,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum RewriteThen {
    /// The next step; a changed path searches again after the phase.
    Continue,
    /// Search again now.
    Last,
    /// End the phase, stay in this route.
    Break,
    /// This answer, with the replacement as its Location.
    Redirect(Respond),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Condition {
    /// Not empty and not `0`.
    True(Template),
    Equals {
        value: Template,
        to: Template,
    },
    Matches {
        value: Template,
        pattern: Pattern,
    },
    File {
        path: Template,
        test: FileTest,
    },
    Not(Box<Condition>),
    All(Vec<Condition>),
    Any(Vec<Condition>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileTest {
    File,
    Directory,
    Exists,
    Executable,
}
