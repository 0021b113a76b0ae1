//! The response body on its way to the client, decoded from the upstream's framing and encoded in the client's:
//! HTTP/1's, or the frames of HTTP/2.
//! At most one receive buffer of it is in memory: the client's pace is the upstream's, unless the route reads
//! [`ahead`](super::ahead).

use std::path::Path;
use std::task::{ready, Context, Poll};

use plan::fault::FaultKind;
use wire::chunk::{self, Decoder, Piece};
use wire::head::Head;

use super::ahead::Ahead;
use super::answer::Delivery;
use super::downstream::Side;
use super::inner::Inner;
use crate::buffer::{Buffer, ScratchPool};
use crate::fault::Fault;
use crate::http2::stream::Stream;
use crate::io::Io;

/// A body up to this is copied behind its head.
const SMALL: usize = 4096;

/// Where the upstream's body ends.
pub enum From {
    None,
    Length(u64),
    Chunked(Decoder),
    UntilClose,
}

pub struct Download {
    pub from: From,
    pub(super) to: Delivery,
    pub(super) sent: usize,
    trailers: bool,
    /// The client has frames: what they carry needs no framing.
    frames: bool,
    /// The last byte has been put into the out-buffer, or behind it.
    pub(super) ended: bool,
    /// How far is read ahead of a slow client: bytes in memory, bytes in a file.
    limits: Option<(u64, u64)>,
    /// What was read ahead, while the client is behind.
    pub(super) ahead: Option<Box<Ahead>>,
    /// Body bytes given to the client, without framing.
    pub body_bytes: u64,
    /// All bytes given to the client.
    pub sent_bytes: u64,
    /// What the last pending poll waited for.
    pub waits_for: Waits,
    /// Framing bytes in the buffer that are not whole yet.
    stuck_at: usize,
    /// Bytes read from upstream here.
    pub received: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waits {
    Client,
    Upstream,
    /// The client is behind, and what it will get is read ahead.
    Both,
}

/// The upstream's side of a download.
pub struct Source<'a> {
    /// None once everything was read and the connection has gone back to its pool.
    pub io: Option<&'a mut Io>,
    pub buffer: &'a mut Buffer,
    pub trailers: &'a mut Head,
    pub pool: &'a ScratchPool,
    /// Where temporary files stand.
    pub directory: &'a Path,
}

impl Download {
    #[must_use]
    pub fn new(from: From, to: Delivery, trailers: bool, frames: bool, limits: Option<(u64, u64)>) -> Self {
        let ended = matches!(from, From::None | From::Length(0));
        Self {
            from,
            to,
            sent: 0,
            trailers,
            frames,
            ended,
            limits,
            ahead: None,
            body_bytes: 0,
            sent_bytes: 0,
            waits_for: Waits::Client,
            stuck_at: 0,
            received: 0,
        }
    }

    /// Moves on as far as both sides let it; `out` holds the head at first.
    ///
    /// # Errors
    /// The client left, or the upstream broke off: what was sent cannot be mended.
    pub fn poll(
        &mut self,
        cx: &mut Context<'_>,
        source: &mut Source<'_>,
        out: &mut Vec<u8>,
        client: &mut Side,
    ) -> Poll<Result<(), Fault>> {
        loop {
            if self.ahead.is_some() {
                ready!(self.poll_ahead(cx, source, out, client))?;
                if self.ended {
                    return Poll::Ready(Ok(()));
                }
                // The client has caught up.
                self.ahead = None;
            }
            // The first encoding joins the head: a small response is one write.
            if !self.ended
                && !source.buffer.is_empty()
                && !self.needs_more(source.buffer)
                && self.direct(source.buffer) == 0
            {
                self.encode(source, out)?;
            }
            let flushed = match client {
                Side::Http1(io) => self.poll_flush(cx, source.buffer, out, io),
                Side::Http2(stream) => self.poll_frames(cx, source, out, stream),
                Side::Inner(inner) => Poll::Ready(self.drop_all(source.buffer, out, inner)),
            };
            if let (Poll::Pending, Some((memory, file)), false) = (&flushed, self.limits, self.ended) {
                self.ahead = Some(Ahead::new(memory, file));
                continue;
            }
            ready!(flushed)?;
            if self.ended {
                return Poll::Ready(Ok(()));
            }
            self.waits_for = Waits::Upstream;
            ready!(self.poll_read(cx, source, out))?;
        }
    }

    /// Reads on; the end of a body that ends with its connection is written into `out`.
    pub(super) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        source: &mut Source<'_>,
        out: &mut Vec<u8>,
    ) -> Poll<Result<(), Fault>> {
        let Some(io) = &mut source.io else { return Poll::Ready(Err(broke_off("its connection is gone"))) };
        let n = match ready!(source.buffer.poll_from(cx, io, source.pool)) {
            Ok(n) => n,
            Err(error) => return Poll::Ready(Err(broke_off(&error.to_string()))),
        };
        self.received += n as u64;
        if n == 0 {
            if !matches!(self.from, From::UntilClose) {
                return Poll::Ready(Err(broke_off("closed in the middle of a body")));
            }
            self.ended = true;
            if self.is_chunked() {
                source.trailers.clear();
                chunk::write_end(out, source.trailers);
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Everything was read from upstream, though the client has not got it yet.
    #[must_use]
    pub fn is_all_read(&self) -> bool {
        self.ended
    }

    /// The body goes on in chunks.
    fn is_chunked(&self) -> bool {
        self.to == Delivery::Chunked && !self.frames
    }

    /// Sends what was decoded into `out`, or the bytes that need no decoding straight from the buffer, as DATA; the
    /// end of the stream stands on the last frame.
    fn poll_frames(
        &mut self,
        cx: &mut Context<'_>,
        source: &mut Source<'_>,
        out: &mut Vec<u8>,
        stream: &mut Stream,
    ) -> Poll<Result<(), Fault>> {
        self.waits_for = Waits::Client;
        if self.ended && matches!(self.from, From::Chunked(_)) {
            // Before the upload uses their place again.
            stream.keep_trailers(source.trailers);
            source.trailers.clear();
        }
        loop {
            let decoded = self.sent < out.len();
            let data = if decoded { &out[self.sent..] } else { &source.buffer.filled()[..self.direct(source.buffer)] };
            let ends = self.ended || matches!(self.from, From::Length(left) if left == data.len() as u64);
            if data.is_empty() {
                out.clear();
                self.sent = 0;
                let head = if ends { stream.end()? } else { stream.send_head(false)? };
                self.sent_bytes += head as u64;
                return Poll::Ready(Ok(()));
            }
            self.sent_bytes += stream.send_head(false)? as u64;
            let n = ready!(stream.poll_send_data(cx, data, ends))?;
            self.sent_bytes += n as u64;
            if decoded {
                self.sent += n;
            } else {
                self.took(source.buffer, n);
            }
        }
    }

    /// Nobody wants it.
    fn drop_all(&mut self, buffer: &mut Buffer, out: &mut Vec<u8>, inner: &mut Inner) -> Result<(), Fault> {
        let direct = self.direct(buffer);
        let n = out.len() + direct;
        self.sent_bytes += n as u64;
        out.clear();
        if direct > 0 {
            self.took(buffer, direct);
        }
        inner.drop_bytes(n)
    }

    /// Bytes that are in the buffer and can be used no further.
    pub(super) fn needs_more(&self, buffer: &Buffer) -> bool {
        matches!(self.from, From::Chunked(_)) && self.stuck_at == buffer.len() && !buffer.is_empty()
    }

    /// Writes `out`, and behind it the body bytes that need no framing of ours, straight from the buffer.
    fn poll_flush(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut Buffer,
        out: &mut Vec<u8>,
        client: &mut Io,
    ) -> Poll<Result<(), Fault>> {
        self.waits_for = Waits::Client;
        loop {
            let direct = self.direct(buffer);
            if self.sent == out.len() && direct == 0 {
                out.clear();
                self.sent = 0;
                return client.poll_flush(cx).map_err(|error| Fault::new(FaultKind::ClientGone, error.to_string()));
            }
            let head = &out[self.sent..];
            let written = if head.is_empty() {
                client.poll_write(cx, &buffer.filled()[..direct], &[])
            } else if direct > 0 && buffer.put_before(head) {
                // Where the endpoint's head stood; one part costs the kernel less than two.
                let written = client.poll_write(cx, &buffer.filled()[..head.len() + direct], &[]);
                buffer.consume(head.len());
                written
            } else if direct > 0 && direct <= SMALL {
                // Copying costs less than writing two parts.
                out.extend_from_slice(&buffer.filled()[..direct]);
                self.took(buffer, direct);
                continue;
            } else {
                client.poll_write(cx, head, &buffer.filled()[..direct])
            };
            match ready!(written) {
                Ok(n) if n > 0 => {
                    self.sent_bytes += n as u64;
                    let head = n.min(out.len() - self.sent);
                    self.sent += head;
                    self.took(buffer, n - head);
                }
                Ok(_) => return Poll::Ready(Err(Fault::new(FaultKind::ClientGone, "the client takes nothing"))),
                Err(error) => return Poll::Ready(Err(Fault::new(FaultKind::ClientGone, error.to_string()))),
            }
        }
    }

    /// Bytes at the front of the buffer that go to the client as they are.
    pub(super) fn direct(&self, buffer: &Buffer) -> usize {
        match (&self.from, self.to) {
            (From::Length(left), _) => usize::try_from(*left).unwrap_or(usize::MAX).min(buffer.len()),
            (From::UntilClose, Delivery::UntilClose) => buffer.len(),
            (From::UntilClose, _) if self.frames => buffer.len(),
            _ => 0,
        }
    }

    pub(super) fn took(&mut self, buffer: &mut Buffer, n: usize) {
        buffer.consume(n);
        self.body_bytes += n as u64;
        if let From::Length(left) = &mut self.from {
            *left -= n as u64;
            self.ended = *left == 0;
        }
    }

    /// Decodes what has come and puts it into `out`.
    pub(super) fn encode(&mut self, source: &mut Source<'_>, out: &mut Vec<u8>) -> Result<(), Fault> {
        let buffer = &mut *source.buffer;
        let chunked = self.is_chunked();
        match (&mut self.from, self.to) {
            (From::UntilClose, Delivery::Chunked) => {
                chunk::write_chunk(out, buffer.filled());
                self.body_bytes += buffer.len() as u64;
                buffer.consume(buffer.len());
            }
            (From::Chunked(decoder), _) => loop {
                let step = decoder.next(buffer.filled(), source.trailers).map_err(Fault::of_response)?;
                buffer.consume(step.skip);
                match step.piece {
                    Piece::More => {
                        self.stuck_at = buffer.len();
                        return Ok(());
                    }
                    Piece::Data(n) => {
                        let data = &buffer.filled()[..n];
                        if chunked {
                            chunk::write_chunk(out, data);
                        } else {
                            out.extend_from_slice(data);
                        }
                        self.body_bytes += n as u64;
                        buffer.consume(n);
                    }
                    Piece::End => {
                        if !self.trailers {
                            source.trailers.clear();
                        }
                        if chunked {
                            chunk::write_end(out, source.trailers);
                        }
                        self.ended = true;
                        return Ok(());
                    }
                }
            },
            _ => {}
        }
        Ok(())
    }
}

fn broke_off(how: &str) -> Fault {
    Fault::new(FaultKind::UpstreamClosed, format!("the response broke off: {how}"))
}
