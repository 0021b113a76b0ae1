//! Asks an endpoint and brings its response to the client.
//!
//! The request is written once, into a buffer that can be sent to one endpoint after another. What is sent
//! again and what is not is the Plan's ([`RetryRun`]); nothing is, once the client got a byte.

use std::sync::Arc;
use std::time::Instant;

use plan::fault::FaultKind;
use serde_json::json;
use wire::chunk::Decoder;
use wire::framing::Framing;

use super::accel;
use super::ask::{self, Failure};
use super::connection::Next;
use super::deliver;
use super::downstream::{Downstream, Side};
use super::hold::{self, Keep};
use super::page;
use super::record::nanos;
use super::request::Request;
use super::request_head::{write_request, Made};
use super::route::Place;
use super::tunnel::Tunnel;
use super::upload::{Limits, Upload};
use crate::balance::endpoint::Change;
use crate::balance::{Asking, Endpoint};
use crate::buffer::Scratch;
use crate::fault::Fault;
use crate::observe::events::Level;
use crate::snapshot::destination::Destination;
use crate::snapshot::route::{ProxyRun, RouteRun, TargetRun};
use crate::snapshot::service::{RetryRun, ServiceRun, TransportRun};
use crate::template::Text;
use crate::upstream::connect::{connect, Failed};
use crate::upstream::pool::Upstream;
use crate::worker::Worker;

/// What a proxied exchange is about.
pub struct Forwarding<'p> {
    pub place: Place<'p>,
    pub route: &'p RouteRun,
    pub proxy: &'p ProxyRun,
    /// The client's connection may live on.
    pub keeps: bool,
}

/// The same, with the service that was chosen for it.
pub struct Aim<'a> {
    of: &'a Forwarding<'a>,
    pub service: &'a ServiceRun,
    pub transport: &'a TransportRun,
    pub retry: &'a RetryRun,
}

impl<'a> std::ops::Deref for Aim<'a> {
    type Target = Forwarding<'a>;

    fn deref(&self) -> &Forwarding<'a> {
        self.of
    }
}

pub enum Outcome {
    /// A response went to the client, and was logged.
    Answered(Next),
    /// Nothing went to the client.
    Failed(Fault),
    /// Nothing went to the client; an error page stands for the response whose head stands in `scratch.response`.
    Intercepted,
    /// Nothing went to the client; the endpoint has handed the exchange over.
    HandedOver(Vec<u8>),
    /// The endpoint has switched protocols.
    Tunnel(Tunnel),
}

/// Forwards the request in `scratch`, which filters have seen.
pub async fn forward(downstream: &mut Downstream, scratch: &mut Scratch, of: &Forwarding<'_>) -> Outcome {
    let worker = std::rc::Rc::clone(&downstream.worker);
    let chosen;
    let service: &ServiceRun = match &of.proxy.service {
        Destination::Balanced(service) => service,
        other => {
            let mut render = |text: &Text| text.render(&of.place.exchange(downstream, scratch).scope());
            chosen = match other.choose(&mut render) {
                Ok(chosen) => chosen,
                Err(fault) => return Outcome::Failed(fault),
            };
            &chosen
        }
    };
    let transport = of.proxy.transport.as_deref().unwrap_or(&service.transport);
    let to = &Aim { of, service, transport, retry: of.proxy.retry.as_ref().unwrap_or(&service.retry) };
    if matches!(of.proxy.service, Destination::Named(_)) {
        // Templates see whom the request has named.
        scratch.record.endpoint = service.balancer.endpoints().pop();
    }
    let key = service.key.as_ref().map(|key| key.render(&to.place.exchange(downstream, scratch).scope()));
    let mut upload = match prepare(downstream, scratch, to).await {
        Ok(upload) => upload,
        Err(fault) => return Outcome::Failed(fault),
    };
    let began = worker.clock.now();
    if scratch.record.attempt_status > 0 {
        // Another service was asked before, and what it answered leads here.
        scratch.record.moves_on(" : ");
    }
    let mut tried: Vec<u64> = Vec::new();
    let mut last = None;
    loop {
        let key = key.as_deref().unwrap_or_default();
        let asking = Asking {
            client: scratch.request.client_ip(&downstream.client),
            key,
            random: worker.random(),
            tried: &tried,
        };
        let Some(in_flight) = service.balancer.pick(&asking) else {
            if tried.len() < service.balancer.seats() {
                if !tried.is_empty() {
                    scratch.record.moves_on(", ");
                }
                scratch.record.endpoint = None;
                scratch.record.nobody = Some(service.name.clone());
                scratch.record.attempt_status = 502;
            }
            let fault = last.unwrap_or_else(|| Fault::new(FaultKind::NoEndpoint, "no endpoint is available"));
            give_up(scratch, upload);
            return Outcome::Failed(fault);
        };
        if !tried.is_empty() {
            scratch.record.moves_on(", ");
        }
        scratch.record.endpoint = Some(Arc::clone(&in_flight));
        let failure = match try_endpoint(downstream, scratch, to, &mut upload, &in_flight).await {
            Ok(upstream) => {
                let status = scratch.response.status;
                scratch.record.attempt_status = status;
                let again = to.retry.statuses.contains(&status)
                    && may_retry(to.retry, &scratch.request)
                    && (to.retry.tries == 0 || tried.len() + 1 < to.retry.tries as usize)
                    && tried.len() + 1 < service.balancer.seats()
                    && upload.can_replay();
                if !again {
                    if to.proxy.intercept_errors && page::find(&to.route.filters, status, None).is_some() {
                        // Its body stays unread: the connection cannot be used again.
                        deliver::note_answer(&worker, to, &in_flight);
                        give_up(scratch, upload);
                        return Outcome::Intercepted;
                    }
                    if let Some(target) = to.proxy.accel.then(|| accel::target(&scratch.response)).flatten() {
                        // As above.
                        deliver::note_answer(&worker, to, &in_flight);
                        give_up(scratch, upload);
                        accel::carry(&scratch.response, &mut scratch.record);
                        return Outcome::HandedOver(target);
                    }
                    return deliver::deliver(downstream, scratch, to, upload, upstream, in_flight).await;
                }
                Failure::Status(status)
            }
            Err(failure) => failure,
        };
        let is_status = matches!(failure, Failure::Status(_));
        let (fault, unsent) = match failure {
            // Not the endpoint's fault: no one else is asked.
            Failure::Client(fault) => {
                note_rest(scratch, &upload);
                return Outcome::Failed(fault);
            }
            failure => failure.into_fault(&upload),
        };
        if !is_status {
            let late = matches!(fault.kind, FaultKind::ConnectTimeout | FaultKind::ResponseTimeout);
            scratch.record.attempt_status = if late { 504 } else { 502 };
        }
        note_failure(&worker, &service.name, &in_flight, &fault, service.balancer.seats() == 1);
        tried.push(in_flight.key);
        let policy = to.retry;
        let wanted = match fault.kind {
            FaultKind::ConnectFailed | FaultKind::ConnectTimeout => policy.unsent,
            FaultKind::ResponseTimeout => policy.timeout && may_retry(policy, &scratch.request),
            // Asked for already.
            _ if is_status => true,
            FaultKind::UpstreamInvalid => policy.invalid && may_retry(policy, &scratch.request),
            _ if unsent => policy.unsent,
            _ => policy.error && may_retry(policy, &scratch.request),
        };
        let in_time = policy.timeout_ms == 0 || worker.clock.now() - began < policy.timeout_ms;
        let more = policy.tries == 0 || tried.len() < policy.tries as usize;
        if !(wanted && in_time && more && upload.replay()) {
            give_up(scratch, upload);
            return Outcome::Failed(fault);
        }
        scratch.record.retries += 1;
        last = Some(fault);
    }
}

/// What of the request's body is still to be read from the client, for who answers instead.
pub(super) fn note_rest(scratch: &mut Scratch, upload: &Upload) {
    scratch.request.framing = if upload.body_done() { Framing::None } else { Framing::UntilClose };
}

/// The same, and a body of which nothing is lost is kept for an error page.
fn give_up(scratch: &mut Scratch, upload: Upload) {
    note_rest(scratch, &upload);
    if upload.can_replay() && upload.head.1 != Framing::None {
        scratch.kept = Some(upload);
    }
}

/// Whether a request that may have been executed may be sent again.
fn may_retry(policy: &RetryRun, request: &Request) -> bool {
    policy.non_idempotent || request.is_idempotent()
}

/// Asks one endpoint; a reused connection that turns out to be dead gives way to a new one.
async fn try_endpoint(
    downstream: &mut Downstream,
    scratch: &mut Scratch,
    to: &Aim<'_>,
    upload: &mut Upload,
    endpoint: &Arc<Endpoint>,
) -> Result<Upstream, Failure> {
    let worker = std::rc::Rc::clone(&downstream.worker);
    let transport = to.transport;
    let mut may_reuse = true;
    loop {
        let asked = Instant::now();
        let pooled = may_reuse
            .then(|| worker.pools.take(endpoint, transport, !scratch.request.is_safe(), &worker.clock))
            .flatten();
        let mut upstream = match pooled {
            Some(upstream) => upstream,
            None => {
                let made = connect(&worker, endpoint, transport, &downstream.alarm).await.map_err(Failure::Connect)?;
                scratch.record.connect_nanos = nanos(asked);
                made
            }
        };
        let reused = upstream.uses > 0;
        let result = ask::ask(downstream, scratch, to, upload, &mut upstream).await;
        match result {
            Ok(()) => {
                scratch.record.header_nanos = nanos(asked);
                endpoint.note_time(scratch.record.header_nanos);
                scratch.record.upstream_status = scratch.response.status;
                return Ok(upstream);
            }
            Err(Failure::Silent { how, heard: false }) if reused => {
                let bodyless = scratch.request.is_safe() && upload.body_bytes == 0 && upload.body_done();
                let again = upload.is_unsent() || (bodyless && to.retry.resend_on_stale);
                if !(again && upload.replay()) {
                    return Err(Failure::Silent { how, heard: false });
                }
                may_reuse = false;
            }
            Err(failure) => {
                if matches!(failure, Failure::Timeout) {
                    // At least so long: one that never answers must not look like the fastest.
                    endpoint.note_time(nanos(asked));
                }
                return Err(failure);
            }
        }
    }
}

impl Failure {
    /// The fault, and whether provably nothing was sent.
    fn into_fault(self, upload: &Upload) -> (Fault, bool) {
        let unsent = upload.is_unsent();
        match self {
            Self::Connect(Failed::Timeout) => (Fault::new(FaultKind::ConnectTimeout, "no connection in time"), true),
            Self::Connect(Failed::Error(error)) => (Fault::new(FaultKind::ConnectFailed, error.to_string()), true),
            Self::Silent { how, .. } => (Fault::new(FaultKind::UpstreamClosed, how), unsent),
            Self::Timeout => (Fault::new(FaultKind::ResponseTimeout, "no response head in time"), false),
            Self::Invalid(refusal) => (Fault::of_response(refusal), false),
            Self::Status(status) => (Fault::new(FaultKind::UpstreamInvalid, format!("answered {status}")), false),
            Self::Client(fault) => (fault, false),
        }
    }
}

fn note_failure(worker: &Worker, service: &str, endpoint: &Endpoint, fault: &Fault, alone: bool) {
    if endpoint.failed(alone) == Change::Down {
        worker.shared.events.tell(
            Level::Warning,
            "endpoint_down",
            &[("service", json!(service)), ("address", json!(endpoint.address_text())), ("cause", json!(fault.cause))],
        );
    }
}

/// Writes the request as it goes upstream, and what of its body has come; all of it where it is to be whole.
async fn prepare(downstream: &mut Downstream, scratch: &mut Scratch, to: &Aim<'_>) -> Result<Upload, Fault> {
    let http = &to.place.host.http;
    scratch.response.clear();
    let host = to.proxy.host.as_ref().map(|host| host.render(&to.place.exchange(downstream, scratch).scope()));
    let target = match &to.proxy.target {
        TargetRun::Template(target) => Some(target.render(&to.place.exchange(downstream, scratch).scope())),
        _ => None,
    };
    let Scratch { request, to_upstream: out, trailers, kept, .. } = scratch;
    let kept = kept.take().filter(|kept| to.proxy.pass_body && kept.head.0 <= out.len()).map(|upload| {
        let body = out.split_off(upload.head.0);
        (upload, body)
    });
    out.clear();
    trailers.clear();
    if host.as_ref().is_some_and(|host| !wire::request::valid_host(host)) {
        return Err(Fault::new(FaultKind::BadRequest, "what the template makes of the request is no Host"));
    }
    if http.forwarded.add.as_ref().is_some_and(|add| add.append_for) {
        wire::forwarded::append_for(&mut request.head, downstream.client.ip_text.as_bytes());
    }
    let decoded = http.path.decode;
    let made = Made { host: host.as_deref(), target: target.as_deref() };
    if let Some((mut upload, body)) = kept {
        // Another route's failed before.
        upload.replay();
        if upload.bare {
            request.head.remove(b"expect");
        }
        write_request(out, request, to, decoded, &made, upload.head.1)?;
        upload.head.0 = out.len();
        out.extend_from_slice(&body);
        request.framing = Framing::UntilClose;
        return Ok(upload);
    }
    let mut upload = upload(downstream, scratch, to.place, (to.transport.write_idle_ms, to.proxy.trailers));
    let Scratch { request, to_upstream: out, held, .. } = scratch;
    let framing = std::mem::replace(&mut request.framing, Framing::UntilClose);
    if framing == Framing::UntilClose && held.is_none() {
        // What is asked now has no body: nobody waits for one.
        request.head.remove(b"expect");
        request.expects_continue = false;
    }
    if let (Some(held), true) = (held, to.proxy.pass_body) {
        let framing = Framing::Length(held.length);
        write_request(out, request, to, decoded, &made, framing)?;
        upload.head = (out.len(), framing);
        held.put(out, &mut upload);
        return Ok(upload);
    }
    let held = to.proxy.hold.filter(|_| to.proxy.pass_body);
    if upload.body_done() || (held.is_none() && to.proxy.pass_body) {
        write_request(out, request, to, decoded, &made, framing)?;
        upload.head = (out.len(), framing);
        take_what_came(downstream, scratch, &mut upload)?;
        return Ok(upload);
    }
    // The engine itself has answered it.
    request.head.remove(b"expect");
    upload.bare = true;
    let memory = held.map_or(0, |memory| usize::try_from(memory).unwrap_or(usize::MAX));
    let chunked = to.proxy.pass_body && framing == Framing::Chunked;
    if !chunked {
        let framing = if to.proxy.pass_body { framing } else { Framing::None };
        write_request(out, request, to, decoded, &made, framing)?;
        upload.head = (out.len(), framing);
    }
    let keep = Keep { memory: out.len().saturating_add(memory), discard: !to.proxy.pass_body };
    take_what_came(downstream, scratch, &mut upload)?;
    if keep.discard || !upload.body_done() {
        Box::pin(hold::collect(downstream, scratch, to.place, &mut upload, keep)).await?;
    }
    if chunked {
        // Its length is known only now; the head goes before it.
        let body = std::mem::take(&mut scratch.to_upstream);
        let Scratch { request, to_upstream: out, .. } = scratch;
        out.reserve(request.head.bytes.len() + 256 + body.len());
        let framing = Framing::Length(upload.body_bytes);
        write_request(out, request, to, decoded, &made, framing)?;
        upload.head = (out.len(), framing);
        out.extend_from_slice(&body);
    }
    Ok(upload)
}

/// The request's body on its way; what it leaves in the buffer when it fails is no request.
pub(super) fn upload(
    downstream: &Downstream,
    scratch: &mut Scratch,
    place: Place<'_>,
    (write_idle_ms, trailers): (u64, bool),
) -> Upload {
    let http = &place.host.http;
    let limits = Limits {
        body_bytes: place.route.and_then(|route| route.body_bytes).unwrap_or(http.body_bytes),
        idle_ms: http.timeouts.body_idle_ms,
        min_rate: http.timeouts.body_min_rate,
        write_idle_ms,
        trailers,
    };
    let framing = scratch.request.framing;
    match &downstream.side {
        Side::Http1(_) | Side::Inner(_) => {
            Upload::new(framing, || Decoder::new(http.chunk_line_bytes, &http.limits), &limits)
        }
        Side::Http2(_) => Upload::of_frames(framing, http.limits, &limits),
    }
}

/// Puts what of the body has come already behind what stands in the out-buffer.
pub(super) fn take_what_came(
    downstream: &mut Downstream,
    scratch: &mut Scratch,
    upload: &mut Upload,
) -> Result<(), Fault> {
    let Scratch { client: buffer, to_upstream: out, trailers, .. } = scratch;
    match &mut downstream.side {
        Side::Http1(_) => upload.fill(out, buffer, trailers),
        Side::Http2(stream) => upload.fill_from_frames(stream, out, trailers),
        Side::Inner(_) => Ok(()),
    }
}
