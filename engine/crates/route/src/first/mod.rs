//! Ordered rules: the first that matches wins.
//!
//! [`keys`] says which hosts and paths a rule can match at all ([`literals`] reads that out of regexes),
//! [`buckets`] finds the rules a request may match, [`merge`] puts them in order; then each is asked in full: in its
//! [`texts`] where it has nothing else, or as it was compiled.

mod buckets;
mod keys;
mod literals;
mod merge;
mod texts;

use plan::table::Rule;

use crate::captures::Captures;
use crate::compiled::{Compiled, Node};
use crate::error::{RouteError, StepLimit};
use crate::explain::{Trace, Try};
use crate::subject::Subject;
use crate::table::{Found, RouteIds};

use buckets::Buckets;
use keys::Frequencies;
use texts::Texts;

/// No more rules than this are asked one by one.
const SMALL: usize = 4;

/// Rules in order, with an index when there are many.
#[derive(Debug)]
pub(crate) struct FirstIndex {
    rules: Vec<Entry>,
    texts: Texts,
    /// The same rules in full.
    compiled: Vec<Compiled>,
    buckets: Option<Buckets>,
}

/// What a request reads of a rule first.
#[derive(Debug, Clone, Copy)]
struct Entry {
    /// Where its texts stand, when it asks for nothing else.
    texts: Option<texts::Place>,
    route: u32,
}

impl FirstIndex {
    pub(crate) fn build(rules: &[Rule], routes: &mut RouteIds, errors: &mut Vec<RouteError>) -> Self {
        let mut entries = Vec::with_capacity(rules.len());
        let mut texts = Texts::default();
        let mut compiled = Vec::with_capacity(rules.len());
        for rule in rules {
            let route = routes.number(&rule.route);
            match Compiled::new(&rule.matches) {
                Ok(condition) => {
                    entries.push(Entry { texts: texts.add(condition.node()), route });
                    compiled.push(condition);
                }
                Err(problems) => {
                    errors.extend(problems.into_iter().map(|problem| RouteError::of(&rule.route, problem)));
                }
            }
        }
        let buckets = (compiled.len() > SMALL).then(|| {
            let mut frequencies = Frequencies::default();
            compiled.iter().for_each(|rule| frequencies.count(rule.node()));
            let keyed = (0_u32..).zip(&compiled);
            Buckets::build(keyed.map(|(position, rule)| (position, keys::keys(rule.node(), &frequencies))))
        });
        Self { rules: entries, texts, compiled, buckets }
    }

    pub(crate) fn len(&self) -> usize {
        self.rules.len()
    }

    #[inline]
    pub(crate) fn find<'a, S: Subject>(
        &'a self,
        subject: &S,
        captures: &mut Captures,
        routes: &[String],
        trace: &mut impl Trace,
    ) -> Result<Found<'a>, StepLimit<'a>> {
        match &self.buckets {
            None => {
                for position in 0..self.rules.len() {
                    if let Some(route) = self.ask(position, subject, captures, routes, trace)? {
                        return Ok(Found::Route(route));
                    }
                }
            }
            Some(buckets) => {
                for position in buckets.candidates(subject.host(), subject.path()) {
                    if let Some(route) = self.ask(position as usize, subject, captures, routes, trace)? {
                        return Ok(Found::Route(route));
                    }
                }
            }
        }
        Ok(Found::Nothing)
    }

    #[inline]
    fn ask<'a, S: Subject>(
        &'a self,
        position: usize,
        subject: &S,
        captures: &mut Captures,
        routes: &[String],
        trace: &mut impl Trace,
    ) -> Result<Option<u32>, StepLimit<'a>> {
        let Entry { texts, route } = self.rules[position];
        let rule = &self.compiled[position];
        let matched = match texts {
            Some(place) => self.texts.match_at(place, subject),
            None => rule.capture(subject, captures)?,
        };
        trace.tried(|| Try {
            position,
            route: routes.get(route as usize).cloned().unwrap_or_default(),
            condition: rule.to_string(),
            matched,
            why: if matched { "the first rule that matches".to_owned() } else { failing(rule.node(), subject) },
        });
        Ok(matched.then_some(route))
    }
}

/// The first part of a condition that does not hold.
fn failing<S: Subject>(node: &Node, subject: &S) -> String {
    let part = match node {
        Node::All(parts) => parts.iter().find(|part| part.matches(subject) == Ok(false)),
        _ => None,
    };
    part.map_or_else(|| format!("{node} does not hold"), |part| failing(part, subject))
}
