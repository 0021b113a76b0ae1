//! Why a request found the route it found.

use serde::Serialize;

/// The story of one search, in the words of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// In the order tried; the last one that matched won.
    pub tried: Vec<Try>,
    /// Rules that were not tried: the index knew they could not match, or the search was over before.
    pub passed_over: usize,
    pub outcome: Outcome,
}

/// One rule or location that was tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Try {
    /// Its place: the rule's number counted from 0, or the location's within its kind and level.
    pub position: usize,
    pub route: String,
    /// The whole condition.
    pub condition: String,
    pub matched: bool,
    /// What decided: the first part that failed, or why a match was final or not.
    pub why: String,
}

/// How the search ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Route(String),
    /// 301 to the location's own name.
    RedirectSlash {
        route: String,
        location: String,
    },
    NoRoute,
    /// A backtracking pattern gave up.
    StepLimit {
        pattern: String,
    },
}

/// Listens to a search. `()` hears nothing and costs nothing.
pub(crate) trait Trace {
    fn tried(&mut self, what: impl FnOnce() -> Try);
}

impl Trace for () {
    fn tried(&mut self, _: impl FnOnce() -> Try) {}
}

impl Trace for Vec<Try> {
    fn tried(&mut self, what: impl FnOnce() -> Try) {
        self.push(what());
    }
}
