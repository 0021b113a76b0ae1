//! What a rule asks of a request: the condition tree of Traefik's rules, and patterns with their dialect.

use serde::{Deserialize, Serialize};

/// A condition on a request. Names of fields are lower-case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Match {
    /// Every request.
    Always,
    All(Vec<Match>),
    Any(Vec<Match>),
    Not(Box<Match>),
    /// Host without port and trailing dot, lower-case, equal to this.
    Host(String),
    /// Exactly one label before this suffix (`.example.org`).
    HostOneLabel(String),
    /// The lower-cased host is searched.
    HostRegex(Pattern),
    /// The matching form of the path equals this.
    Path(String),
    /// It begins with this, at any character.
    PathPrefix(String),
    PathRegex(Pattern),
    /// Some line of this field has exactly this value.
    Header {
        name: String,
        value: String,
    },
    /// Some line of this field is matched.
    HeaderRegex {
        name: String,
        pattern: Pattern,
    },
    /// The method, upper-case.
    Method(String),
    /// Some value of this key, decoded, is `value`.
    Query {
        key: String,
        value: String,
    },
    QueryRegex {
        key: String,
        pattern: Pattern,
    },
    /// The peer's address lies in one of these (CIDR or address); never X-Forwarded-For.
    ClientIp(Vec<String>),
    /// The connection is TLS (true) or plain (false).
    Tls(bool),
}

/// A regular expression with its language; matches write a slot when it names one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pattern {
    pub regex: String,
    pub dialect: Dialect,
    pub ignore_case: bool,
    /// Where its groups are kept for `capture` parts.
    #[serde(deserialize_with = "crate::explicit")]
    pub slot: Option<u16>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// Linear time, ASCII classes, `\Q..\E` (Go, Traefik).
    Re2,
    /// Backtracking with a step limit (nginx).
    Pcre,
}
