//! What can be wrong: with a Plan when it is indexed, and with a pattern when it runs.

use std::fmt;

/// Something in a table or a list of hosts that cannot be run. All of a table's errors are reported at once,
/// so that the control plane can leave out just the routes they name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteError {
    /// The route or virtual host whose condition is wrong; empty for a condition used alone.
    pub id: String,
    pub problem: Problem,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// The regex does not compile.
    Pattern { regex: String, message: String },
    /// Neither an address nor a CIDR.
    Network { text: String },
    /// A wildcard name whose dot is missing.
    Wildcard { name: String },
    /// More entries than an index can number.
    TooMany { limit: usize },
}

impl RouteError {
    /// The same problem, said of `id`.
    pub(crate) fn of(id: &str, problem: Problem) -> Self {
        Self { id: id.to_owned(), problem }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pattern { regex, message } => write!(out, "the pattern `{regex}` does not compile: {message}"),
            Self::Network { text } => write!(out, "`{text}` is neither an address nor a CIDR"),
            Self::Wildcard { name } => write!(out, "the wildcard name `{name}` lacks its dot"),
            Self::TooMany { limit } => write!(out, "more than {limit} entries"),
        }
    }
}

impl fmt::Display for RouteError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.id.is_empty() {
            return self.problem.fmt(out);
        }
        write!(out, "{}: {}", self.id, self.problem)
    }
}

impl std::error::Error for RouteError {}

/// A backtracking pattern gave up: the search has no answer, and the exchange is a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepLimit<'a> {
    /// The regex as the Plan wrote it.
    pub pattern: &'a str,
}

impl fmt::Display for StepLimit<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "the pattern `{}` took too many steps", self.pattern)
    }
}

impl std::error::Error for StepLimit<'_> {}
