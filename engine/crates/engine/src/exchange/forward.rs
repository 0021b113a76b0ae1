//! Asks an endpoint and brings its response to the client.
//!
//! The request is written once, into a buffer that can be sent to one endpoint after another. What is sent
//! again and what is not is the Plan's ([`RetryRun`]); nothing is, once the client got a byte.

use std::sync::Arc;

use plan::fault::FaultKind;
use serde_json::json;
use wire::framing::Framing;

use super::accel;
use super::ask::{self, Failure};
use super::connection::Next;
use super::deliver;
use super::downstream::Downstream;
use super::page;
use super::prepare;
use super::request::Request;
use super::route::Place;
use super::tunnel::Tunnel;
use super::upload::Upload;
use crate::balance::endpoint::Change;
use crate::balance::{Asking, Endpoint};
use crate::buffer::Scratch;
use crate::fault::Fault;
use crate::observe::events::Level;
use crate::snapshot::destination::Destination;
use crate::snapshot::route::{ProxyRun, RouteRun};
use crate::snapshot::service::{RetryRun, ServiceRun, TransportRun};
use crate::template::Text;
use crate::upstream::connect::connect;
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
    let mut upload = match prepare::prepare(downstream, scratch, to).await {
        Ok(upload) => upload,
        Err(fault) => return Outcome::Failed(fault),
    };
    if of.place.listener.routing.shows_body && upload.is_in_memory() {
        scratch.record.request_body = scratch.to_upstream[upload.head.0..].to_vec();
    }
    let began = worker.clock.now();
    if scratch.record.attempt_status > 0 {
        scratch.record.moves_on(" : "); // another service was asked before
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
            if tried.is_empty() || tried.len() < service.balancer.askable() {
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
                    && tried.len() + 1 < service.balancer.askable()
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
        // What is forbidden or not there says nothing of who answers so.
        if !is_status || scratch.record.attempt_status >= 429 {
            note_failure(&worker, &service.name, &in_flight, &fault, service.balancer.seats() == 1);
        }
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
fn give_up(scratch: &mut Scratch, upload: Box<Upload>) {
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
        let asked = worker.clock.turn();
        let pooled = may_reuse
            .then(|| worker.pools.take(endpoint, transport, !scratch.request.is_safe(), &worker.clock))
            .flatten();
        let mut upstream = match pooled {
            Some(upstream) => upstream,
            None => {
                let made = connect(&worker, endpoint, transport, &downstream.alarm).await.map_err(Failure::Connect)?;
                scratch.record.connect_nanos = worker.clock.nanos_since(asked);
                made
            }
        };
        scratch.record.peer = upstream.peer;
        let reused = upstream.uses > 0;
        let result = ask::ask(downstream, scratch, to, upload, (&mut upstream, endpoint)).await;
        match result {
            Ok(()) => {
                scratch.record.header_nanos = worker.clock.nanos_since(asked);
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
                    endpoint.note_time(worker.clock.nanos_since(asked));
                }
                return Err(failure);
            }
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
