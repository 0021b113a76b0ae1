//! Sends the request and waits for the response head; the body goes on being sent meanwhile.

use std::task::{Context, Poll};

use plan::fault::FaultKind;
use wire::head::Head;
use wire::{HeadLimits, Refusal};

use super::downstream::Downstream;
use super::forward::Aim;
use super::upload::{Source, Stopped, Upload};
use crate::balance::Endpoint;
use crate::buffer::{Buffer, Scratch};
use crate::clock::{Moment, NEVER};
use crate::fault::Fault;
use crate::upstream::connect::Failed;
use crate::upstream::pool::Upstream;

/// How long a client that expects 100 is left waiting when its endpoint says nothing (Go's and so Traefik's second).
const CONTINUE_MS: u64 = 1000;

/// Why there is no response head.
#[derive(Debug)]
pub enum Failure {
    Connect(Failed),
    /// Closed or reset before the head; `heard`: an interim response came first.
    Silent {
        how: String,
        heard: bool,
    },
    Timeout,
    Invalid(Refusal),
    /// The route asks another endpoint on this status.
    Status(u16),
    Client(Fault),
}

/// On success the final head stands in `scratch.response` and what follows it in `scratch.upstream`.
pub async fn ask(
    downstream: &mut Downstream,
    scratch: &mut Scratch,
    to: &Aim<'_>,
    upload: &mut Upload,
    (upstream, endpoint): (&mut Upstream, &Endpoint),
) -> Result<(), Failure> {
    let worker = std::rc::Rc::clone(&downstream.worker);
    let clock = &worker.clock;
    let transport = to.transport;
    scratch.upstream.consume(scratch.upstream.len());
    let mut heads = Heads {
        searched: 0,
        interim_bytes: 0,
        bytes: 0,
        expects: scratch.request.expects_continue && upload.body_bytes == 0,
        passes: scratch.request.head.minor >= 1,
        informational: to.proxy.informational,
    };
    let mut until = Until { head: NEVER, go_on: NEVER, life: NEVER };
    std::future::poll_fn(|cx| {
        let Scratch {
            client: buffer, upstream: received, to_upstream: out, to_client, response, trailers, record, ..
        } = &mut *scratch;
        loop {
            if !upload.finished(out) {
                let mut source = Source { side: &mut downstream.side, buffer, trailers };
                match upload.poll(cx, clock, &mut source, out, &mut upstream.io) {
                    Poll::Ready(Err(Stopped::Client(fault))) => return Poll::Ready(Err(Failure::Client(fault))),
                    // It may still have something to say.
                    Poll::Ready(_) | Poll::Pending => {}
                }
            }
            if let Err(fault) = downstream.flush(cx, to_client) {
                return Poll::Ready(Err(Failure::Client(fault)));
            }
            match received.poll_from(cx, &mut upstream.io, &worker.scratches) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(heads.silent("closed"))),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(heads.silent(&error.to_string()))),
                Poll::Ready(Ok(_)) => {}
                Poll::Pending => break,
            }
            match heads.take(received, response, &transport.limits, |head| downstream.interim(head, to_client)) {
                Ok(true) => {
                    record.upstream_head_bytes = heads.bytes as u64;
                    return Poll::Ready(Ok(()));
                }
                Ok(false) => {}
                Err(failure) => return Poll::Ready(Err(failure)),
            }
        }
        if let Poll::Ready(fault) = downstream.poll_gone(cx, buffer, upload.body_done()) {
            return Poll::Ready(Err(Failure::Client(fault)));
        }
        upstream.look_after(endpoint, upload.is_small(out));
        if upload.finished(out) && until.head == NEVER {
            until.head = clock.after(transport.response_head_ms);
        }
        if heads.expects && until.go_on == NEVER {
            until.go_on = clock.after(CONTINUE_MS);
        }
        heads.expects &= upload.body_bytes == 0;
        let upload_until = if upload.finished(out) { NEVER } else { upload.deadline() };
        until.life = to.place.listener.life.end(clock);
        until.poll(cx, downstream, to_client, &mut heads.expects, (upload, upload_until)).map(Err)
    })
    .await
}

/// The heads that come before a body: interim ones, then the final one (RFC 9110 section 15.2).
struct Heads {
    /// Bytes of a head that were seen without its end.
    searched: usize,
    interim_bytes: usize,
    /// Bytes of all heads.
    bytes: usize,
    /// The client waits for 100.
    expects: bool,
    /// The client knows interim responses, and the route passes those other than 100 on.
    passes: bool,
    informational: bool,
}

impl Heads {
    /// Takes what has come; true when the final head stands in `response`.
    fn take(
        &mut self,
        received: &mut Buffer,
        response: &mut Head,
        limits: &HeadLimits,
        mut pass: impl FnMut(&Head) -> Result<(), Fault>,
    ) -> Result<bool, Failure> {
        while !received.is_empty() {
            let parsed = wire::response::parse(response, received.filled(), self.searched, limits);
            let Some(len) = parsed.map_err(Failure::Invalid)? else {
                self.searched = received.len();
                return Ok(false);
            };
            received.consume(len);
            self.bytes += len;
            self.searched = 0;
            if response.status >= 200 || response.status == 101 {
                return Ok(true);
            }
            // All of them together are no larger than a head may be: the client may read none.
            self.interim_bytes += len;
            if self.interim_bytes > limits.head_bytes {
                return Err(Failure::Invalid(Refusal::HeadTooLarge));
            }
            let wanted = if response.status == 100 { std::mem::take(&mut self.expects) } else { self.informational };
            if wanted && self.passes {
                pass(response).map_err(Failure::Client)?;
            }
        }
        Ok(false)
    }

    fn silent(&self, how: &str) -> Failure {
        if self.searched == 0 {
            Failure::Silent { how: format!("{how} before a response"), heard: self.interim_bytes > 0 }
        } else {
            Failure::Invalid(Refusal::Malformed("the response head is incomplete"))
        }
    }
}

/// How long is waited.
struct Until {
    /// For the response head, once the request is out.
    head: Moment,
    /// For the endpoint's own 100.
    go_on: Moment,
    /// For the end of the Snapshot's life.
    life: Moment,
}

impl Until {
    /// Ready when somebody was too late.
    fn poll(
        &self,
        cx: &mut Context<'_>,
        downstream: &mut Downstream,
        to_client: &mut Vec<u8>,
        expects: &mut bool,
        (upload, upload_until): (&Upload, Moment),
    ) -> Poll<Failure> {
        loop {
            // A client that waits for 100 is not late.
            let (upload_until, go_on) = if *expects { (NEVER, self.go_on) } else { (upload_until, NEVER) };
            if !downstream.alarm.poll(cx, upload_until.min(self.head).min(go_on).min(self.life)) {
                return Poll::Pending;
            }
            let now = downstream.worker.clock.now();
            if go_on <= now {
                *expects = false;
                if let Err(fault) = downstream.go_on(to_client).and_then(|()| downstream.flush(cx, to_client)) {
                    return Poll::Ready(Failure::Client(fault));
                }
                continue;
            }
            if upload_until <= now && upload.is_client_late(now) {
                let fault = Fault::new(FaultKind::BodyTimeout, "the request body did not come in time");
                return Poll::Ready(Failure::Client(fault));
            }
            return Poll::Ready(Failure::Timeout);
        }
    }
}

impl Failure {
    /// The fault, and whether provably nothing was sent.
    pub(super) fn into_fault(self, upload: &Upload) -> (Fault, bool) {
        let unsent = upload.is_unsent();
        match self {
            Self::Connect(Failed::Timeout) => (Fault::new(FaultKind::ConnectTimeout, "no connection in time"), true),
            Self::Connect(Failed::Removed) => {
                (Fault::new(FaultKind::ConnectFailed, "the endpoint left before there was a connection"), true)
            }
            Self::Connect(Failed::Error(error)) => (Fault::new(FaultKind::ConnectFailed, error.to_string()), true),
            Self::Silent { how, .. } => (Fault::new(FaultKind::UpstreamClosed, how), unsent),
            Self::Timeout => (Fault::new(FaultKind::ResponseTimeout, "no response head in time"), false),
            Self::Invalid(refusal) => (Fault::of_response(refusal), false),
            Self::Status(status) => (Fault::new(FaultKind::UpstreamInvalid, format!("answered {status}")), false),
            Self::Client(fault) => (fault, false),
        }
    }
}
