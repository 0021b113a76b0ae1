//! Routing without I/O: a Plan's tables become an index once, and a request is looked up in it.
//!
//! In the order of a request: [`HostIndex`] chooses the virtual host, [`TableIndex`] the route. A table of
//! ordered rules is searched through `first` (buckets by host and path, so that the cost does not grow with
//! the number of rules), nginx's locations through `locations`. Both answer with a [`Found`], write what
//! patterns captured to [`Captures`], and can say why: [`Explanation`].
//! Usable alone: [`Compiled`] (one rule's condition), [`CompiledPattern`] (a regex with its dialect),
//! [`Cidrs`] (networks), [`query`] (decoded query values). [`KeyIndex`], [`NetworkIndex`] and [`Shares`] find the
//! entry of a lookup for a key.
//!
//! Nothing here knows what a route does, keeps state between requests, or reads a configuration language.

#![forbid(unsafe_code)]

mod captures;
mod cidr;
mod compiled;
mod dialect;
mod error;
mod escape;
mod explain;
mod first;
mod host;
mod keys;
mod locations;
mod names;
mod networks;
mod pattern;
mod prefixes;
pub mod query;
mod shares;
mod subject;
mod table;

pub use captures::Captures;
pub use cidr::Cidrs;
pub use compiled::Compiled;
pub use error::{Problem, RouteError, StepLimit};
pub use explain::{Explanation, Outcome, Try};
pub use host::HostIndex;
pub use keys::KeyIndex;
pub use networks::NetworkIndex;
pub use pattern::CompiledPattern;
pub use shares::Shares;
pub use subject::{Request, Subject};
pub use table::{Found, TableIndex};
