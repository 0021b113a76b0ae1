//! Route tables: how a request finds its route (DESIGN.md, law 2).

use serde::{Deserialize, Serialize};

use crate::matching::{Match, Pattern};
use crate::Id;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Table {
    /// Ordered rules; the first that matches wins (Traefik's priorities).
    First(Vec<Rule>),
    /// nginx's locations.
    Locations(Locations),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    #[serde(rename = "match")]
    pub matches: Match,
    pub route: Id,
}

/// One level of nginx's location search: exact, then the longest prefix; unless it says `stop`, the
/// regexes in order; else the prefix.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Locations {
    pub exact: Vec<Exact>,
    pub prefixes: Vec<Prefix>,
    pub regexes: Vec<Regex>,
    /// Reached by name only: `@name` without the `@`.
    pub named: Vec<Named>,
    /// When nothing matches; a fault (no route) when absent.
    #[serde(deserialize_with = "crate::explicit")]
    pub otherwise: Option<Id>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exact {
    pub path: String,
    pub route: Id,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prefix {
    pub path: String,
    /// `^~`: no regex is tried when this is the longest prefix.
    pub stop: bool,
    pub route: Id,
    /// A request for the prefix without its last slash is sent there with 301.
    pub redirect_without_slash: bool,
    /// Locations nested in this one, searched when it is the longest prefix.
    #[serde(deserialize_with = "crate::explicit")]
    pub children: Option<Box<Locations>>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Regex {
    pub pattern: Pattern,
    pub route: Id,
    #[serde(deserialize_with = "crate::explicit")]
    pub children: Option<Box<Locations>>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    pub name: String,
    pub route: Id,
}
