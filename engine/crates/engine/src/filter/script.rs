//! nginx's rewrite phase: steps that set slots, rewrite the path, choose another route, or answer.
//!
//! Facts (nginx): what is captured by number is quoted where the target was: in a query and in a redirect always, in
//! `set` until a rewrite has matched. A rewrite that ends in `break`, and `break` itself, keep the route although the
//! path has changed. `if` changes the route for the steps behind it too; the last one that holds wins.

use plan::fault::FaultKind;
use plan::script::{Rewrite, RewriteThen, Step};
use plan::template::Part;
use route::CompiledPattern;

use super::Turn;
use crate::condition::Test;
use crate::control::error::CallError;
use crate::exchange::{Answer, Exchange};
use crate::fault::Fault;
use crate::snapshot::links::Links;
use crate::snapshot::route::RespondRun;
use crate::template::Text;

pub enum StepRun {
    Set { slot: u16, value: Text },
    Rewrite(Box<RewriteRun>),
    If { when: Test, steps: Vec<StepRun>, route: Option<u32> },
    SetQuery(Text),
    Return(RespondRun),
    ReturnText(RespondRun),
    Close,
    Break,
}

pub struct RewriteRun {
    pattern: CompiledPattern,
    path: Text,
    /// What stands behind the first `?`.
    query: Option<Text>,
    append_query: bool,
    then: ThenRun,
}

/// What follows it.
enum ThenRun {
    Continue,
    Last,
    Break,
    Redirect(RespondRun),
}

/// Makes steps ready.
pub(super) fn build(steps: &[Step], links: &Links<'_>) -> Result<Vec<StepRun>, CallError> {
    let step = |step: &Step| {
        Ok(match step {
            Step::Set { slot, value } => StepRun::Set { slot: links.slot(*slot)?, value: Text::build(value, links)? },
            Step::Rewrite(rewrite) => StepRun::Rewrite(Box::new(RewriteRun::build(rewrite, links)?)),
            Step::If { when, steps, route } => StepRun::If {
                when: Test::build(when, links)?,
                steps: build(steps, links)?,
                route: route.as_ref().map(|id| links.route(id)).transpose()?,
            },
            Step::SetQuery(query) => StepRun::SetQuery(Text::build(query, links)?),
            Step::ReturnText(respond) => StepRun::ReturnText(RespondRun::build(respond, links)?),
            Step::Return(respond) => StepRun::Return(RespondRun::build(respond, links)?),
            Step::Close => StepRun::Close,
            Step::Break => StepRun::Break,
        })
    };
    steps.iter().map(step).collect()
}

/// Runs them.
pub(super) fn run(exchange: &mut Exchange<'_, '_>, steps: &[StepRun]) -> Result<Turn, Fault> {
    let mut script = Script { changed: false, route: None, rewritten: false };
    if let Then::Answer(answer) = script.run(exchange, steps)? {
        return Ok(Turn::Answer(answer));
    }
    Ok(match script.route {
        _ if script.changed => Turn::Search,
        Some(route) => Turn::Route(route),
        None => Turn::Go,
    })
}

/// One run.
struct Script {
    /// The path is another, and nothing has said that the route stays.
    changed: bool,
    route: Option<u32>,
    /// A rewrite has matched.
    rewritten: bool,
}

enum Then {
    Next,
    Stop,
    Answer(Answer),
}

impl Script {
    fn run(&mut self, exchange: &mut Exchange<'_, '_>, steps: &[StepRun]) -> Result<Then, Fault> {
        for step in steps {
            let then = match step {
                StepRun::Set { slot, value } => {
                    let mut text = Vec::new();
                    if !self.rewritten && exchange.request.is_quoted() {
                        value.write_quoted(&exchange.scope(), &mut text, wire::target::quote_argument);
                    } else {
                        value.write(&exchange.scope(), &mut text);
                    }
                    exchange.captures.get_mut().set(*slot, text);
                    Then::Next
                }
                StepRun::Rewrite(rewrite) => self.rewrite(exchange, rewrite)?,
                StepRun::If { when, steps, route } => {
                    if !when.holds(&exchange.scope()) {
                        continue;
                    }
                    if let Some(route) = route {
                        self.route = Some(*route);
                        exchange.route = exchange.routing.routes.get(*route as usize).map(|route| &**route);
                    }
                    self.run(exchange, steps)?
                }
                StepRun::SetQuery(query) => {
                    let query = query.render(&exchange.scope());
                    // What was received no longer says what is asked for.
                    exchange.request.rewritten = true;
                    exchange.request.set_query(query);
                    Then::Next
                }
                StepRun::ReturnText(respond) => Then::Answer(Answer { stands: true, ..exchange.respond(respond) }),
                StepRun::Return(respond) => Then::Answer(exchange.respond(respond)),
                StepRun::Close => {
                    Then::Answer(Answer { body: Vec::new().into(), close: true, silent: true, stands: false })
                }
                StepRun::Break => {
                    // As if the rewrite before had ended so.
                    exchange.request.keeps_prefix |= self.changed;
                    self.changed = false;
                    Then::Stop
                }
            };
            if !matches!(then, Then::Next) {
                return Ok(then);
            }
        }
        Ok(Then::Next)
    }

    fn rewrite(&mut self, exchange: &mut Exchange<'_, '_>, rewrite: &RewriteRun) -> Result<Then, Fault> {
        if !rewrite.matches(exchange)? {
            return Ok(Then::Next);
        }
        self.rewritten = true;
        if let ThenRun::Redirect(respond) = &rewrite.then {
            let location = rewrite.location(exchange);
            return Ok(Then::Answer(exchange.respond_from(respond, &location)));
        }
        rewrite.change(exchange)?;
        let stays = matches!(rewrite.then, ThenRun::Break);
        self.changed = !stays;
        exchange.request.keeps_prefix |= stays;
        Ok(if matches!(rewrite.then, ThenRun::Continue) { Then::Next } else { Then::Stop })
    }
}

impl RewriteRun {
    fn build(rewrite: &Rewrite, links: &Links<'_>) -> Result<Self, CallError> {
        if matches!(rewrite.then, RewriteThen::Continue | RewriteThen::Last) {
            links.note_jump();
        }
        let mut path = rewrite.replacement.clone();
        let mut query = None;
        let mark =
            rewrite.replacement.iter().position(|part| matches!(part, Part::Literal(text) if text.contains('?')));
        if let Some((at, Part::Literal(text))) = mark.and_then(|at| Some((at, rewrite.replacement.get(at)?))) {
            let (before, after) = text.split_once('?').unwrap_or((text, ""));
            path.truncate(at);
            path.push(Part::Literal(before.to_owned()));
            let mut behind = vec![Part::Literal(after.to_owned())];
            behind.extend_from_slice(&rewrite.replacement[at + 1..]);
            query = Some(Text::build(&behind, links)?);
        }
        Ok(Self {
            pattern: links.pattern(&rewrite.pattern)?,
            path: Text::build(&path, links)?,
            query,
            append_query: rewrite.append_query,
            then: match &rewrite.then {
                RewriteThen::Continue => ThenRun::Continue,
                RewriteThen::Last => ThenRun::Last,
                RewriteThen::Break => ThenRun::Break,
                RewriteThen::Redirect(respond) => ThenRun::Redirect(RespondRun::build(respond, links)?),
            },
        })
    }

    fn matches(&self, exchange: &mut Exchange<'_, '_>) -> Result<bool, Fault> {
        let captures = exchange.captures.get_mut();
        let matched = self
            .pattern
            .capture(&exchange.request.path, captures)
            .map_err(|limit| Fault::new(FaultKind::Internal, limit.to_string()))?;
        if let (false, Some(slot)) = (matched, self.pattern.slot()) {
            captures.forget_numbers(slot);
        }
        Ok(matched)
    }

    /// The request's path and query become what the replacement says.
    fn change(&self, exchange: &mut Exchange<'_, '_>) -> Result<(), Fault> {
        let path = self.path.render(&exchange.scope());
        if path.is_empty() {
            return Err(Fault::new(FaultKind::Internal, "a rewrite has left nothing of the path"));
        }
        let query = self.query.as_ref().map(|text| {
            let mut query = Vec::new();
            if exchange.request.is_quoted() {
                text.write_quoted(&exchange.scope(), &mut query, wire::target::quote_argument);
            } else {
                text.write(&exchange.scope(), &mut query);
            }
            query
        });
        let request = &mut *exchange.request;
        match query {
            Some(mut query) => {
                if self.append_query && !request.query.is_empty() {
                    query.push(b'&');
                    query.extend_from_slice(&request.query);
                }
                request.set_query(query);
            }
            None if !self.append_query => request.set_query(Vec::new()),
            None => {}
        }
        request.rewrite(path, exchange.host.http.path.decode);
        Ok(())
    }

    /// Where the client is sent: the whole replacement.
    fn location(&self, exchange: &Exchange<'_, '_>) -> Vec<u8> {
        let scope = exchange.scope();
        let quoted = exchange.request.is_quoted();
        let mut location = Vec::new();
        let write = |text: &Text, location: &mut Vec<u8>, quote| {
            if quoted {
                text.write_quoted(&scope, location, quote);
            } else {
                text.write(&scope, location);
            }
        };
        write(&self.path, &mut location, wire::target::quote_location);
        if let Some(query) = &self.query {
            location.push(b'?');
            write(query, &mut location, wire::target::quote_argument);
        }
        if self.append_query && !exchange.request.query.is_empty() {
            location.push(if self.query.is_some() { b'&' } else { b'?' });
            location.extend_from_slice(&exchange.request.query);
        }
        location
    }
}
