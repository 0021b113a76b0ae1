//! A route table of either kind, indexed: what the engine asks.

use std::collections::hash_map::Entry;

use plan::table::Table;
use rustc_hash::FxHashMap;

use crate::captures::Captures;
use crate::error::{Problem, RouteError, StepLimit};
use crate::explain::{Explanation, Outcome};
use crate::first::FirstIndex;
use crate::locations::LocationIndex;
use crate::subject::Subject;

/// What a search found. Numbers are places in [`TableIndex::routes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found<'a> {
    Route(u32),
    /// The client is sent to `location` (not encoded, ends in a slash) with 301; the query goes along.
    RedirectSlash {
        route: u32,
        location: &'a str,
    },
    /// The fault `no_route`.
    Nothing,
    /// There is no answer: a backtracking pattern gave up (a fault of ours, 500).
    StepLimit {
        pattern: &'a str,
    },
}

/// A table, ready to be searched by any thread.
#[derive(Debug)]
pub struct TableIndex {
    routes: Vec<String>,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    First(FirstIndex),
    Locations(LocationIndex),
}

impl TableIndex {
    /// Indexes a table, or says everything that is wrong in it, by route.
    pub fn build(table: &Table) -> Result<Self, Vec<RouteError>> {
        let mut routes = RouteIds::default();
        let mut errors = Vec::new();
        let kind = match table {
            Table::First(rules) => Kind::First(FirstIndex::build(rules, &mut routes, &mut errors)),
            Table::Locations(level) => Kind::Locations(LocationIndex::build(level, &mut routes, &mut errors)),
        };
        if routes.ids.len() > RouteIds::LIMIT {
            errors.push(RouteError::of("", Problem::TooMany { limit: RouteIds::LIMIT }));
        }
        if errors.is_empty() {
            Ok(Self { routes: routes.ids, kind })
        } else {
            Err(errors)
        }
    }

    /// The route for a request; `captures` gets what the winner's patterns captured.
    #[inline]
    pub fn find<S: Subject>(&self, subject: &S, captures: &mut Captures) -> Found<'_> {
        let found = match &self.kind {
            Kind::First(index) => index.find(subject, captures, &self.routes, &mut ()),
            Kind::Locations(index) => index.find(subject.path(), captures, &self.routes, &mut ()),
        };
        found.unwrap_or_else(|StepLimit { pattern }| Found::StepLimit { pattern })
    }

    /// The ids of the routes this table leads to, each once.
    #[must_use]
    pub fn routes(&self) -> &[String] {
        &self.routes
    }

    /// The location reached by this name only (`@name` without the `@`).
    #[must_use]
    pub fn named(&self, name: &str) -> Option<u32> {
        match &self.kind {
            Kind::First(_) => None,
            Kind::Locations(index) => index.named(name),
        }
    }

    /// The same search, told step by step.
    pub fn explain<S: Subject>(&self, subject: &S) -> Explanation {
        let mut tried = Vec::new();
        let mut captures = Captures::new();
        let (found, entries) = match &self.kind {
            Kind::First(index) => (index.find(subject, &mut captures, &self.routes, &mut tried), index.len()),
            Kind::Locations(index) => {
                (index.find(subject.path(), &mut captures, &self.routes, &mut tried), index.len())
            }
        };
        let id = |route: u32| self.routes.get(route as usize).cloned().unwrap_or_default();
        let outcome = match found {
            Ok(Found::Route(route)) => Outcome::Route(id(route)),
            Ok(Found::RedirectSlash { route, location }) => {
                Outcome::RedirectSlash { route: id(route), location: location.to_owned() }
            }
            Ok(Found::Nothing) => Outcome::NoRoute,
            Ok(Found::StepLimit { pattern }) | Err(StepLimit { pattern }) => {
                Outcome::StepLimit { pattern: pattern.to_owned() }
            }
        };
        Explanation { passed_over: entries.saturating_sub(tried.len()), tried, outcome }
    }
}

/// Numbers route ids in the order they are first met.
#[derive(Debug, Default)]
pub(crate) struct RouteIds {
    ids: Vec<String>,
    places: FxHashMap<String, u32>,
}

impl RouteIds {
    /// Numbers are u32, as are the positions of rules.
    pub(crate) const LIMIT: usize = u32::MAX as usize - 1;

    pub(crate) fn into_ids(self) -> Vec<String> {
        self.ids
    }

    pub(crate) fn number(&mut self, id: &str) -> u32 {
        match self.places.entry(id.to_owned()) {
            Entry::Occupied(place) => *place.get(),
            Entry::Vacant(place) => {
                // Beyond the limit `build` refuses the table.
                let number = u32::try_from(self.ids.len()).unwrap_or(u32::MAX);
                self.ids.push(id.to_owned());
                *place.insert(number)
            }
        }
    }
}
