//! The course of an exchange from its head to an action: the host's filters, the table, the route's filters; and back
//! to the table when a path has changed or something jumps, at most ten times.
//!
//! It waits for nothing: what must be waited for is a [`Decision`], after which [`Course::decide`] goes on where it was.

use std::sync::atomic::Ordering;
use std::sync::Arc;

use ::route::Found;
use plan::fault::FaultKind;
use wire::framing::Framing;

use super::request::Asked;
use super::{Answer, Body, Exchange};
use crate::fault::Fault;
use crate::files::{self, Served};
use crate::filter::{FilterRun, Turn};
use crate::snapshot::files::{OtherwiseRun, TryFilesRun};
use crate::snapshot::listener::{HostRun, TableRun};
use crate::snapshot::route::{ActionRun, JumpRun, ProxyRun, RouteRun};

/// Searches again, an exchange.
const JUMPS: u8 = 10;

/// What is to be done.
pub enum Decision<'p> {
    Answer(Answer),
    Proxy(&'p RouteRun, &'p ProxyRun),
    /// What this filter waits for is done, then it goes on.
    Wait(&'p Arc<FilterRun>),
}

/// Where an exchange is.
pub struct Course<'p> {
    at: At<'p>,
    /// Filters that have run there.
    done: usize,
    /// What is searched next.
    table: &'p TableRun,
    jumps: u8,
    /// An error page stands for the answer, and no other may stand for that.
    pub(super) paged: bool,
    /// Nothing but the head's syntax is known to be right.
    pub(super) unjudged: bool,
}

#[derive(Clone, Copy)]
enum At<'p> {
    Host,
    Table,
    Route(&'p RouteRun),
}

impl<'p> Course<'p> {
    #[must_use]
    pub fn new(host: &'p HostRun) -> Self {
        Self { at: At::Host, done: 0, table: &host.table, jumps: 0, paged: false, unjudged: false }
    }

    /// Goes on until something is to be done.
    pub fn decide(&mut self, exchange: &mut Exchange<'_, 'p>) -> Decision<'p> {
        match self.try_decide(exchange) {
            Ok(decision) => decision,
            Err(fault) => Decision::Answer(exchange.fault(fault)),
        }
    }

    fn try_decide(&mut self, exchange: &mut Exchange<'_, 'p>) -> Result<Decision<'p>, Fault> {
        loop {
            let turn = match self.at {
                At::Host => {
                    let host = exchange.host;
                    self.filter(exchange, &host.filters)?
                }
                At::Table => self.search(exchange)?,
                At::Route(route) => match self.filter(exchange, &route.filters)? {
                    Turn::Go => match act(exchange, route)? {
                        Act::Decision(decision) => return Ok(decision),
                        Act::Jump(jump) => {
                            self.jump(exchange, jump)?;
                            continue;
                        }
                        Act::Again { table, path } => {
                            self.again(exchange, table, path)?;
                            continue;
                        }
                    },
                    turn => turn,
                },
            };
            match (turn, self.at) {
                (Turn::Answer(answer), _) => return Ok(Decision::Answer(answer)),
                (Turn::Wait, at) => {
                    let filters = if let At::Route(route) = at { &route.filters } else { &exchange.host.filters };
                    if let Some(filter) = filters.get(self.done - 1) {
                        return Ok(Decision::Wait(filter));
                    }
                }
                // What the host's filters have changed is what is searched.
                (Turn::Go | Turn::Search, At::Host) => self.go(At::Table),
                (Turn::Go, _) => {}
                (Turn::Search, _) => {
                    self.count()?;
                    exchange.request.undo();
                    exchange.route = None;
                    self.go(At::Table);
                }
                (Turn::Route(number), _) => self.go(At::Route(enter(exchange, number)?)),
            }
        }
    }

    fn go(&mut self, at: At<'p>) {
        self.at = at;
        self.done = 0;
    }

    /// Runs the filters that have not run yet, until one does not go on.
    fn filter(&mut self, exchange: &mut Exchange<'_, 'p>, filters: &'p [Arc<FilterRun>]) -> Result<Turn, Fault> {
        while let Some(filter) = filters.get(self.done) {
            self.done += 1;
            match filter.on_request(exchange)? {
                Turn::Go => {}
                turn => return Ok(turn),
            }
        }
        Ok(Turn::Go)
    }

    /// Finds the route.
    fn search(&mut self, exchange: &mut Exchange<'_, 'p>) -> Result<Turn, Fault> {
        let asked = Asked { request: exchange.request, client: exchange.client };
        let table = self.table;
        let (number, location) = match table.index.find(&asked, exchange.captures.get_mut()) {
            Found::Route(number) => (number, None),
            Found::RedirectSlash { route, location } => (route, Some(location)),
            Found::Nothing => return Err(Fault::new(FaultKind::NoRoute, "no route matches")),
            Found::StepLimit { pattern } => {
                return Err(Fault::new(FaultKind::Internal, format!("the pattern `{pattern}` took too many steps")))
            }
        };
        let route: &'p RouteRun = &table.routes[number as usize];
        if route.internal && !exchange.request.internal {
            return Err(Fault::new(FaultKind::NoRoute, "the route is internal"));
        }
        exchange.route = Some(route);
        let limit = route.body_bytes.unwrap_or(exchange.host.http.body_bytes);
        if let Framing::Length(length) = exchange.request.framing {
            if limit != 0 && length > limit {
                return Err(Fault::new(FaultKind::BodyTooLarge, "the body is over its limit"));
            }
        }
        if let Some(location) = location {
            return Ok(Turn::Answer(slash(exchange, location)));
        }
        self.go(At::Route(route));
        Ok(Turn::Go)
    }

    /// Searches again where the jump leads.
    ///
    /// # Errors
    /// It is one too many.
    pub fn jump(&mut self, exchange: &mut Exchange<'_, 'p>, jump: &JumpRun) -> Result<(), Fault> {
        self.count()?;
        exchange.request.undo();
        let (JumpRun::Uri { table, .. } | JumpRun::Named { table, .. }) = jump;
        // The numbers are of this Snapshot.
        if let Some(table) = exchange.routing.tables.get(*table as usize) {
            self.table = table;
        }
        match jump {
            JumpRun::Uri { uri, .. } => {
                let target = uri.render(&exchange.scope());
                self.go_to(exchange, &target);
            }
            JumpRun::Named { route, .. } => {
                exchange.request.internal = true;
                self.go(At::Route(enter(exchange, *route)?));
            }
        }
        Ok(())
    }

    /// Begins again with another target.
    pub(super) fn go_to(&mut self, exchange: &mut Exchange<'_, 'p>, target: &[u8]) {
        exchange.request.go_to(target, exchange.host.http.path.decode);
        exchange.route = None;
        self.go(At::Host);
    }

    /// Begins again with a path and a query, in the host's table.
    pub(super) fn search_for(
        &mut self,
        exchange: &mut Exchange<'_, 'p>,
        path: Vec<u8>,
        query: &[u8],
    ) -> Result<(), Fault> {
        self.count()?;
        exchange.request.undo();
        self.table = &exchange.host.table;
        exchange.request.set_query(query.to_vec());
        exchange.request.rewrite(path, exchange.host.http.path.decode);
        exchange.route = None;
        self.go(At::Host);
        Ok(())
    }

    /// Goes to the host's route of this name.
    pub(super) fn go_to_named(&mut self, exchange: &mut Exchange<'_, 'p>, name: &[u8]) -> Result<(), Fault> {
        self.count()?;
        exchange.request.undo();
        self.table = &exchange.host.table;
        let named = self.table.named.iter().find(|(known, _)| known.as_bytes() == name);
        let (_, number) = named.ok_or_else(|| Fault::new(FaultKind::Internal, "there is no location of that name"))?;
        exchange.request.internal = true;
        self.go(At::Route(enter(exchange, *number)?));
        Ok(())
    }

    /// Begins again with another path, in the table of this number; the query stays.
    fn again(&mut self, exchange: &mut Exchange<'_, 'p>, table: u32, path: Vec<u8>) -> Result<(), Fault> {
        self.count()?;
        exchange.request.undo();
        // The numbers are of this Snapshot.
        if let Some(table) = exchange.routing.tables.get(table as usize) {
            self.table = table;
        }
        become_path(exchange, &path);
        exchange.route = None;
        self.go(At::Host);
        Ok(())
    }

    fn count(&mut self) -> Result<(), Fault> {
        self.jumps = self.jumps.saturating_add(1);
        if self.is_exhausted() {
            return Err(Fault::new(FaultKind::TooManyJumps, "more than ten searches"));
        }
        Ok(())
    }

    /// It has searched too often.
    #[must_use]
    pub fn is_exhausted(&self) -> bool {
        self.jumps > JUMPS
    }
}

/// The route of this number is the present one.
fn enter<'p>(exchange: &mut Exchange<'_, 'p>, number: u32) -> Result<&'p RouteRun, Fault> {
    let route = exchange.routing.routes.get(number as usize).map(|route| &**route);
    exchange.route = route;
    // The numbers are of this Snapshot.
    route.ok_or_else(|| Fault::new(FaultKind::Internal, "there is no route of this number"))
}

enum Act<'p> {
    Decision(Decision<'p>),
    Jump(&'p JumpRun),
    /// Another path, in the table of this number; the query stays.
    Again {
        table: u32,
        path: Vec<u8>,
    },
}

fn act<'p>(exchange: &mut Exchange<'_, 'p>, route: &'p RouteRun) -> Result<Act<'p>, Fault> {
    act_as(exchange, route, &route.action)
}

/// Does on this route what may be another's action.
fn act_as<'p>(exchange: &mut Exchange<'_, 'p>, route: &'p RouteRun, action: &'p ActionRun) -> Result<Act<'p>, Fault> {
    Ok(Act::Decision(match action {
        ActionRun::Proxy(proxy) => Decision::Proxy(route, proxy),
        ActionRun::Respond(respond) => Decision::Answer(exchange.respond(respond)),
        ActionRun::Redirect(redirect) => Decision::Answer(exchange.redirect(redirect)),
        ActionRun::Jump(jump) => return Ok(Act::Jump(jump)),
        ActionRun::Files(run) => return files::serve(exchange, run).map(served),
        ActionRun::TryFiles(run) => return try_files(exchange, route, run),
        ActionRun::Fail(kind) => return Err(Fault::new(*kind, "the route says so")),
        ActionRun::Close => {
            Decision::Answer(Answer { body: Vec::new().into(), close: true, silent: true, stands: false })
        }
        ActionRun::Ping { terminating_status } => Decision::Answer(ping(exchange, *terminating_status)),
    }))
}

/// A file, or where to look for it.
fn served<'p>(served: Served) -> Act<'p> {
    match served {
        Served::Answer(answer) => Act::Decision(Decision::Answer(answer)),
        Served::Again { table, path } => Act::Again { table, path },
    }
}

/// The path is this file's, in the policy's form.
fn become_path(exchange: &mut Exchange<'_, '_>, path: &[u8]) {
    let decoded = exchange.host.http.path.decode;
    let mut form = Vec::with_capacity(path.len());
    if decoded {
        form.extend_from_slice(path);
    } else {
        wire::target::encode_path(path, &mut form);
    }
    exchange.request.rewrite(form, decoded);
}

/// The first candidate there is, or what stands for none of them.
fn try_files<'p>(exchange: &mut Exchange<'_, 'p>, route: &'p RouteRun, run: &'p TryFilesRun) -> Result<Act<'p>, Fault> {
    if let Some(found) = files::find(exchange, run) {
        if let Some(path) = &found.path {
            become_path(exchange, path);
        }
        let through = run.found.and_then(|number| exchange.routing.routes.get(number as usize));
        return match through {
            Some(through) => act_as(exchange, route, &through.action),
            None => files::serve_found(exchange, &run.files, &found).map(served),
        };
    }
    match &run.otherwise {
        OtherwiseRun::Jump(jump) => Ok(Act::Jump(jump)),
        OtherwiseRun::Fail(kind) => Err(Fault::new(*kind, "none of the candidates is there")),
        OtherwiseRun::Respond(respond) => Ok(Act::Decision(Decision::Answer(exchange.respond(respond)))),
    }
}

/// 200 `OK`, while terminating another status (Traefik's ping).
fn ping(exchange: &mut Exchange<'_, '_>, terminating_status: u16) -> Answer {
    let shared = &exchange.worker.shared;
    let ending = shared.draining.load(Ordering::Relaxed) || shared.stopping.load(Ordering::Relaxed);
    exchange.response.clear();
    exchange.response.status = if ending { terminating_status } else { 200 };
    exchange.response.add(b"Content-Type", b"text/plain; charset=utf-8");
    Answer {
        body: Body::Bytes(if ending { Vec::new() } else { b"OK".to_vec() }),
        close: false,
        silent: false,
        stands: false,
    }
}

/// 301 to the slash form, the query goes along (nginx).
fn slash(exchange: &mut Exchange<'_, '_>, location: &str) -> Answer {
    let mut target = Vec::new();
    if !exchange.request.host_field.is_empty() {
        target.extend_from_slice(if exchange.client.tls { b"https://" } else { b"http://" });
        target.extend_from_slice(&exchange.request.host_field);
    }
    wire::target::encode_path(location.as_bytes(), &mut target);
    if exchange.request.has_query {
        target.push(b'?');
        target.extend_from_slice(&exchange.request.query);
    }
    exchange.response.clear();
    exchange.response.status = 301;
    exchange.response.add(b"Location", &target);
    Answer { body: Vec::new().into(), close: false, silent: false, stands: false }
}
