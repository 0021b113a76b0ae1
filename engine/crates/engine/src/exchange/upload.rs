//! The request on its way upstream: its head, then its body as it comes from the client.
//!
//! Everything goes through one out-buffer. Until that has been emptied for the first time it still holds the
//! whole message so far, so the request can be sent to another endpoint ([`Upload::replay`]). A body that is whole
//! before it goes on is collected by [`hold`](super::hold).

use std::task::{Context, Poll, Waker};

use plan::fault::FaultKind;
use wire::chunk::{self, Decoder, Piece};
use wire::framing::Framing;
use wire::head::Head;
use wire::HeadLimits;

use super::downstream::Side;
use super::hold::Rest;
use crate::buffer::Buffer;
use crate::clock::{Clock, Moment, NEVER};
use crate::fault::Fault;
use crate::http2::stream::Stream;
use crate::io::Io;

pub(super) enum Body {
    Done,
    Length(u64),
    Chunked(Decoder),
    /// DATA frames of HTTP/2; upstream gets them chunked where their length is not known.
    Frames {
        left: Option<u64>,
        limits: HeadLimits,
    },
}

/// What of an HTTP/2 body is put together for one write.
const FRAMES_AT_ONCE: usize = 32 * 1024;

/// Body bytes that no peer's kernel keeps waiting: a connection's first window is larger.
const SMALL: u64 = 16 << 10;

/// Why an upload ends early.
pub enum Stopped {
    /// The client's fault, or it left.
    Client(Fault),
    /// The endpoint takes no more; it may still answer.
    Upstream,
}

pub struct Upload {
    pub(super) body: Body,
    pub(super) sent: usize,
    /// It is collected: no framing of ours stands between its bytes.
    pub(super) bare: bool,
    /// What of a whole body stands behind the out-buffer.
    pub(super) rest: Option<Rest>,
    /// What was sent has gone to the kernel.
    pub(super) flushed: bool,
    /// Something was sent that is no longer in the out-buffer.
    replayable: bool,
    /// How much of the out-buffer is the request's head, and what that says of the body.
    pub head: (usize, Framing),
    /// Body bytes taken from the client.
    pub body_bytes: u64,
    limit: u64,
    trailers: bool,
    // The minimum rate: a window that must see so many bytes.
    window_ms: u64,
    window_bytes: u64,
    seen: u64,
    window_end: Moment,
    write_idle_ms: u64,
    write_end: Moment,
    upstream_gone: bool,
}

/// The client's side of an upload.
pub struct Source<'a> {
    pub side: &'a mut Side,
    pub buffer: &'a mut Buffer,
    pub trailers: &'a mut Head,
}

pub struct Limits {
    pub body_bytes: u64,
    pub idle_ms: u64,
    pub min_rate: u64,
    pub write_idle_ms: u64,
    pub trailers: bool,
}

impl Upload {
    #[must_use]
    pub fn new(framing: Framing, decoder: impl FnOnce() -> Decoder, limits: &Limits) -> Self {
        let body = match framing {
            Framing::None | Framing::Length(0) | Framing::UntilClose => Body::Done,
            Framing::Length(length) => Body::Length(length),
            Framing::Chunked => Body::Chunked(decoder()),
        };
        Self::with(body, limits)
    }

    /// Of an HTTP/2 stream; `of_trailers` bounds them.
    #[must_use]
    pub fn of_frames(framing: Framing, of_trailers: HeadLimits, limits: &Limits) -> Self {
        let body = match framing {
            Framing::None | Framing::Length(0) | Framing::UntilClose => Body::Done,
            Framing::Length(length) => Body::Frames { left: Some(length), limits: of_trailers },
            Framing::Chunked => Body::Frames { left: None, limits: of_trailers },
        };
        Self::with(body, limits)
    }

    fn with(body: Body, limits: &Limits) -> Self {
        Self {
            body,
            sent: 0,
            bare: false,
            rest: None,
            flushed: true,
            replayable: true,
            head: (0, Framing::None),
            body_bytes: 0,
            limit: limits.body_bytes,
            trailers: limits.trailers,
            window_ms: limits.idle_ms,
            window_bytes: (limits.min_rate.saturating_mul(limits.idle_ms) / 1000).max(1),
            seen: 0,
            window_end: NEVER,
            write_idle_ms: limits.write_idle_ms,
            write_end: NEVER,
            upstream_gone: false,
        }
    }

    /// Whether all of it stands behind the head in the out-buffer, as it is.
    #[must_use]
    pub fn is_in_memory(&self) -> bool {
        self.body_done() && self.rest.is_none() && matches!(self.head.1, Framing::Length(_))
    }

    /// The whole body was taken from the client.
    #[must_use]
    pub fn body_done(&self) -> bool {
        matches!(self.body, Body::Done)
    }

    /// Everything was sent, or nothing more will be.
    #[must_use]
    pub fn finished(&self, out: &[u8]) -> bool {
        self.upstream_gone
            || (self.body_done()
                && self.sent == out.len()
                && self.flushed
                && self.rest.as_ref().is_none_or(Rest::is_sent))
    }

    /// Everything was sent and fits into any window: an endpoint's kernel acknowledges it whatever its application does.
    #[must_use]
    pub fn is_small(&self, out: &[u8]) -> bool {
        self.body_bytes <= SMALL && self.finished(out)
    }

    /// The endpoint took no more of it.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.upstream_gone
    }

    /// Nothing of this try has left.
    #[must_use]
    pub fn is_unsent(&self) -> bool {
        self.sent == 0 && self.replayable
    }

    /// Begins again on another connection; false when part of the message is gone.
    pub fn replay(&mut self) -> bool {
        if self.replayable {
            self.sent = 0;
            if let Some(rest) = &mut self.rest {
                rest.rewind();
            }
            self.flushed = true;
            self.upstream_gone = false;
            self.write_end = NEVER;
            // The client was not waited for meanwhile.
            self.window_end = NEVER;
        }
        self.replayable
    }

    #[must_use]
    pub fn can_replay(&self) -> bool {
        self.replayable
    }

    /// Puts what of the body has come already behind the head in `out`.
    ///
    /// # Errors
    /// A body that is malformed or over its limit.
    pub fn fill(&mut self, out: &mut Vec<u8>, buffer: &mut Buffer, trailers: &mut Head) -> Result<(), Fault> {
        match &mut self.body {
            Body::Done | Body::Frames { .. } => {}
            Body::Length(left) => {
                let n = usize::try_from(*left).unwrap_or(usize::MAX).min(buffer.len());
                out.extend_from_slice(&buffer.filled()[..n]);
                buffer.consume(n);
                *left -= n as u64;
                self.body_bytes += n as u64;
                if *left == 0 {
                    self.body = Body::Done;
                }
            }
            Body::Chunked(decoder) => loop {
                let step = decoder.next(buffer.filled(), trailers).map_err(Fault::of_request)?;
                buffer.consume(step.skip);
                match step.piece {
                    Piece::More => break,
                    Piece::Data(n) => {
                        self.body_bytes += n as u64;
                        if self.limit != 0 && self.body_bytes > self.limit {
                            return Err(Fault::new(FaultKind::BodyTooLarge, "the body is over its limit"));
                        }
                        let data = &buffer.filled()[..n];
                        if self.bare {
                            out.extend_from_slice(data);
                        } else {
                            chunk::write_chunk(out, data);
                        }
                        buffer.consume(n);
                    }
                    Piece::End => {
                        if !self.trailers {
                            trailers.clear();
                        }
                        if !self.bare {
                            chunk::write_end(out, trailers);
                        }
                        self.body = Body::Done;
                        break;
                    }
                }
            },
        }
        Ok(())
    }

    /// Puts the DATA that has come already behind the head in `out`.
    ///
    /// # Errors
    /// As [`Upload::fill`].
    pub fn fill_from_frames(
        &mut self,
        stream: &mut Stream,
        out: &mut Vec<u8>,
        trailers: &mut Head,
    ) -> Result<(), Fault> {
        let mut noop = Context::from_waker(Waker::noop());
        self.take_frames(&mut noop, stream, out, trailers).map(drop)
    }

    /// Takes the DATA that has come, in the place of what was sent; false when nothing has come.
    pub(super) fn take_frames(
        &mut self,
        cx: &mut Context<'_>,
        stream: &mut Stream,
        out: &mut Vec<u8>,
        trailers: &mut Head,
    ) -> Result<bool, Fault> {
        let mut taken = false;
        while matches!(self.body, Body::Frames { .. }) && !(taken && out.len() >= FRAMES_AT_ONCE) {
            let Poll::Ready(data) = stream.poll_data(cx) else { break };
            let data = data?;
            if !taken && self.sent > 0 {
                self.replayable = false;
                out.clear();
                self.sent = 0;
            }
            taken = true;
            if !self.put(data.as_deref(), out)? && !stream.body_ended() {
                continue;
            }
            if let Body::Frames { left: None, limits } = &self.body {
                stream.take_trailers(trailers, limits)?;
                if !self.trailers {
                    trailers.clear();
                }
                if !self.bare {
                    chunk::write_end(out, trailers);
                }
            }
            self.body = Body::Done;
        }
        Ok(taken)
    }

    /// Puts the data of a frame into `out`, none at the end of the body; true when nothing follows.
    fn put(&mut self, data: Option<&[u8]>, out: &mut Vec<u8>) -> Result<bool, Fault> {
        let Body::Frames { left, .. } = &mut self.body else { return Ok(true) };
        let Some(data) = data else {
            return match left {
                // The codec has compared the lengths (RFC 9113 section 8.1.1); this is the second look.
                Some(1..) => Err(Fault::new(FaultKind::BadRequest, "the body is shorter than its Content-Length")),
                _ => Ok(true),
            };
        };
        self.body_bytes += data.len() as u64;
        if self.limit != 0 && self.body_bytes > self.limit {
            return Err(Fault::new(FaultKind::BodyTooLarge, "the body is over its limit"));
        }
        let Some(left) = left else {
            if self.bare {
                out.extend_from_slice(data);
            } else {
                chunk::write_chunk(out, data);
            }
            return Ok(false);
        };
        *left = left
            .checked_sub(data.len() as u64)
            .ok_or_else(|| Fault::new(FaultKind::BadRequest, "the body is longer than its Content-Length"))?;
        out.extend_from_slice(data);
        Ok(*left == 0)
    }

    /// Moves on as far as both sides let it. Pending: look at [`Upload::deadline`] too.
    pub fn poll(
        &mut self,
        cx: &mut Context<'_>,
        clock: &Clock,
        source: &mut Source<'_>,
        out: &mut Vec<u8>,
        upstream: &mut Io,
    ) -> Poll<Result<(), Stopped>> {
        if self.upstream_gone {
            return Poll::Ready(Ok(()));
        }
        loop {
            while self.sent < out.len() {
                match upstream.poll_write(cx, &out[self.sent..], &[]) {
                    Poll::Ready(Ok(n)) if n > 0 => {
                        self.sent += n;
                        self.flushed = false;
                        self.write_end = clock.after(self.write_idle_ms);
                    }
                    Poll::Ready(_) => {
                        self.upstream_gone = true;
                        return Poll::Ready(Err(Stopped::Upstream));
                    }
                    Poll::Pending => return self.wait_for_upstream(clock),
                }
            }
            if let Some(rest) = &mut self.rest {
                let before = rest.at;
                let sent = rest.poll_send(cx, upstream);
                if rest.at != before {
                    self.flushed = false;
                    self.write_end = clock.after(self.write_idle_ms);
                }
                match sent {
                    Poll::Ready(Ok(())) => {}
                    Poll::Ready(Err(stopped)) => {
                        self.upstream_gone = true;
                        return Poll::Ready(Err(stopped));
                    }
                    Poll::Pending => return self.wait_for_upstream(clock),
                }
            }
            if !self.flushed {
                match upstream.poll_flush(cx) {
                    Poll::Ready(Ok(())) => self.flushed = true,
                    Poll::Ready(Err(_)) => {
                        self.upstream_gone = true;
                        return Poll::Ready(Err(Stopped::Upstream));
                    }
                    Poll::Pending => return self.wait_for_upstream(clock),
                }
            }
            self.write_end = NEVER;
            if self.body_done() {
                if let Side::Http2(stream) = &mut *source.side {
                    stream.release();
                }
                return Poll::Ready(Ok(()));
            }
            match self.poll_client(cx, clock, source, out, true) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(fault)) => return Poll::Ready(Err(Stopped::Client(fault))),
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// Takes what the client sends into `out`, in the place of what was sent when it `replaces` that.
    pub(super) fn poll_client(
        &mut self,
        cx: &mut Context<'_>,
        clock: &Clock,
        source: &mut Source<'_>,
        out: &mut Vec<u8>,
        replaces: bool,
    ) -> Poll<Result<(), Fault>> {
        let io = match &mut *source.side {
            Side::Http1(io) => io,
            Side::Http2(stream) => {
                stream.release();
                let before = self.body_bytes;
                if !self.take_frames(cx, stream, out, source.trailers)? {
                    return self.wait_for_client(clock);
                }
                self.note(self.body_bytes - before, clock);
                return Poll::Ready(Ok(()));
            }
            // Its body is whole before it begins.
            Side::Inner(_) => return Poll::Ready(Err(Fault::new(FaultKind::Internal, "nobody sends a body"))),
        };
        if source.buffer.is_empty() || matches!(self.body, Body::Chunked(_)) {
            match io.poll_read(cx, source.buffer) {
                Poll::Ready(Ok(0)) => {
                    let fault = Fault::new(FaultKind::ClientGone, "the client left in the middle of its body");
                    return Poll::Ready(Err(fault));
                }
                Poll::Ready(Ok(n)) => self.note(n as u64, clock),
                Poll::Ready(Err(error)) => {
                    return Poll::Ready(Err(Fault::new(FaultKind::ClientGone, error.to_string())))
                }
                Poll::Pending => return self.wait_for_client(clock),
            }
        }
        if replaces {
            self.replayable = false;
            out.clear();
            self.sent = 0;
        }
        Poll::Ready(self.fill(out, source.buffer, source.trailers))
    }

    /// The endpoint takes no more for now, and the client is not waited for.
    fn wait_for_upstream<T>(&mut self, clock: &Clock) -> Poll<T> {
        if self.write_end == NEVER {
            self.write_end = clock.after(self.write_idle_ms);
        }
        self.window_end = NEVER;
        Poll::Pending
    }

    /// The client sends no more for now.
    fn wait_for_client<T>(&mut self, clock: &Clock) -> Poll<T> {
        if self.window_end == NEVER {
            self.window_end = clock.after(self.window_ms);
            self.seen = 0;
        }
        Poll::Pending
    }

    /// Bytes came: a window that has seen enough gives way to the next.
    fn note(&mut self, n: u64, clock: &Clock) {
        self.seen += n;
        if self.seen >= self.window_bytes {
            self.seen = 0;
            self.window_end = clock.after(self.window_ms);
        }
    }

    /// When this is over, the client ([`Upload::is_client_late`]) or the endpoint was too slow.
    #[must_use]
    pub fn deadline(&self) -> Moment {
        self.window_end.min(self.write_end)
    }

    #[must_use]
    pub fn is_client_late(&self, now: Moment) -> bool {
        self.window_end <= now
    }
}
