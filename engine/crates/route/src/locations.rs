//! nginx's locations, indexed.
//!
//! Facts (what nginx does, level by level): an exact location ends the search. The longest prefix is
//! remembered; its nested level is searched before this level's regexes, which are skipped when the prefix has
//! `^~` (a nested `^~` skips only its own level's). The first regex that matches wins, and its nested level may
//! refine it. A path that lacks only the last slash of a prefix that wants it, and is no location itself, is
//! redirected at once, before any regex; below a regex location there is no redirect, the location answers.
//! Decisions: of two locations with one name the first wins (nginx refuses them). `otherwise` of a nested level
//! stands for the location around it. Named locations are found from every level.

use plan::table::Locations;
use rustc_hash::FxHashMap;

use crate::captures::Captures;
use crate::error::{RouteError, StepLimit};
use crate::explain::{Trace, Try};
use crate::pattern::CompiledPattern;
use crate::prefixes::Prefixes;
use crate::table::{Found, RouteIds};

/// A tree of locations.
#[derive(Debug)]
pub(crate) struct LocationIndex {
    top: Level,
    named: FxHashMap<Box<str>, u32>,
    entries: usize,
}

#[derive(Debug)]
struct Level {
    exact: FxHashMap<Box<[u8]>, u32>,
    /// Places in `locations`.
    prefixes: Prefixes<u32>,
    locations: Vec<Prefix>,
    /// Prefixes that want their slash, without it.
    slashless: FxHashMap<Box<[u8]>, u32>,
    regexes: Vec<Regex>,
    otherwise: Option<u32>,
}

#[derive(Debug)]
struct Prefix {
    path: Box<str>,
    stop: bool,
    route: u32,
    children: Option<Box<Level>>,
}

#[derive(Debug)]
struct Regex {
    pattern: CompiledPattern,
    route: u32,
    children: Option<Box<Level>>,
}

/// How a level ended; the route is kept beside it, as an outer regex may still replace it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End<'a> {
    /// No regex is tried any more.
    Final,
    Redirect {
        route: u32,
        location: &'a str,
    },
    /// Outer regexes come first.
    Open,
}

impl LocationIndex {
    pub(crate) fn build(level: &Locations, routes: &mut RouteIds, errors: &mut Vec<RouteError>) -> Self {
        let mut builder = Builder { routes, errors, named: FxHashMap::default(), entries: 0 };
        let top = builder.level(level);
        Self { top, named: builder.named, entries: builder.entries }
    }

    /// Locations of every level.
    pub(crate) const fn len(&self) -> usize {
        self.entries
    }

    pub(crate) fn named(&self, name: &str) -> Option<u32> {
        self.named.get(name).copied()
    }

    pub(crate) fn find<'a>(
        &'a self,
        path: &[u8],
        captures: &mut Captures,
        routes: &[String],
        trace: &mut impl Trace,
    ) -> Result<Found<'a>, StepLimit<'a>> {
        let mut search = Search { path, captures, routes, trace, current: None };
        let end = search.level(&self.top)?;
        Ok(match (end, search.current) {
            (End::Redirect { route, location }, _) => Found::RedirectSlash { route, location },
            (_, Some(route)) => Found::Route(route),
            (_, None) => Found::Nothing,
        })
    }
}

struct Search<'s, T> {
    path: &'s [u8],
    captures: &'s mut Captures,
    routes: &'s [String],
    trace: &'s mut T,
    current: Option<u32>,
}

impl<T: Trace> Search<'_, T> {
    fn level<'a>(&mut self, level: &'a Level) -> Result<End<'a>, StepLimit<'a>> {
        if level.otherwise.is_some() {
            self.current = level.otherwise;
        }
        if !level.exact.is_empty() {
            if let Some(route) = level.exact.get(self.path) {
                self.take(*route, 0, || format!("= {}", Lossy(self.path)), "equal: nothing else is tried");
                return Ok(End::Final);
            }
        }
        let mut stop = false;
        if let Some(place) = level.prefixes.longest(self.path) {
            let prefix = &level.locations[place as usize];
            if prefix.path.len() != self.path.len() {
                if let Some(end) = self.redirect(level) {
                    return Ok(end);
                }
            }
            stop = prefix.stop;
            let why =
                if stop { "the longest prefix, and no regex of this level is tried" } else { "the longest prefix" };
            self.take(prefix.route, place as usize, || prefix.condition(), why);
            if let Some(children) = &prefix.children {
                let end = self.level(children)?;
                if end != End::Open {
                    return Ok(end);
                }
            }
        } else if let Some(end) = self.redirect(level) {
            return Ok(end);
        }
        if stop {
            return Ok(End::Open);
        }
        self.regexes(level)
    }

    fn redirect<'a>(&mut self, level: &'a Level) -> Option<End<'a>> {
        if level.slashless.is_empty() {
            return None;
        }
        let place = *level.slashless.get(self.path)?;
        let prefix = &level.locations[place as usize];
        self.take(prefix.route, place as usize, || prefix.condition(), "only the last slash is missing: 301");
        Some(End::Redirect { route: prefix.route, location: &prefix.path })
    }

    fn regexes<'a>(&mut self, level: &'a Level) -> Result<End<'a>, StepLimit<'a>> {
        for (position, regex) in level.regexes.iter().enumerate() {
            if !regex.pattern.capture(self.path, self.captures)? {
                self.tried(regex.route, position, || regex.condition(), false, "the path does not match");
                continue;
            }
            self.take(regex.route, position, || regex.condition(), "the first regex that matches");
            if let Some(children) = &regex.children {
                // Whatever it says, a redirect too: nginx takes the location found and looks no further.
                self.level(children)?;
            }
            return Ok(End::Final);
        }
        Ok(End::Open)
    }

    fn take(&mut self, route: u32, position: usize, condition: impl FnOnce() -> String, why: &str) {
        self.current = Some(route);
        self.tried(route, position, condition, true, why);
    }

    fn tried(&mut self, route: u32, position: usize, condition: impl FnOnce() -> String, matched: bool, why: &str) {
        let routes = self.routes;
        self.trace.tried(|| Try {
            position,
            route: routes.get(route as usize).cloned().unwrap_or_default(),
            condition: condition(),
            matched,
            why: why.to_owned(),
        });
    }
}

impl Prefix {
    fn condition(&self) -> String {
        format!("{}{}", if self.stop { "^~ " } else { "" }, self.path)
    }
}

impl Regex {
    fn condition(&self) -> String {
        format!("{} {}", if self.pattern.ignore_case() { "~*" } else { "~" }, self.pattern.text())
    }
}

struct Builder<'b> {
    routes: &'b mut RouteIds,
    errors: &'b mut Vec<RouteError>,
    named: FxHashMap<Box<str>, u32>,
    entries: usize,
}

impl Builder<'_> {
    fn level(&mut self, level: &Locations) -> Level {
        self.entries += level.exact.len() + level.prefixes.len() + level.regexes.len();
        for named in &level.named {
            let route = self.routes.number(&named.route);
            self.named.entry(named.name.as_str().into()).or_insert(route);
        }
        let mut exact = FxHashMap::default();
        for location in &level.exact {
            let route = self.routes.number(&location.route);
            exact.entry(location.path.as_bytes().into()).or_insert(route);
        }
        let locations: Vec<Prefix> = level.prefixes.iter().map(|prefix| self.prefix(prefix)).collect();
        let mut slashless = FxHashMap::default();
        let mut places = Vec::with_capacity(locations.len());
        for (place, prefix) in (0_u32..).zip(&level.prefixes) {
            places.push((prefix.path.as_bytes().to_vec(), place));
            if let (true, Some(path)) = (prefix.redirect_without_slash, prefix.path.strip_suffix('/')) {
                slashless.entry(path.as_bytes().into()).or_insert(place);
            }
        }
        Level {
            exact,
            prefixes: Prefixes::build(places),
            locations,
            slashless,
            regexes: level.regexes.iter().filter_map(|regex| self.regex(regex)).collect(),
            otherwise: level.otherwise.as_ref().map(|route| self.routes.number(route)),
        }
    }

    fn prefix(&mut self, prefix: &plan::table::Prefix) -> Prefix {
        Prefix {
            path: prefix.path.as_str().into(),
            stop: prefix.stop,
            route: self.routes.number(&prefix.route),
            children: prefix.children.as_ref().map(|level| Box::new(self.level(level))),
        }
    }

    fn regex(&mut self, regex: &plan::table::Regex) -> Option<Regex> {
        let route = self.routes.number(&regex.route);
        let children = regex.children.as_ref().map(|level| Box::new(self.level(level)));
        match CompiledPattern::new(&regex.pattern) {
            Ok(pattern) => Some(Regex { pattern, route, children }),
            Err(problem) => {
                self.errors.push(RouteError::of(&regex.route, problem));
                None
            }
        }
    }
}

/// Bytes of a path for people.
struct Lossy<'a>(&'a [u8]);

impl std::fmt::Display for Lossy<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&String::from_utf8_lossy(self.0))
    }
}
