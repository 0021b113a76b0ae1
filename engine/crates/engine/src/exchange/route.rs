//! Runs an exchange: finds its host, lets its [`course`](super::course) decide what is to be done, does that, and lets an
//! error page stand for what has failed.

use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::sync::Arc;

use plan::fault::FaultKind;
use wire::framing::Framing;

use super::answer::{self, Delivery};
use super::connection::Next;
use super::course::{Course, Decision};
use super::downstream::{Client, Downstream, Side};
use super::forward::{self, Forwarding, Outcome};
use super::record::Record;
use super::{accel, admit, mirroring, page};
use super::{Answer, Body, Exchange};
use crate::buffer::Scratch;
use crate::fault::Fault;
use crate::filter::FilterRun;
use crate::snapshot::listener::{HostRun, ListenerRun};
use crate::snapshot::route::RouteRun;
use crate::worker::WorkerHandle;

/// Counts an exchange while it runs.
struct Running<'a>(&'a WorkerHandle);

impl<'a> Running<'a> {
    fn new(handle: &'a WorkerHandle) -> Self {
        handle.exchanges.add(1);
        Self(handle)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.exchanges.sub(1);
    }
}

/// Where in the Snapshot an exchange is.
#[derive(Clone, Copy)]
pub struct Place<'p> {
    pub listener: &'p Arc<ListenerRun>,
    pub host: &'p HostRun,
    pub route: Option<&'p RouteRun>,
}

impl<'p> Place<'p> {
    /// The exchange, with what it borrows from its client's side.
    pub fn exchange<'a>(self, downstream: &'a Downstream, scratch: &'a mut Scratch) -> Exchange<'a, 'p> {
        let Scratch { request, response, captures, looked_up, record, .. } = scratch;
        Exchange {
            worker: &downstream.worker,
            client: &downstream.client,
            listener: &self.listener.id,
            routing: &self.listener.routing,
            host: self.host,
            route: self.route,
            request,
            response,
            captures,
            looked_up,
            record,
        }
    }
}

/// Runs the exchange whose head has been read.
pub async fn exchange(
    downstream: &mut Downstream,
    scratch: &mut Scratch,
    listener: &Arc<ListenerRun>,
    head_bytes: usize,
) -> Next {
    let worker = Rc::clone(&downstream.worker);
    let _running = Running::new(&worker.handle);
    scratch.record = new_record(downstream, head_bytes);
    scratch.captures.get_mut().clear();
    scratch.looked_up.clear();
    scratch.held = None;
    scratch.kept = None;
    // Templates see the response of this exchange or none.
    scratch.response.clear();
    let judged = scratch.request.judge(&listener.http, &downstream.client);
    let (at, judged) = match listener.index.find(&scratch.request.host, scratch.captures.get_mut()) {
        Ok(at) => (at, judged),
        // The index always has its default, at the first place.
        Err(limit) => (0, judged.and(Err(Fault::new(FaultKind::Internal, limit.to_string())))),
    };
    let host = &*listener.hosts[at as usize];
    let keeps = keeps(downstream, scratch, host);
    if listener.routing.jumps {
        scratch.request.mark();
    }
    let mut course = Course::new(host);
    let place = Place { listener, host, route: None };
    let mut exchange = place.exchange(downstream, scratch);
    let decided = match judged {
        Ok(()) => match agree(exchange.client, listener, at) {
            Ok(()) => course.decide(&mut exchange),
            Err(fault) => Decision::Answer(exchange.fault(fault)),
        },
        Err(fault) => {
            course.unjudged = true;
            let answer = exchange.fault(fault);
            Decision::Answer(Answer { close: true, ..answer })
        }
    };
    let place = Place { route: exchange.route, ..place };
    run(downstream, scratch, place, course, decided, keeps).await
}

/// Does what was decided. An error page may stand for an answer: then the course goes on.
pub(super) async fn run<'p>(
    downstream: &mut Downstream,
    scratch: &mut Scratch,
    mut place: Place<'p>,
    mut course: Course<'p>,
    mut decided: Decision<'p>,
    mut keeps: bool,
) -> Next {
    loop {
        let answer = match decided {
            Decision::Answer(answer) => answer,
            Decision::Wait(filter) => match Box::pin(wait(downstream, scratch, place, filter)).await {
                Some(answer) => answer,
                None => {
                    let mut exchange = place.exchange(downstream, scratch);
                    decided = course.decide(&mut exchange);
                    place.route = exchange.route;
                    continue;
                }
            },
            Decision::Proxy(route, proxy) => {
                match forward::forward(downstream, scratch, &Forwarding { place, route, proxy, keeps }).await {
                    Outcome::Answered(next) => return next,
                    Outcome::Failed(fault) => place.exchange(downstream, scratch).fault(fault),
                    Outcome::Intercepted => page::intercepted(&mut place.exchange(downstream, scratch)),
                    Outcome::HandedOver(target) => {
                        let mut exchange = place.exchange(downstream, scratch);
                        match course.hand_over(&mut exchange, &target) {
                            Ok(()) => {
                                keeps &= exchange.request.framing != Framing::UntilClose;
                                decided = course.decide(&mut exchange);
                                place.route = exchange.route;
                                continue;
                            }
                            Err(fault) => exchange.fault(fault),
                        }
                    }
                    Outcome::Tunnel(tunnel) => return Next::Tunnel(Box::new(tunnel)),
                }
            }
        };
        let mut exchange = place.exchange(downstream, scratch);
        let closes = answer.close;
        match course.page(&mut exchange, answer) {
            Some(answer) => return Box::pin(finish(downstream, scratch, place, answer, keeps)).await,
            None => {
                // What is left of a body that no one takes would be read as the next request.
                keeps &= !closes && exchange.request.framing != Framing::UntilClose;
                decided = course.decide(&mut exchange);
                place.route = exchange.route;
            }
        }
    }
}

/// Does what a filter must wait for; an answer ends the exchange.
async fn wait(
    downstream: &mut Downstream,
    scratch: &mut Scratch,
    place: Place<'_>,
    filter: &Arc<FilterRun>,
) -> Option<Answer> {
    match &**filter {
        FilterRun::Access(access) => admit::admit(downstream, scratch, place, access).await,
        _ => match mirroring::mirror(downstream, scratch, place, filter).await {
            Ok(()) => None,
            Err(fault) => Some(place.exchange(downstream, scratch).fault(fault)),
        },
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
    let id = (worker.random(), worker.random());
    let mut record = Record::new(worker.clock.turn(), id, downstream.client.requests.get(), count);
    record.request_bytes = head_bytes as u64;
    record
}

fn default_host(listener: &ListenerRun) -> &HostRun {
    // The index always has its default, at the first place.
    &listener.hosts[0]
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
    page::dress(exchange.response, exchange.record);
    if !exchange.record.carried.is_empty() {
        let is_own = exchange.response.status < 300;
        accel::put(exchange.response, exchange.record, is_own);
    }
    exchange.filters().iter().rev().for_each(|f| f.on_response(&mut exchange));
    let keeps = keeps && !answer.close && !body_left;
    let head_only = exchange.request.head.method() == b"HEAD";
    let delivery = answer::own_delivery(exchange.response.status, answer.body.len());
    // Interim responses that the client has not taken yet go first.
    downstream.begin(scratch, delivery, keeps);
    let bodyless = head_only || matches!(delivery, Delivery::None(_));
    let idle_ms = place.host.http.timeouts.write_idle_ms;
    let mut out = std::mem::take(&mut scratch.to_client);
    let sent = match &mut answer.body {
        _ if bodyless || downstream.is_inner() => answer::send(downstream, &out, b"", idle_ms).await,
        Body::Bytes(body) => answer::send(downstream, &out, body, idle_ms).await,
        Body::File(file) => Box::pin(file.send(downstream, scratch, &mut out, idle_ms)).await,
    };
    scratch.record.status = scratch.response.status;
    scratch.record.body_bytes = match &answer.body {
        _ if bodyless => 0,
        Body::Bytes(body) => body.len() as u64,
        Body::File(file) => file.sent,
    };
    scratch.record.sent_bytes = *sent.as_ref().unwrap_or(&0);
    out.clear();
    scratch.to_client = out;
    let exchange = place.exchange(downstream, scratch);
    let logs = place.route.map_or(&place.host.logs, |r| &r.logs);
    if !downstream.is_inner() {
        logs.iter().for_each(|log| log.write(&exchange.scope()));
    }
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
pub async fn refuse(
    downstream: &mut Downstream,
    scratch: &mut Scratch,
    listener: &Arc<ListenerRun>,
    fault: Fault,
) -> Next {
    scratch.request.clear();
    scratch.request.head.http2 = matches!(downstream.side, Side::Http2(_));
    scratch.response.clear();
    scratch.record = new_record(downstream, 0);
    scratch.captures.get_mut().clear();
    scratch.looked_up.clear();
    let place = Place { listener, host: default_host(listener), route: None };
    let mut course = Course::new(place.host);
    course.unjudged = true;
    let answer = place.exchange(downstream, scratch).fault(fault);
    let decided = Decision::Answer(Answer { close: true, ..answer });
    Box::pin(run(downstream, scratch, place, course, decided, false)).await
}
