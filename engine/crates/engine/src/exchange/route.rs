//! From a head to what is to be done: host, table, route, filters, action.

use std::sync::atomic::Ordering;
use std::sync::Arc;

use ::route::{Captures, Found};
use plan::fault::FaultKind;
use wire::framing::Framing;

use super::answer;
use super::connection::{Connection, Next};
use super::forward::{self, Outcome};
use super::record::Record;
use super::request::Asked;
use super::{tunnel, Answer, Exchange};
use crate::buffer::Scratch;
use crate::fault::Fault;
use crate::snapshot::listener::{HostRun, ListenerRun};
use crate::snapshot::route::{ActionRun, ProxyRun, RouteRun};
use crate::worker::View;

/// Counts an exchange while it runs.
struct Running<'a>(&'a crate::worker::WorkerHandle);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.exchanges.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Runs the exchange whose head has been read.
pub async fn exchange(
    connection: &mut Connection,
    scratch: &mut Scratch,
    view: View,
    listener: &ListenerRun,
    head_bytes: usize,
) -> Next {
    let worker = std::rc::Rc::clone(&connection.worker);
    worker.handle.exchanges.fetch_add(1, Ordering::Relaxed);
    let running = Running(&worker.handle);
    let mut record = new_record(connection);
    record.request_bytes = head_bytes as u64;
    let judged = scratch.request.judge(&listener.http, &connection.client);
    let mut captures = Captures::new();
    let host = listener.index.find(&scratch.request.host, &mut captures);
    let (host, judged) = match host {
        Ok(at) => (&*listener.hosts[at as usize], judged),
        Err(limit) => (default_host(listener), judged.and(Err(Fault::new(FaultKind::Internal, limit.to_string())))),
    };
    let keeps = keeps(connection, scratch, host);
    let Scratch { request, response, .. } = scratch;
    let mut exchange = Exchange {
        worker: &worker,
        client: &connection.client,
        listener: &listener.id,
        host,
        route: None,
        request,
        response,
        captures,
        record,
    };
    let decided = match judged {
        Ok(()) => decide(&mut exchange),
        Err(fault) => Decision::Answer({
            let mut answer = exchange.fault(fault);
            answer.close = true;
            answer
        }),
    };
    let Exchange { route, record, captures, .. } = exchange;
    match decided {
        Decision::Answer(answer) => {
            finish(connection, scratch, listener, host, route, record, captures, answer, keeps).await
        }
        Decision::Proxy(route_run, proxy) => {
            let forwarding = forward::Forwarding { listener, host, route: route_run, proxy, keeps };
            match Box::pin(forward::forward(connection, scratch, &forwarding, record, captures)).await {
                Outcome::Answered(next) => next,
                Outcome::Failed(fault, record, captures) => {
                    let mut exchange = rebuild(connection, scratch, &worker, listener, host, route, record, captures);
                    let answer = exchange.fault(fault);
                    let Exchange { record, captures, .. } = exchange;
                    finish(connection, scratch, listener, host, route, record, captures, answer, keeps).await
                }
                Outcome::Tunnel(upstream, in_flight, idle_ms) => {
                    // The Snapshot is let go: a tunnel may live for days.
                    let id = route_run.id.clone();
                    drop(view);
                    drop(running);
                    let route = tunnel::Place { listener: connection.listener.key, route: id };
                    tunnel::run(connection, scratch, upstream, in_flight, &route, idle_ms).await;
                    Next::Close
                }
            }
        }
    }
}

enum Decision<'a> {
    Answer(Answer),
    Proxy(&'a RouteRun, &'a ProxyRun),
}

/// Whether the client's connection may live on after this exchange, as far as the request says.
fn keeps(connection: &Connection, scratch: &Scratch, host: &HostRun) -> bool {
    let policy = &host.http.keepalive;
    let worn = (policy.max_requests != 0 && connection.requests >= policy.max_requests)
        || (policy.max_age_ms != 0 && connection.worker.clock.now() - connection.born > policy.max_age_ms);
    scratch.request.keep_alive && !worn && !connection.is_closing()
}

fn new_record(connection: &Connection) -> Record {
    let worker = &connection.worker;
    let count = worker.shared.requests.fetch_add(1, Ordering::Relaxed) + 1;
    Record::new((worker.random(), worker.random()), connection.requests, count)
}

fn default_host(listener: &ListenerRun) -> &HostRun {
    // The index always has its default.
    &listener.hosts[0]
}

/// Finds the route and runs its filters.
fn decide<'p>(exchange: &mut Exchange<'_, 'p>) -> Decision<'p> {
    match try_decide(exchange) {
        Ok(decision) => decision,
        Err(fault) => Decision::Answer(exchange.fault(fault)),
    }
}

fn try_decide<'p>(exchange: &mut Exchange<'_, 'p>) -> Result<Decision<'p>, Fault> {
    let host = exchange.host;
    for filter in &host.filters {
        if let Some(answer) = filter.on_request(exchange)? {
            return Ok(Decision::Answer(answer));
        }
    }
    let asked = Asked { request: exchange.request, client: exchange.client };
    let route: &'p Arc<RouteRun> = match host.table.index.find(&asked, &mut exchange.captures) {
        Found::Route(at) => &host.table.routes[at as usize],
        Found::RedirectSlash { location, .. } => return Ok(Decision::Answer(slash(exchange, location))),
        Found::Nothing => return Err(Fault::new(FaultKind::NoRoute, "no route matches")),
        Found::StepLimit { pattern } => {
            return Err(Fault::new(FaultKind::Internal, format!("the pattern `{pattern}` took too many steps")))
        }
    };
    if route.internal {
        return Err(Fault::new(FaultKind::NoRoute, "the route is internal"));
    }
    exchange.route = Some(route);
    let limit = route.body_bytes.unwrap_or(host.http.body_bytes);
    if let Framing::Length(length) = exchange.request.framing {
        if limit != 0 && length > limit {
            return Err(Fault::new(FaultKind::BodyTooLarge, "the body is over its limit"));
        }
    }
    for filter in &route.filters {
        if let Some(answer) = filter.on_request(exchange)? {
            return Ok(Decision::Answer(answer));
        }
    }
    Ok(match &route.action {
        ActionRun::Proxy(proxy) => Decision::Proxy(route, proxy),
        ActionRun::Respond(respond) => Decision::Answer(exchange.respond(respond)),
        ActionRun::Redirect(redirect) => Decision::Answer(exchange.redirect(redirect)),
        ActionRun::Fail(kind) => return Err(Fault::new(*kind, "the route says so")),
        ActionRun::Close => Decision::Answer(Answer { body: Vec::new(), close: true, silent: true }),
        ActionRun::Ping { terminating_status } => {
            let draining = exchange.worker.shared.draining.load(Ordering::Relaxed)
                || exchange.worker.shared.stopping.load(Ordering::Relaxed);
            exchange.response.clear();
            exchange.response.status = if draining { *terminating_status } else { 200 };
            exchange.response.add(b"Content-Type", b"text/plain; charset=utf-8");
            Decision::Answer(Answer { body: b"OK".to_vec(), close: false, silent: false })
        }
    })
}

/// 301 to the slash form, the query goes along (nginx).
fn slash(exchange: &mut Exchange<'_, '_>, location: &str) -> Answer {
    let mut target = Vec::new();
    target.extend_from_slice(if exchange.client.tls { b"https://" } else { b"http://" });
    target.extend_from_slice(&exchange.request.host_field);
    wire::target::encode_path(location.as_bytes(), &mut target);
    if exchange.request.has_query {
        target.push(b'?');
        target.extend_from_slice(&exchange.request.query);
    }
    exchange.response.clear();
    exchange.response.status = 301;
    exchange.response.add(b"Location", &target);
    Answer { body: Vec::new(), close: false, silent: false }
}

#[allow(clippy::too_many_arguments)] // The parts of an Exchange, apart because the connection is borrowed.
fn rebuild<'a, 'p>(
    connection: &'a Connection,
    scratch: &'a mut Scratch,
    worker: &'a std::rc::Rc<crate::worker::Worker>,
    listener: &'p ListenerRun,
    host: &'p HostRun,
    route: Option<&'p RouteRun>,
    record: Record,
    captures: Captures,
) -> Exchange<'a, 'p> {
    let Scratch { request, response, .. } = scratch;
    Exchange {
        worker,
        client: &connection.client,
        listener: &listener.id,
        host,
        route,
        request,
        response,
        captures,
        record,
    }
}

/// Writes an answer of the engine's own, logs it, and says what becomes of the connection.
#[allow(clippy::too_many_arguments)] // As above.
async fn finish(
    connection: &mut Connection,
    scratch: &mut Scratch,
    listener: &ListenerRun,
    host: &HostRun,
    route: Option<&RouteRun>,
    record: Record,
    captures: Captures,
    answer: Answer,
    keeps: bool,
) -> Next {
    if answer.silent {
        connection.io.reset_on_close();
        return Next::Close;
    }
    let worker = std::rc::Rc::clone(&connection.worker);
    let body_left = answer::skip_body(scratch, host);
    let mut exchange = rebuild(connection, scratch, &worker, listener, host, route, record, captures);
    if let Some(route) = route {
        route.filters.iter().rev().for_each(|f| f.on_response(&mut exchange));
    }
    let keeps = keeps && !answer.close && !body_left;
    let mut head = Vec::with_capacity(256);
    answer::write_own(&exchange, &mut head, &answer.body, keeps);
    let Exchange { mut record, captures, .. } = exchange;
    let head_only = scratch.request.head.method() == b"HEAD";
    let body: &[u8] = if head_only { b"" } else { &answer.body };
    record.status = scratch.response.status;
    record.body_bytes = body.len() as u64;
    let sent = answer::send(connection, &head, body, host.http.timeouts.write_idle_ms).await;
    record.sent_bytes = sent.as_ref().map_or(0, |()| (head.len() + body.len()) as u64);
    let exchange = rebuild(connection, scratch, &worker, listener, host, route, record, captures);
    let logs = route.map_or(&host.logs, |r| &r.logs);
    logs.iter().for_each(|log| log.write(&exchange.scope()));
    match sent {
        Ok(()) if keeps => Next::Keep,
        Ok(()) => Next::Linger,
        Err(_) => Next::Close,
    }
}

/// Answers a request whose head cannot be read.
pub async fn refuse(
    connection: &mut Connection,
    scratch: &mut Scratch,
    view: &View,
    listener: &ListenerRun,
    fault: Fault,
) -> Next {
    let _ = view;
    super::connection::note_refused(&mut scratch.request);
    let host = default_host(listener);
    let worker = std::rc::Rc::clone(&connection.worker);
    let record = new_record(connection);
    let mut exchange = rebuild(connection, scratch, &worker, listener, host, None, record, Captures::new());
    let mut answer = exchange.fault(fault);
    answer.close = true;
    let Exchange { record, captures, .. } = exchange;
    finish(connection, scratch, listener, host, None, record, captures, answer, false).await
}
