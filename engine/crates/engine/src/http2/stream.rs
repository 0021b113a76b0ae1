//! A client's HTTP/2 stream: what the exchange reads its body from and writes its response to.
//!
//! Back-pressure both ways: received data counts against the client's windows until it was passed on, and DATA is
//! made only for what the client's windows take. A head waits for the first that follows it, so that a response
//! without a body ends with its HEADERS (RFC 9113 section 8.1).

use std::rc::Rc;
use std::task::{ready, Context, Poll};

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream};
use http::{HeaderMap, Response};
use plan::fault::FaultKind;
use wire::head::Head;
use wire::HeadLimits;

use super::head;
use super::meter::Meter;
use crate::clock::Clock;
use crate::exchange::answer::Delivery;
use crate::fault::Fault;

/// A whole small answer is given to the connection without asking its windows: asking would cost more than the
/// room, which is bounded by this for each stream.
const SMALL: usize = 4096;

pub struct Stream {
    respond: SendResponse<Bytes>,
    /// None once its end has been seen.
    body: Option<RecvStream>,
    /// Since the head went out.
    send: Option<SendStream<Bytes>>,
    /// A head that waits for what follows, and about how long it is.
    head: Option<(Response<()>, usize)>,
    /// About how long what went out is without the body.
    pub head_bytes: usize,
    trailers: Option<HeaderMap>,
    /// Bytes of the body that were taken and still count against the client's windows.
    taken: usize,
    sent: bool,
    /// Its end went out, or a reset.
    over: bool,
    meter: Rc<Meter>,
}

impl Stream {
    #[must_use]
    pub fn new(respond: SendResponse<Bytes>, body: RecvStream, meter: Rc<Meter>) -> Self {
        let body = (!body.is_end_stream()).then_some(body);
        Self {
            respond,
            body,
            send: None,
            head: None,
            head_bytes: 0,
            trailers: None,
            taken: 0,
            sent: false,
            over: false,
            meter,
        }
    }

    // The request's body.

    /// The next DATA; none at the end.
    ///
    /// # Errors
    /// The client has left, or broken the rules for its body.
    pub fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Fault>> {
        let Some(body) = &mut self.body else { return Poll::Ready(Ok(None)) };
        match ready!(body.poll_data(cx)) {
            Some(Ok(data)) => {
                self.taken += data.len();
                Poll::Ready(Ok(Some(data)))
            }
            Some(Err(error)) => Poll::Ready(Err(gone(&error))),
            None => Poll::Ready(Ok(None)),
        }
    }

    /// Nothing follows what was taken, not even trailers.
    #[must_use]
    pub fn body_ended(&self) -> bool {
        self.body.as_ref().is_none_or(RecvStream::is_end_stream)
    }

    /// Puts the trailers, which stand behind the end of the DATA, into `trailers`; clears it when there are none.
    ///
    /// # Errors
    /// Trailers that are malformed or over their limits.
    pub fn take_trailers(&mut self, trailers: &mut Head, limits: &HeadLimits) -> Result<(), Fault> {
        trailers.clear();
        let Some(body) = &mut self.body else { return Ok(()) };
        let mut noop = Context::from_waker(std::task::Waker::noop());
        match body.poll_trailers(&mut noop) {
            Poll::Ready(Ok(Some(fields))) => {
                wire::stream::take_trailers(trailers, head::lines(&fields), limits).map_err(Fault::of_request)
            }
            Poll::Ready(Err(error)) => Err(gone(&error)),
            Poll::Ready(Ok(None)) | Poll::Pending => Ok(()),
        }
    }

    /// What was taken has been passed on: the client may send as much again.
    pub fn release(&mut self) {
        let taken = std::mem::take(&mut self.taken);
        if let (1.., Some(body)) = (taken, &mut self.body) {
            // No more than was received.
            let _ = body.flow_control().release_capacity(taken);
        }
    }

    /// Whether the client has given up the stream or left.
    pub fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<Fault> {
        let result = match &mut self.send {
            Some(send) => ready!(send.poll_reset(cx)),
            None => ready!(self.respond.poll_reset(cx)),
        };
        Poll::Ready(match result {
            Ok(reason) => Fault::new(FaultKind::ClientGone, format!("the client reset the stream: {reason}")),
            Err(error) => gone(&error),
        })
    }

    // The response.

    /// Sends an interim response.
    ///
    /// # Errors
    /// The client is gone.
    pub fn interim(&mut self, status: u16, head: Option<&Head>) -> Result<(), Fault> {
        let response = head::response(status, head, None, None);
        self.respond.send_informational(response).map_err(|error| gone(&error))
    }

    /// Takes a final head, which goes out with what follows; an earlier one that did not is forgotten.
    pub fn begin(&mut self, response: &Head, delivery: Delivery, clock: &Clock) {
        let length = match delivery {
            Delivery::None(length) => length,
            Delivery::Length(length) => Some(length),
            Delivery::Chunked | Delivery::UntilClose => None,
        };
        self.trailers = None;
        self.head = Some((head::response(response.status, Some(response), length, Some(clock)), response.bytes.len()));
    }

    /// Sends the head that waits; how many bytes that was, 0 when none did.
    ///
    /// # Errors
    /// The client is gone.
    pub fn send_head(&mut self, ends: bool) -> Result<usize, Fault> {
        let Some((head, bytes)) = self.head.take() else { return Ok(0) };
        self.send = Some(self.respond.send_response(head, ends).map_err(|error| gone(&error))?);
        self.over = ends;
        self.head_bytes += bytes;
        Ok(bytes)
    }

    /// Keeps what goes out behind the body.
    pub fn keep_trailers(&mut self, trailers: &Head) {
        if trailers.live().next().is_some() {
            self.trailers = Some(head::fields(trailers));
        }
    }

    /// Sends as much of `data` as the client takes now. `ends`: nothing but trailers follows it.
    ///
    /// # Errors
    /// The client is gone.
    pub fn poll_send_data(&mut self, cx: &mut Context<'_>, data: &[u8], ends: bool) -> Poll<Result<usize, Fault>> {
        let Some(send) = &mut self.send else { return Poll::Ready(Ok(0)) };
        let ends = ends && self.trailers.is_none();
        let small = ends && !self.sent && data.len() <= SMALL;
        let n = if small { data.len() } else { ready!(poll_room(cx, send, data.len()))? };
        self.sent = true;
        self.meter.sent(n);
        self.over = ends && n == data.len();
        let sent = send.send_data(Bytes::copy_from_slice(&data[..n]), self.over);
        Poll::Ready(sent.map(|()| n).map_err(|error| gone(&error)))
    }

    /// Ends the response, with its trailers where there are any; how many bytes of a head that took along.
    ///
    /// # Errors
    /// The client is gone.
    pub fn end(&mut self) -> Result<usize, Fault> {
        let trailers = self.trailers.take();
        let head = self.send_head(trailers.is_none())?;
        if let (false, Some(send)) = (self.over, &mut self.send) {
            self.over = true;
            let sent = match trailers {
                Some(trailers) => send.send_trailers(trailers),
                None => send.send_data(Bytes::new(), true),
            };
            sent.map_err(|error| gone(&error))?;
        }
        Ok(head)
    }

    /// Sends the head that waits and a whole body, of which `sent` bytes went out before.
    ///
    /// # Errors
    /// The client is gone.
    pub fn poll_send(&mut self, cx: &mut Context<'_>, body: &[u8], sent: &mut usize) -> Poll<Result<(), Fault>> {
        if body.is_empty() {
            self.end()?;
        } else {
            self.send_head(false)?;
        }
        while *sent < body.len() {
            *sent += ready!(self.poll_send_data(cx, &body[*sent..], true))?;
        }
        Poll::Ready(Ok(()))
    }

    /// It ended as it should.
    #[must_use]
    pub fn is_served(&self) -> bool {
        self.over && self.send.is_some()
    }

    /// Resets the stream, so that a response that was cut does not look whole.
    pub fn reset(&mut self, kind: FaultKind) {
        if !std::mem::replace(&mut self.over, true) {
            let reason = if kind == FaultKind::ClientGone { Reason::CANCEL } else { Reason::INTERNAL_ERROR };
            self.send = None;
            self.respond.send_reset(reason);
        }
    }
}

/// How much of `wanted` the windows take now.
fn poll_room(cx: &mut Context<'_>, send: &mut SendStream<Bytes>, wanted: usize) -> Poll<Result<usize, Fault>> {
    send.reserve_capacity(wanted);
    loop {
        let room = send.capacity();
        if room > 0 {
            return Poll::Ready(Ok(room.min(wanted)));
        }
        match ready!(send.poll_capacity(cx)) {
            Some(Ok(_)) => {}
            Some(Err(error)) => return Poll::Ready(Err(gone(&error))),
            None => return Poll::Ready(Err(Fault::new(FaultKind::ClientGone, "the stream was closed"))),
        }
    }
}

fn gone(error: &h2::Error) -> Fault {
    Fault::new(FaultKind::ClientGone, error.to_string())
}
