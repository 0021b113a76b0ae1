//! Brings an endpoint's response to the client: filters, head, body; then the connection goes back to its pool.

use std::sync::Arc;
use std::task::Poll;

use plan::fault::FaultKind;
use serde_json::json;
use wire::chunk::Decoder;
use wire::field::{lists_token, Known};
use wire::framing::{self, Framing};
use wire::head::Head;

use super::accel;
use super::answer::{self, Delivery};
use super::connection::Next;
use super::download::{Download, From, Source, Waits};
use super::downstream::{Downstream, Side};
use super::forward::{note_rest, Aim, Outcome};
use super::location;
use super::page;
use super::removal::Removal;
use super::tunnel::Tunnel;
use super::upload::{self, Stopped, Upload};
use crate::balance::endpoint::Change;
use crate::balance::{Endpoint, InFlight};
use crate::buffer::{Buffer, Scratch};
use crate::clock::{Clock, Moment, NEVER};
use crate::fault::Fault;
use crate::observe::events::Level;
use crate::upstream::pool::Upstream;
use crate::worker::Worker;

/// Delivers the response whose head stands in `scratch.response`.
pub async fn deliver(
    downstream: &mut Downstream,
    scratch: &mut Scratch,
    to: &Aim<'_>,
    mut upload: Box<Upload>,
    upstream: Upstream,
    in_flight: InFlight,
) -> Outcome {
    let worker = std::rc::Rc::clone(&downstream.worker);
    note_answer(&worker, to, &in_flight);
    if scratch.response.status == 101 {
        note_rest(scratch, &upload);
        // What of the request is still to be sent would be bytes of the new protocol.
        let whole = upload.body_done() && upload.finished(&scratch.to_upstream) && !upload.is_cut();
        return switch(downstream, scratch, to, whole, upstream, in_flight).await;
    }
    let framing = match framing::of_response(&scratch.response, scratch.request.head.method()) {
        Ok(framing) => framing,
        Err(refusal) => {
            note_rest(scratch, &upload);
            return Outcome::Failed(Fault::of_response(refusal));
        }
    };
    // A page may stand for a failure with a status that has no body.
    let hidden = matches!(scratch.record.page_status, Some(204 | 304));
    let framing = if hidden { Framing::None } else { framing };
    let upstream_keeps = !hidden
        && framing != Framing::UntilClose
        && peer_keeps(scratch)
        && !to.transport.http10
        && !(scratch.response.status == 204 && announces_a_body(&scratch.response));
    let is_stream = is_event_stream(scratch);
    let ahead = to.proxy.ahead.filter(|_| !(to.proxy.accel && refuses_buffering(&scratch.response)));
    let length = framing::content_length(&scratch.response).ok().flatten();
    answer::drop_connection_fields(&mut scratch.response, &to.proxy.hide);
    if !to.proxy.rewrite_location.is_empty() {
        location::rewrite(&mut to.place.exchange(downstream, scratch), &to.proxy.rewrite_location);
    }
    page::dress(&mut scratch.response, &scratch.record);
    if !scratch.record.carried.is_empty() {
        accel::put(&mut scratch.response, &scratch.record, false);
    }
    filter(downstream, scratch, to);
    let delivery = delivery(framing, scratch, length);
    let keeps = to.keeps
        && delivery != Delivery::UntilClose
        && upload.body_done()
        && !upload.is_cut()
        && !downstream.is_closing();
    // Interim responses may wait there, one of them half sent.
    let interim = scratch.to_client.len();
    downstream.begin(scratch, delivery, keeps);
    let transport = to.transport;
    let from = match framing {
        Framing::None => From::None,
        Framing::Length(length) => From::Length(length),
        Framing::Chunked => From::Chunked(Decoder::new(transport.chunk_line_bytes, &transport.limits)),
        Framing::UntilClose => From::UntilClose,
    };
    let mut download = Download::new(from, delivery, to.proxy.trailers, scratch.request.head.http2, ahead);
    scratch.trailers.clear();
    // Nothing may come for hours: its route may go meanwhile.
    let removal = is_stream.then(|| {
        let removal = Removal::new(&worker, downstream.client.listener.key, &to.route.id);
        (removal, Arc::clone(&in_flight))
    });
    let lent = Some((upstream, in_flight));
    let mut bodies = Bodies { upload: &mut upload, lent, upstream_keeps, download: &mut download, removal };
    let result = stream(downstream, scratch, to, &mut bodies).await;
    let lent = match result {
        Ok(()) => {
            bodies.let_go(&worker, to, &scratch.to_upstream, &scratch.upstream);
            None
        }
        Err(_) => bodies.lent,
    };
    note(scratch, &worker.clock, &download, &upload);
    let next = match result {
        Ok(()) => {
            if keeps {
                Next::Keep
            } else {
                Next::Linger
            }
        }
        Err(fault) if download.sent_bytes == 0 && fault.kind != FaultKind::ClientGone => {
            scratch.to_client.truncate(interim);
            note_rest(scratch, &upload);
            return Outcome::Failed(fault);
        }
        Err(fault) => {
            break_off(downstream, scratch, to, fault, delivery);
            Next::Close
        }
    };
    drop(lent);
    log(downstream, scratch, to);
    Outcome::Answered(next)
}

/// The endpoint has answered: it lives.
pub(super) fn note_answer(worker: &Worker, to: &Aim<'_>, endpoint: &Endpoint) {
    if endpoint.answered() == Change::Up {
        let fields = [("service", json!(to.service.name)), ("address", json!(endpoint.address_text()))];
        worker.shared.events.tell(Level::Info, "endpoint_up", &fields);
    }
}

/// How the body goes to the client; `length` is what Content-Length said.
fn delivery(framing: Framing, scratch: &Scratch, length: Option<u64>) -> Delivery {
    let modern = scratch.request.head.minor >= 1;
    match framing {
        Framing::None => {
            Delivery::None(length.filter(|_| scratch.response.status >= 200 && scratch.response.status != 204))
        }
        Framing::Length(length) => Delivery::Length(length),
        Framing::Chunked | Framing::UntilClose if modern => Delivery::Chunked,
        Framing::Chunked | Framing::UntilClose => Delivery::UntilClose,
    }
}

/// Writes down what has gone both ways.
fn note(scratch: &mut Scratch, clock: &Clock, download: &Download, upload: &Upload) {
    let record = &mut scratch.record;
    record.status = scratch.response.status;
    record.body_bytes = download.body_bytes;
    record.sent_bytes = download.sent_bytes;
    record.upstream_bytes = download.body_bytes;
    record.upstream_sent_bytes = upload.head.0 as u64 + upload.body_bytes;
    record.request_body_bytes = upload.body_bytes;
    record.response_nanos = clock.nanos_since(record.started).saturating_sub(record.connect_nanos);
}

/// What has begun cannot be answered otherwise: it is cut, in a way the client can tell.
fn break_off(downstream: &mut Downstream, scratch: &mut Scratch, to: &Aim<'_>, fault: Fault, delivery: Delivery) {
    scratch.to_client.clear();
    downstream.worker.shared.faults.count(fault.kind);
    downstream.cut(fault.kind, delivery == Delivery::UntilClose);
    if fault.kind == FaultKind::ClientGone {
        scratch.record.log_status = Some(to.route.faults.answer(fault.kind).log_status);
    }
    scratch.record.fault = Some(fault);
}

/// Both directions of an exchange whose response has begun.
struct Bodies<'a> {
    upload: &'a mut Upload,
    /// The endpoint's connection, until everything has gone and come over it.
    lent: Option<(Upstream, InFlight)>,
    /// The endpoint keeps it open.
    upstream_keeps: bool,
    download: &'a mut Download,
    /// Of an event stream, with its endpoint.
    removal: Option<(Removal, Arc<Endpoint>)>,
}

impl Bodies<'_> {
    /// The endpoint is free: its connection goes back to the pool when it can be used again.
    fn let_go(&mut self, worker: &Worker, to: &Aim<'_>, to_upstream: &[u8], received: &Buffer) {
        let Some((upstream, in_flight)) = self.lent.take() else { return };
        let reusable =
            self.upstream_keeps && self.upload.finished(to_upstream) && !self.upload.is_cut() && received.is_empty();
        if reusable {
            worker.pools.give_back(&in_flight, upstream, to.transport, &worker.clock);
        }
    }
}

/// Both bodies at once, until the response is out.
async fn stream(
    downstream: &mut Downstream,
    scratch: &mut Scratch,
    to: &Aim<'_>,
    bodies: &mut Bodies<'_>,
) -> Result<(), Fault> {
    let worker = std::rc::Rc::clone(&downstream.worker);
    let clock = &worker.clock;
    let transport = to.transport;
    let write_idle_ms = to.place.host.http.timeouts.write_idle_ms;
    let mut waiting = Waiting::new();
    std::future::poll_fn(|cx| {
        let Bodies { upload, lent, download, removal, .. } = &mut *bodies;
        let Scratch { client: buffer, upstream: received, to_upstream, to_client, trailers, .. } = &mut *scratch;
        if let (Some((upstream, _)), false) = (&mut *lent, upload.finished(to_upstream)) {
            let mut source = upload::Source { side: &mut downstream.side, buffer, trailers };
            if let Poll::Ready(Err(Stopped::Client(fault))) =
                upload.poll(cx, clock, &mut source, to_upstream, &mut upstream.io)
            {
                return Poll::Ready(Err(fault));
            }
        }
        let mut source = Source {
            io: lent.as_mut().map(|(upstream, _)| &mut upstream.io),
            buffer: received,
            trailers,
            pool: &worker.scratches,
            directory: &worker.shared.temporary,
        };
        if let Poll::Ready(result) = download.poll(cx, &mut source, to_client, &mut downstream.side) {
            return Poll::Ready(result);
        }
        // An endpoint that waits for the request's body is not silent while that moves.
        waiting.look(download, upload.body_bytes, clock, [write_idle_ms, transport.read_idle_ms]);
        let until = waiting.client.min(waiting.upstream);
        let mut removed = NEVER;
        let is_frames = matches!(downstream.side, Side::Http2(_));
        if is_frames || removal.is_some() {
            // Nothing may be written for hours: a reader that left is noticed by its end.
            if let Poll::Ready(fault) = downstream.poll_gone(cx, buffer, upload.body_done()) {
                return Poll::Ready(Err(fault));
            }
            if downstream.ended {
                return Poll::Ready(Err(Fault::new(FaultKind::ClientGone, "the client left the event stream")));
            }
        }
        if let Some((upstream, in_flight)) = lent {
            upstream.look_after(in_flight, upload.is_small(to_upstream));
        }
        if let Some((removal, endpoint)) = removal {
            removed = removal.deadline(&worker, endpoint);
        }
        let upload_until = if upload.finished(to_upstream) { NEVER } else { upload.deadline() };
        let life = to.place.listener.life.end(clock);
        if downstream.alarm.poll(cx, until.min(upload_until).min(removed).min(life)) {
            let now = clock.now();
            let waits_for_client = waiting.client <= now;
            let fault = if removed <= now {
                Fault::new(FaultKind::UpstreamClosed, "the route was removed")
            } else if life <= now {
                Fault::new(FaultKind::ResponseTimeout, "its configuration was replaced too long ago")
            } else if waits_for_client || (upload_until <= now && upload.is_client_late(now)) {
                Fault::new(FaultKind::ClientGone, "the client moved nothing in time")
            } else {
                Fault::new(FaultKind::ResponseTimeout, "the endpoint moved nothing in time")
            };
            return Poll::Ready(Err(fault));
        }
        if lent.is_some() && download.is_all_read() && upload.finished(to_upstream) {
            bodies.let_go(&worker, to, to_upstream, received);
        }
        Poll::Pending
    })
    .await
}

/// How long each side may go on moving nothing.
struct Waiting {
    client: Moment,
    upstream: Moment,
    /// Bytes sent to the client; bytes received from the endpoint, and of the request's body.
    before: (u64, (u64, u64)),
}

impl Waiting {
    fn new() -> Self {
        Self { client: NEVER, upstream: NEVER, before: (0, (0, 0)) }
    }

    /// Who is waited for has the whole time again when something moved, or when the wait begins.
    fn look(&mut self, download: &Download, uploaded: u64, clock: &Clock, [of_client, of_upstream]: [u64; 2]) {
        let now = (download.sent_bytes, (download.received, uploaded));
        let is_one = |moved: bool, until: Moment| moved || until == NEVER;
        if download.waits_for == Waits::Upstream {
            self.client = NEVER;
        } else if is_one(now.0 != self.before.0, self.client) {
            self.client = clock.after(of_client);
        }
        if download.waits_for == Waits::Client {
            self.upstream = NEVER;
        } else if is_one(now.1 != self.before.1, self.upstream) {
            self.upstream = clock.after(of_upstream);
        }
        self.before = now;
    }
}

/// The endpoint speaks another protocol from here on (RFC 9110 section 15.2.2), when the request is `whole`.
async fn switch(
    downstream: &mut Downstream,
    scratch: &mut Scratch,
    to: &Aim<'_>,
    whole: bool,
    upstream: Upstream,
    in_flight: InFlight,
) -> Outcome {
    if !whole {
        return Outcome::Failed(Fault::new(FaultKind::UpstreamInvalid, "101 before the request was over"));
    }
    let protocol = scratch.response.get_known(Known::Upgrade).map(<[u8]>::to_vec);
    let (true, Some(protocol)) = (scratch.request.upgrade && to.proxy.upgrade, protocol) else {
        let fault = Fault::new(FaultKind::UpstreamInvalid, "101 where nothing asked for it");
        return Outcome::Failed(fault);
    };
    answer::drop_connection_fields(&mut scratch.response, &to.proxy.hide);
    filter(downstream, scratch, to);
    let mut head = std::mem::take(&mut scratch.to_client);
    answer::write_status(&mut head, 101, b"");
    scratch.response.write_fields(&mut head, wire::field::HOP_BY_HOP);
    head.extend_from_slice(b"Connection: Upgrade\r\nUpgrade: ");
    head.extend_from_slice(&protocol);
    head.extend_from_slice(b"\r\n\r\n");
    let sent = answer::send(downstream, &head, &[], to.place.host.http.timeouts.write_idle_ms).await;
    let record = &mut scratch.record;
    record.status = 101;
    record.sent_bytes = head.len() as u64;
    record.response_nanos = downstream.worker.clock.nanos_since(record.started).saturating_sub(record.connect_nanos);
    // Logged when it begins: a tunnel may outlive the Snapshot its log belongs to.
    log(downstream, scratch, to);
    match sent {
        Ok(_) => {
            let removal = Removal::new(&downstream.worker, downstream.client.listener.key, &to.route.id);
            Outcome::Tunnel(Tunnel { upstream, in_flight, removal, idle_ms: to.transport.read_idle_ms })
        }
        Err(_) => Outcome::Answered(Next::Close),
    }
}

/// The route's filters see the response, the last first.
fn filter(downstream: &Downstream, scratch: &mut Scratch, to: &Aim<'_>) {
    if !to.route.filters.is_empty() {
        let mut exchange = to.place.exchange(downstream, scratch);
        to.route.filters.iter().rev().for_each(|f| f.on_response(&mut exchange));
    }
}

fn log(downstream: &Downstream, scratch: &mut Scratch, to: &Aim<'_>) {
    if !to.route.logs.is_empty() && !downstream.is_inner() {
        let exchange = to.place.exchange(downstream, scratch);
        to.route.logs.iter().for_each(|log| log.write(&exchange.scope()));
    }
}

/// Whether the endpoint keeps its connection open (RFC 9112 section 9.3).
fn peer_keeps(scratch: &Scratch) -> bool {
    let head = &scratch.response;
    match head.get_known(Known::Connection) {
        Some(_) => {
            let listed = head.joined(b"connection").unwrap_or_default();
            !lists_token(&listed, b"close") && (head.minor >= 1 || lists_token(&listed, b"keep-alive"))
        }
        None => head.minor >= 1,
    }
}

/// Whether a response that has no body says how one would be framed: someone may send it all the same.
fn announces_a_body(head: &Head) -> bool {
    head.seen.has(Known::TransferEncoding) || head.get_known(Known::ContentLength).is_some_and(|v| v != b"0")
}

/// The endpoint wants its response to be passed on at its own pace (nginx's `X-Accel-Buffering: no`).
fn refuses_buffering(head: &Head) -> bool {
    head.get_all(b"x-accel-buffering").any(|value| value.eq_ignore_ascii_case(b"no"))
}

fn is_event_stream(scratch: &Scratch) -> bool {
    scratch
        .response
        .get_known(Known::ContentType)
        .is_some_and(|v| v.len() >= 17 && v[..17].eq_ignore_ascii_case(b"text/event-stream"))
}
