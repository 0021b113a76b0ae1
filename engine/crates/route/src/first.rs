//! Ordered rules: the first that matches wins.

use plan::table::Rule;

use crate::captures::Captures;
use crate::compiled::{Compiled, Node};
use crate::error::{RouteError, StepLimit};
use crate::explain::{Trace, Try};
use crate::subject::Subject;
use crate::table::{Found, RouteIds};

/// Rules in order.
#[derive(Debug)]
pub(crate) struct FirstIndex {
    rules: Vec<(Compiled, u32)>,
}

impl FirstIndex {
    pub(crate) fn build(rules: &[Rule], routes: &mut RouteIds, errors: &mut Vec<RouteError>) -> Self {
        let mut compiled = Vec::with_capacity(rules.len());
        for rule in rules {
            let route = routes.number(&rule.route);
            match Compiled::new(&rule.matches) {
                Ok(condition) => compiled.push((condition, route)),
                Err(problems) => {
                    errors.extend(problems.into_iter().map(|problem| RouteError::of(&rule.route, problem)));
                }
            }
        }
        Self { rules: compiled }
    }

    pub(crate) fn len(&self) -> usize {
        self.rules.len()
    }

    pub(crate) fn find<'a, S: Subject>(
        &'a self,
        subject: &S,
        captures: &mut Captures,
        routes: &[String],
        trace: &mut impl Trace,
    ) -> Result<Found<'a>, StepLimit<'a>> {
        for (position, (rule, route)) in self.rules.iter().enumerate() {
            let matched = rule.capture(subject, captures)?;
            trace.tried(|| Try {
                position,
                route: routes.get(*route as usize).cloned().unwrap_or_default(),
                condition: rule.to_string(),
                matched,
                why: if matched { "the first that matches".to_owned() } else { failing(rule.node(), subject) },
            });
            if matched {
                return Ok(Found::Route(*route));
            }
        }
        Ok(Found::Nothing)
    }
}

/// The first part of a condition that does not hold.
fn failing<S: Subject>(node: &Node, subject: &S) -> String {
    match node {
        Node::All(parts) => parts
            .iter()
            .find(|part| part.matches(subject) == Ok(false))
            .map_or_else(String::new, |part| failing(part, subject)),
        other => format!("{other} does not hold"),
    }
}
