//! Brings an endpoint's response to the client: filters, head, body; then the connection goes back to its pool.

use std::task::Poll;

use plan::fault::FaultKind;
use serde_json::json;
use wire::chunk::Decoder;
use wire::field::{lists_token, Known};
use wire::framing::{self, Framing};

use super::answer::{self, Delivery};
use super::connection::{Connection, Next};
use super::download::{Download, From, Source, Waits};
use super::forward::{Forwarding, Outcome};
use super::record::nanos;
use super::upload::{self, Stopped, Upload};
use crate::balance::endpoint::Change;
use crate::balance::InFlight;
use crate::buffer::Scratch;
use crate::clock::{Moment, NEVER};
use crate::fault::Fault;
use crate::observe::events::Level;
use crate::upstream::pool::Upstream;

/// Delivers the response whose head stands in `scratch.response`.
pub async fn deliver(
    connection: &mut Connection,
    scratch: &mut Scratch,
    to: &Forwarding<'_>,
    mut upload: Upload,
    mut upstream: Upstream,
    in_flight: InFlight,
) -> Outcome {
    let worker = std::rc::Rc::clone(&connection.worker);
    if in_flight.answered() == Change::Up {
        let fields = [("service", json!(to.proxy.service.name)), ("address", json!(in_flight.address_text()))];
        worker.shared.events.tell(Level::Info, "endpoint_up", &fields);
    }
    if scratch.response.status == 101 {
        return switch(connection, scratch, to, upstream, in_flight).await;
    }
    let framing = match framing::of_response(&scratch.response, scratch.request.head.method()) {
        Ok(framing) => framing,
        Err(refusal) => return Outcome::Failed(Fault::of_response(refusal)),
    };
    let upstream_keeps = framing != Framing::UntilClose && peer_keeps(scratch) && !to.proxy.transport.http10;
    let is_stream = is_event_stream(scratch);
    let length = framing::content_length(&scratch.response).ok().flatten();
    answer::drop_connection_fields(&mut scratch.response, &to.proxy.hide);
    filter(connection, scratch, to);
    let modern = scratch.request.head.minor >= 1;
    let delivery = match framing {
        Framing::None => {
            Delivery::None(length.filter(|_| scratch.response.status >= 200 && scratch.response.status != 204))
        }
        Framing::Length(length) => Delivery::Length(length),
        Framing::Chunked | Framing::UntilClose if modern => Delivery::Chunked,
        Framing::Chunked | Framing::UntilClose => Delivery::UntilClose,
    };
    let keeps = to.keeps
        && delivery != Delivery::UntilClose
        && upload.body_done()
        && !upload.is_cut()
        && !connection.is_closing();
    answer::write_head(
        &mut scratch.to_client,
        &scratch.response,
        delivery,
        keeps,
        scratch.request.head.minor,
        &worker.clock,
    );
    let transport = &*to.proxy.transport;
    let from = match framing {
        Framing::None => From::None,
        Framing::Length(length) => From::Length(length),
        Framing::Chunked => From::Chunked(Decoder::new(transport.chunk_line_bytes, &transport.limits)),
        Framing::UntilClose => From::UntilClose,
    };
    let mut download = Download::new(from, delivery, to.proxy.trailers);
    scratch.trailers.clear();
    let result = stream(connection, scratch, to, &mut upload, &mut upstream, &mut download, is_stream).await;
    let record = &mut scratch.record;
    record.status = scratch.response.status;
    record.body_bytes = download.body_bytes;
    record.sent_bytes = download.sent_bytes;
    record.upstream_bytes = download.body_bytes;
    record.request_body_bytes = upload.body_bytes;
    record.response_nanos = nanos(record.started).saturating_sub(record.connect_nanos);
    let next = match result {
        Ok(()) => {
            let reusable = upstream_keeps
                && upload.finished(&scratch.to_upstream)
                && !upload.is_cut()
                && scratch.upstream.is_empty();
            if reusable {
                worker.pools.give_back(&in_flight, upstream, &transport.pool, &worker.clock);
            }
            if keeps {
                Next::Keep
            } else {
                Next::Linger
            }
        }
        Err(fault) if download.sent_bytes == 0 && fault.kind != FaultKind::ClientGone => {
            scratch.to_client.clear();
            scratch.request.framing = if upload.body_done() { Framing::None } else { Framing::UntilClose };
            return Outcome::Failed(fault);
        }
        Err(fault) => {
            scratch.to_client.clear();
            worker.shared.faults.count(fault.kind);
            if delivery == Delivery::UntilClose {
                connection.io.reset_on_close();
            }
            if fault.kind == FaultKind::ClientGone {
                scratch.record.log_status = Some(to.route.faults.answer(fault.kind).log_status);
            }
            scratch.record.fault = Some(fault);
            Next::Close
        }
    };
    drop(in_flight);
    log(connection, scratch, to);
    Outcome::Answered(next)
}

/// Both bodies at once, until the response is out.
async fn stream(
    connection: &mut Connection,
    scratch: &mut Scratch,
    to: &Forwarding<'_>,
    upload: &mut Upload,
    upstream: &mut Upstream,
    download: &mut Download,
    is_stream: bool,
) -> Result<(), Fault> {
    let worker = std::rc::Rc::clone(&connection.worker);
    let clock = &worker.clock;
    let transport = &*to.proxy.transport;
    let write_idle_ms = to.place.host.http.timeouts.write_idle_ms;
    let mut until: Moment = NEVER;
    let mut before = (u64::MAX, u64::MAX, Waits::Client);
    let mut version = worker.shared.version();
    let mut removed: Moment = NEVER;
    std::future::poll_fn(|cx| {
        let Scratch { client: buffer, upstream: received, to_upstream, to_client, trailers, .. } = &mut *scratch;
        if !upload.finished(to_upstream) {
            let mut source = upload::Source { io: &mut connection.io, buffer, trailers };
            if let Poll::Ready(Err(Stopped::Client(fault))) =
                upload.poll(cx, clock, &mut source, to_upstream, &mut upstream.io)
            {
                return Poll::Ready(Err(fault));
            }
        }
        let mut source = Source { io: &mut upstream.io, buffer: received, trailers };
        if let Poll::Ready(result) = download.poll(cx, &mut source, to_client, &mut connection.io) {
            return Poll::Ready(result);
        }
        let state = (download.received, download.sent_bytes, download.waits_for);
        if state != before {
            before = state;
            until = match download.waits_for {
                Waits::Client => clock.after(write_idle_ms),
                Waits::Upstream => clock.after(transport.read_idle_ms),
            };
        }
        if is_stream {
            // Nothing may be written for hours: a reader that left is noticed by its end.
            if !connection.ended && buffer.is_empty() && upload.body_done() {
                if let Poll::Ready(Ok(0) | Err(_)) = connection.io.poll_read(cx, buffer) {
                    return Poll::Ready(Err(Fault::new(FaultKind::ClientGone, "the client left the event stream")));
                }
            }
            if worker.shared.version() != version {
                version = worker.shared.version();
                let snapshot = worker.shared.snapshot();
                let there =
                    snapshot.routes.contains(&to.route.id) && snapshot.listeners.contains_key(&connection.listener.key);
                removed = if there { NEVER } else { removed.min(clock.after(snapshot.removed_route_ms.max(1))) };
            }
        }
        let upload_until = if upload.finished(to_upstream) { NEVER } else { upload.deadline() };
        if connection.alarm.poll(cx, until.min(upload_until).min(removed)) {
            let late_client = download.waits_for == Waits::Client || upload_until <= clock.now();
            let kind = if late_client { FaultKind::ClientGone } else { FaultKind::ResponseTimeout };
            return Poll::Ready(Err(Fault::new(kind, "nothing moved in time")));
        }
        Poll::Pending
    })
    .await
}

/// The endpoint speaks another protocol from here on (RFC 9110 section 15.2.2).
async fn switch(
    connection: &mut Connection,
    scratch: &mut Scratch,
    to: &Forwarding<'_>,
    upstream: Upstream,
    in_flight: InFlight,
) -> Outcome {
    let protocol = scratch.response.get_known(Known::Upgrade).map(<[u8]>::to_vec);
    let (true, Some(protocol)) = (scratch.request.upgrade && to.proxy.upgrade, protocol) else {
        let fault = Fault::new(FaultKind::UpstreamInvalid, "101 where nothing asked for it");
        return Outcome::Failed(fault);
    };
    answer::drop_connection_fields(&mut scratch.response, &to.proxy.hide);
    filter(connection, scratch, to);
    let mut head = std::mem::take(&mut scratch.to_client);
    answer::write_status(&mut head, 101, b"");
    scratch.response.write_fields(&mut head, wire::field::HOP_BY_HOP);
    head.extend_from_slice(b"Connection: Upgrade\r\nUpgrade: ");
    head.extend_from_slice(&protocol);
    head.extend_from_slice(b"\r\n\r\n");
    let sent = answer::send(connection, &head, &[], to.place.host.http.timeouts.write_idle_ms).await;
    let record = &mut scratch.record;
    record.status = 101;
    record.sent_bytes = head.len() as u64;
    record.response_nanos = nanos(record.started).saturating_sub(record.connect_nanos);
    // Logged when it begins: a tunnel may outlive the Snapshot its log belongs to.
    log(connection, scratch, to);
    match sent {
        Ok(()) => Outcome::Tunnel(upstream, in_flight, to.proxy.transport.read_idle_ms),
        Err(_) => Outcome::Answered(Next::Close),
    }
}

/// The route's filters see the response, the last first.
fn filter(connection: &Connection, scratch: &mut Scratch, to: &Forwarding<'_>) {
    if !to.route.filters.is_empty() {
        let mut exchange = to.place.exchange(connection, scratch);
        to.route.filters.iter().rev().for_each(|f| f.on_response(&mut exchange));
    }
}

fn log(connection: &Connection, scratch: &mut Scratch, to: &Forwarding<'_>) {
    if !to.route.logs.is_empty() {
        let exchange = to.place.exchange(connection, scratch);
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

fn is_event_stream(scratch: &Scratch) -> bool {
    scratch
        .response
        .get_known(Known::ContentType)
        .is_some_and(|v| v.len() >= 17 && v[..17].eq_ignore_ascii_case(b"text/event-stream"))
}
