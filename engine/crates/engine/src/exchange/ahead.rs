//! A response read ahead of a client that takes it slowly (nginx's response buffering): so many bytes in memory, so
//! many in a file, then the upstream waits. Its endpoint is free as soon as everything was read.
//!
//! It begins when the client does not take what there is, and ends when it has caught up: a client that is fast
//! enough gets every byte straight from the receive buffer.

use std::io;
use std::task::{ready, Context, Poll};

use plan::fault::FaultKind;

use super::download::{Download, From, Source, Waits};
use super::downstream::{gone, Side};
use crate::fault::Fault;
use crate::http2::stream::Stream;
use crate::io::Io;
use crate::spill::Queue;

/// What was read ahead.
pub struct Ahead {
    queue: Queue,
    /// Where a part is encoded before it goes into the queue.
    encoded: Vec<u8>,
    /// The upstream broke off; what came before goes to the client first.
    fault: Option<Fault>,
}

impl Ahead {
    #[must_use]
    pub fn new(memory: u64, file: u64) -> Box<Self> {
        Box::new(Self { queue: Queue::new(memory, file), encoded: Vec::new(), fault: None })
    }
}

impl Download {
    /// Moves on while the client is behind; ready when it has caught up.
    ///
    /// # Errors
    /// The client left, or it has got what came before the upstream broke off.
    pub(super) fn poll_ahead(
        &mut self,
        cx: &mut Context<'_>,
        source: &mut Source<'_>,
        out: &mut Vec<u8>,
        client: &mut Side,
    ) -> Poll<Result<(), Fault>> {
        let Some(mut ahead) = self.ahead.take() else { return Poll::Ready(Ok(())) };
        let result = self.move_on(cx, &mut ahead, source, out, client);
        self.ahead = Some(ahead);
        result
    }

    fn move_on(
        &mut self,
        cx: &mut Context<'_>,
        ahead: &mut Ahead,
        source: &mut Source<'_>,
        out: &mut Vec<u8>,
        client: &mut Side,
    ) -> Poll<Result<(), Fault>> {
        loop {
            if ahead.fault.is_none() {
                self.put_behind(ahead, source)?;
            }
            let sent = match client {
                Side::Http1(io) => self.poll_send_behind(cx, ahead, source, out, io),
                Side::Http2(stream) => self.poll_frames_behind(cx, ahead, source, out, stream),
                // Nobody is never behind.
                Side::Inner(_) => Poll::Ready(Ok(())),
            };
            if let Poll::Ready(result) = sent {
                return Poll::Ready(match ahead.fault.take() {
                    Some(fault) => result.and(Err(fault)),
                    None => result,
                });
            }
            if self.ended || ahead.fault.is_some() || ahead.queue.is_full() {
                self.waits_for = Waits::Client;
                return Poll::Pending;
            }
            self.waits_for = Waits::Both;
            let read = ready!(self.poll_read(cx, source, &mut ahead.encoded));
            ahead.fault = read.err();
        }
    }

    /// Puts what has come behind what waits for the client.
    fn put_behind(&mut self, ahead: &mut Ahead, source: &mut Source<'_>) -> Result<(), Fault> {
        loop {
            if !ahead.encoded.is_empty() {
                ahead.queue.push(&ahead.encoded, source.pool, source.directory).map_err(|e| internal(&e))?;
                ahead.encoded.clear();
            }
            let direct = self.direct(source.buffer);
            if direct > 0 {
                let bytes = &source.buffer.filled()[..direct];
                ahead.queue.push(bytes, source.pool, source.directory).map_err(|e| internal(&e))?;
                self.took(source.buffer, direct);
            } else if self.ended || source.buffer.is_empty() || self.needs_more(source.buffer) {
                return Ok(());
            } else {
                self.encode(source, &mut ahead.encoded)?;
            }
        }
    }

    /// Writes what the client takes; ready when nothing waits any more.
    fn poll_send_behind(
        &mut self,
        cx: &mut Context<'_>,
        ahead: &mut Ahead,
        source: &mut Source<'_>,
        out: &mut Vec<u8>,
        client: &mut Io,
    ) -> Poll<Result<(), Fault>> {
        loop {
            let front = ahead.queue.front(source.pool).map_err(|e| internal(&e))?;
            let first = &out[self.sent..];
            if first.is_empty() && front.is_empty() {
                out.clear();
                self.sent = 0;
                return client.poll_flush(cx).map_err(|error| gone(&error));
            }
            let written =
                if first.is_empty() { client.poll_write(cx, front, &[]) } else { client.poll_write(cx, first, front) };
            let n = match ready!(written) {
                Ok(0) => return Poll::Ready(Err(gone(&io::ErrorKind::WriteZero.into()))),
                Ok(n) => n,
                Err(error) => return Poll::Ready(Err(gone(&error))),
            };
            self.sent_bytes += n as u64;
            let of_first = n.min(first.len());
            self.sent += of_first;
            ahead.queue.consume(n - of_first, source.pool);
        }
    }

    /// The same as DATA.
    fn poll_frames_behind(
        &mut self,
        cx: &mut Context<'_>,
        ahead: &mut Ahead,
        source: &mut Source<'_>,
        out: &mut Vec<u8>,
        stream: &mut Stream,
    ) -> Poll<Result<(), Fault>> {
        if self.ended && matches!(self.from, From::Chunked(_)) {
            // Before the upload uses their place again.
            stream.keep_trailers(source.trailers);
            source.trailers.clear();
        }
        self.sent_bytes += stream.send_head(false)? as u64;
        while self.sent < out.len() {
            let ends = self.ended && ahead.queue.is_empty();
            let n = ready!(stream.poll_send_data(cx, &out[self.sent..], ends))?;
            self.sent += n;
            self.sent_bytes += n as u64;
        }
        out.clear();
        self.sent = 0;
        loop {
            let front = ahead.queue.front(source.pool).map_err(|e| internal(&e))?;
            if front.is_empty() {
                return Poll::Ready(if self.ended { stream.end().map(drop) } else { Ok(()) });
            }
            let n = ready!(stream.poll_send_data(cx, front, false))?;
            self.sent_bytes += n as u64;
            ahead.queue.consume(n, source.pool);
        }
    }
}

/// What was kept for the client cannot be kept or read.
fn internal(error: &io::Error) -> Fault {
    Fault::new(FaultKind::Internal, error.to_string())
}
