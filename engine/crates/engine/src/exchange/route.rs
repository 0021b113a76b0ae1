//! From a head to what is to be done: host, table, route, filters, action.

use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::sync::Arc;

use ::route::Found;
use plan::fault::FaultKind;
use wire::framing::Framing;

use super::answer::{self, Delivery};
use super::connection::Next;
use super::downstream::{Client, Downstream, Side};
use super::forward::{self, Forwarding, Outcome};
use super::record::Record;
use super::request::Asked;
use super::{Answer, Body, Exchange};
use crate::buffer::Scratch;
use crate::fault::Fault;
use crate::files::{self, Served};
use crate::snapshot::files::{FilesRun, TryFilesRun};
use crate::snapshot::listener::{HostRun, ListenerRun};
use crate::snapshot::route::{ActionRun, ProxyRun, RouteRun};
use crate::worker::WorkerHandle;

/// Counts an exchange while it runs.
struct Running<'a>(&'a WorkerHandle);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.exchanges.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Where in the Snapshot an exchange is.
#[derive(Clone, Copy)]
pub struct Place<'p> {
    pub listener: &'p ListenerRun,
    pub host: &'p HostRun,
    pub route: Option<&'p RouteRun>,
}

impl<'p> Place<'p> {
    /// The exchange, with what it borrows from its client's side.
    pub fn exchange<'a>(self, downstream: &'a Downstream, scratch: &'a mut Scratch) -> Exchange<'a, 'p> {
        let Scratch { request, response, captures, record, .. } = scratch;
        Exchange {
            worker: &downstream.worker,
            client: &downstream.client,
            listener: &self.listener.id,
            host: self.host,
            route: self.route,
            request,
            response,
            captures,
            record,
        }
    }
}

enum Decision<'p> {
    Answer(Answer),
    Proxy(&'p RouteRun, &'p ProxyRun),
}

/// Runs the exchange whose head has been read.
pub async fn exchange(
    downstream: &mut Downstream,
    scratch: &mut Scratch,
    listener: &ListenerRun,
    head_bytes: usize,
) -> Next {
    let worker = Rc::clone(&downstream.worker);
    worker.handle.exchanges.fetch_add(1, Ordering::Relaxed);
    let _running = Running(&worker.handle);
    scratch.record = new_record(downstream, head_bytes);
    scratch.captures.clear();
    // Templates see the response of this exchange or none.
    scratch.response.clear();
    let judged = scratch.request.judge(&listener.http, &downstream.client);
    let (at, judged) = match listener.index.find(&scratch.request.host, &mut scratch.captures) {
        Ok(at) => (at, judged),
        // The index always has its default, at the first place.
        Err(limit) => (0, judged.and(Err(Fault::new(FaultKind::Internal, limit.to_string())))),
    };
    let host = &*listener.hosts[at as usize];
    let keeps = keeps(downstream, scratch, host);
    let mut place = Place { listener, host, route: None };
    let mut exchange = place.exchange(downstream, scratch);
    let decided = match judged {
        Ok(()) => match agree(exchange.client, listener, at) {
            Ok(()) => decide(&mut exchange),
            Err(fault) => Decision::Answer(exchange.fault(fault)),
        },
        Err(fault) => {
            let answer = exchange.fault(fault);
            Decision::Answer(Answer { close: true, ..answer })
        }
    };
    place.route = exchange.route;
    let (route, proxy) = match decided {
        Decision::Answer(answer) => return Box::pin(finish(downstream, scratch, place, answer, keeps)).await,
        Decision::Proxy(route, proxy) => (route, proxy),
    };
    match forward::forward(downstream, scratch, &Forwarding { place, route, proxy, keeps }).await {
        Outcome::Answered(next) => next,
        Outcome::Failed(fault) => {
            let answer = place.exchange(downstream, scratch).fault(fault);
            Box::pin(finish(downstream, scratch, place, answer, keeps)).await
        }
        Outcome::Tunnel(tunnel) => Next::Tunnel(Box::new(tunnel)),
    }
}

/// Whether a request for this host may come on this connection, as far as TLS says.
#[inline]
fn agree(client: &Client, listener: &ListenerRun, host: u32) -> Result<(), Fault> {
    if client.refused {
        return Err(Fault::new(FaultKind::PlainOnTls, "clear text where TLS is spoken"));
    }
    match (&client.session, &listener.tls) {
        (Some(session), Some(tls)) if !tls.agrees(host, &session.options) => {
            Err(Fault::new(FaultKind::Misdirected, "the host has other TLS options than the connection"))
        }
        _ => Ok(()),
    }
}

/// Whether the client's connection may live on after this exchange, as far as the request says.
fn keeps(downstream: &Downstream, scratch: &Scratch, host: &HostRun) -> bool {
    let worn = downstream.client.is_worn(&downstream.worker, &host.http);
    scratch.request.keep_alive && !worn && !downstream.is_closing()
}

fn new_record(downstream: &Downstream, head_bytes: usize) -> Record {
    let worker = &downstream.worker;
    let count = worker.shared.requests.fetch_add(1, Ordering::Relaxed) + 1;
    let mut record = Record::new((worker.random(), worker.random()), downstream.client.requests.get(), count);
    record.request_bytes = head_bytes as u64;
    record
}

fn default_host(listener: &ListenerRun) -> &HostRun {
    // The index always has its default, at the first place.
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
    let route: &'p Arc<RouteRun> = match host.table.index.find(&asked, exchange.captures) {
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
        ActionRun::Close => Decision::Answer(Answer { body: Vec::new().into(), close: true, silent: true }),
        ActionRun::Files(files) => serve(exchange, files)?,
        ActionRun::TryFiles(files) => try_files(exchange, files)?,
        ActionRun::Ping { terminating_status } => Decision::Answer(ping(exchange, *terminating_status)),
    })
}

/// A file, or where to look for it.
fn serve<'p>(exchange: &mut Exchange<'_, 'p>, run: &'p FilesRun) -> Result<Decision<'p>, Fault> {
    match files::serve(exchange, run)? {
        Served::Answer(answer) => Ok(Decision::Answer(answer)),
        Served::Again { table, .. } => Err(Fault::new(FaultKind::Internal, format!("a jump to {table}"))),
    }
}

/// The first candidate there is, or what stands for none of them.
fn try_files<'p>(exchange: &mut Exchange<'_, 'p>, run: &'p TryFilesRun) -> Result<Decision<'p>, Fault> {
    match files::find(exchange, run) {
        Some(path) => {
            exchange.request.set_path(path);
            serve(exchange, &run.files)
        }
        None => Err(Fault::new(FaultKind::NotFound, "none of the candidates is there")),
    }
}

/// 200 `OK`, while terminating another status (Traefik's ping).
fn ping(exchange: &mut Exchange<'_, '_>, terminating_status: u16) -> Answer {
    let shared = &exchange.worker.shared;
    let ending = shared.draining.load(Ordering::Relaxed) || shared.stopping.load(Ordering::Relaxed);
    exchange.response.clear();
    exchange.response.status = if ending { terminating_status } else { 200 };
    exchange.response.add(b"Content-Type", b"text/plain; charset=utf-8");
    Answer { body: Body::Bytes(if ending { Vec::new() } else { b"OK".to_vec() }), close: false, silent: false }
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
    Answer { body: Vec::new().into(), close: false, silent: false }
}

/// Writes an answer of the engine's own, logs it, and says what becomes of the connection.
async fn finish(
    downstream: &mut Downstream,
    scratch: &mut Scratch,
    place: Place<'_>,
    mut answer: Answer,
    keeps: bool,
) -> Next {
    if answer.silent {
        downstream.cut(FaultKind::Internal, true);
        return Next::Close;
    }
    // The frames of HTTP/2 say themselves what is body.
    let body_left = !scratch.request.head.http2 && answer::skip_body(scratch, place.host);
    let mut exchange = place.exchange(downstream, scratch);
    if let Some(route) = place.route {
        route.filters.iter().rev().for_each(|f| f.on_response(&mut exchange));
    }
    let keeps = keeps && !answer.close && !body_left;
    let head_only = exchange.request.head.method() == b"HEAD";
    let delivery = answer::own_delivery(exchange.response.status, answer.body.len());
    // Interim responses that the client has not taken yet go first.
    downstream.begin(scratch, delivery, keeps);
    let bodyless = head_only || matches!(delivery, Delivery::None(_));
    let idle_ms = place.host.http.timeouts.write_idle_ms;
    let mut out = std::mem::take(&mut scratch.to_client);
    let sent = match &mut answer.body {
        _ if bodyless => answer::send(downstream, &out, b"", idle_ms).await,
        Body::Bytes(body) => answer::send(downstream, &out, body, idle_ms).await,
        Body::File(file) => Box::pin(file.send(downstream, scratch, &mut out, idle_ms)).await,
    };
    scratch.record.status = scratch.response.status;
    scratch.record.body_bytes = if bodyless { 0 } else { answer.body.len() };
    scratch.record.sent_bytes = *sent.as_ref().unwrap_or(&0);
    out.clear();
    scratch.to_client = out;
    let exchange = place.exchange(downstream, scratch);
    let logs = place.route.map_or(&place.host.logs, |r| &r.logs);
    logs.iter().for_each(|log| log.write(&exchange.scope()));
    match sent {
        Ok(_) if keeps => Next::Keep,
        Ok(_) => Next::Linger,
        Err(fault) => {
            if fault.kind != FaultKind::ClientGone {
                downstream.cut(fault.kind, false);
            }
            Next::Close
        }
    }
}

/// Answers a request whose head cannot be read.
pub async fn refuse(downstream: &mut Downstream, scratch: &mut Scratch, listener: &ListenerRun, fault: Fault) -> Next {
    scratch.request.clear();
    scratch.request.head.http2 = matches!(downstream.side, Side::Http2(_));
    scratch.response.clear();
    scratch.record = new_record(downstream, 0);
    scratch.captures.clear();
    let place = Place { listener, host: default_host(listener), route: None };
    let answer = place.exchange(downstream, scratch).fault(fault);
    Box::pin(finish(downstream, scratch, place, Answer { close: true, ..answer }, false)).await
}
