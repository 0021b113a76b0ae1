//! The body of a response that is a file's, or parts of it: on its way from the disk to the client.
//!
//! Facts: sendfile(2) moves pages from the cache to a socket without a copy, and one call more than a small file is
//! worth; TLS and frames need the bytes themselves. Decisions: a small file is read behind its head and is one write;
//! otherwise a plain connection gets its head with MSG_MORE, so that it shares a packet with what follows, and the rest
//! by sendfile; everything else is read into the memory an exchange borrows for what comes from upstream. A thread moves
//! so much of one body and then looks after others.

use std::io;
use std::os::fd::OwnedFd;
use std::task::{ready, Context, Poll};

use plan::fault::FaultKind;

use crate::buffer::{Buffer, Scratch, ScratchPool};
use crate::exchange::downstream::{gone, Downstream, Side};
use crate::fault::Fault;

/// A file up to this goes in one write with its head.
const SMALL: u64 = 16 * 1024;
/// What is moved of one body before others have their turn.
const TURN: usize = 2 << 20;
/// How long nothing may move before the file is looked at: it may have become shorter, of which no event tells.
const LOOK_MS: u64 = 1000;

/// A stretch of the file, and what stands before it.
pub struct Part {
    pub text: Vec<u8>,
    pub at: u64,
    pub to: u64,
}

impl Part {
    #[must_use]
    pub fn of(at: u64, to: u64) -> Self {
        Self { text: Vec::new(), at, to }
    }

    fn left(&self) -> u64 {
        self.to - self.at
    }

    fn length(&self) -> u64 {
        self.text.len() as u64 + self.left()
    }
}

pub struct FileBody {
    file: OwnedFd,
    /// At least one.
    parts: Vec<Part>,
    length: u64,
    /// Bytes of the body that went out.
    pub sent: u64,
}

/// A body while it is sent.
struct Sending<'a> {
    file: &'a OwnedFd,
    parts: std::slice::IterMut<'a, Part>,
    part: Option<&'a mut Part>,
    /// Of the text that goes before the part: a head, or the part's own.
    sent: usize,
    /// Bytes of the response that went out.
    total: u64,
    /// Its pages cannot go without a copy.
    copies: bool,
}

impl FileBody {
    #[must_use]
    pub fn new(file: OwnedFd, parts: Vec<Part>) -> Self {
        let length = parts.iter().map(Part::length).sum();
        Self { file, parts, length, sent: 0 }
    }

    /// Of the body.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.length
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Sends `out`, which holds the head, and the body; gives the bytes sent.
    ///
    /// # Errors
    /// The client is gone or took nothing for `idle_ms`; or the file has become shorter than was said.
    pub async fn send(
        &mut self,
        downstream: &mut Downstream,
        scratch: &mut Scratch,
        out: &mut Vec<u8>,
        idle_ms: u64,
    ) -> Result<u64, Fault> {
        if downstream.is_inner() {
            // Nobody reads it.
            return Ok(0);
        }
        if self.length <= SMALL && self.parts.len() == 1 {
            return self.send_small(downstream, out, idle_ms).await;
        }
        let head = out.len() as u64;
        let Downstream { side, alarm, worker, .. } = downstream;
        let clock = &worker.clock;
        let buffer = &mut scratch.upstream;
        buffer.consume(buffer.len());
        if let Side::Http2(stream) = side {
            stream.send_head(false)?;
        }
        let mut parts = self.parts.iter_mut();
        let part = parts.next();
        if let Some(part) = &part {
            out.extend_from_slice(&part.text);
        }
        let mut sending = Sending { file: &self.file, parts, part, sent: 0, total: 0, copies: false };
        let (mut until, mut look) = (clock.after(idle_ms), clock.after(LOOK_MS));
        let result = std::future::poll_fn(|cx| {
            let before = sending.total;
            let mut result = sending.poll(cx, side, out, buffer, &worker.scratches);
            if sending.total != before {
                (until, look) = (clock.after(idle_ms), clock.after(LOOK_MS));
            } else if result.is_pending() && look <= clock.now() {
                look = clock.after(LOOK_MS);
                result = sending.look(cx, side, out.len());
            }
            match result {
                Poll::Pending if alarm.poll(cx, until.min(look)) && until <= clock.now() => {
                    Poll::Ready(Err(gone(&io::ErrorKind::TimedOut.into())))
                }
                result => result,
            }
        })
        .await;
        let total = sending.total;
        self.sent = total.saturating_sub(head);
        result?;
        Ok(match side {
            Side::Http1(_) | Side::Inner(_) => total,
            Side::Http2(stream) => total + stream.head_bytes as u64,
        })
    }

    /// Reads the whole of it behind its head.
    async fn send_small(&mut self, downstream: &mut Downstream, out: &mut Vec<u8>, idle_ms: u64) -> Result<u64, Fault> {
        let head = out.len();
        out.reserve(usize::try_from(self.length).unwrap_or(0));
        for part in &mut self.parts {
            out.extend_from_slice(&part.text);
            while part.left() > 0 {
                let room = out.len();
                out.resize(room + usize::try_from(part.left()).unwrap_or(0), 0);
                let read = pread(&self.file, &mut out[room..], part.at)?;
                out.truncate(room + read);
                part.at += read as u64;
            }
        }
        let (head, body) = match &downstream.side {
            Side::Http1(_) | Side::Inner(_) => (&out[..], &[][..]),
            Side::Http2(_) => out.split_at(head),
        };
        let sent = crate::exchange::answer::send(downstream, head, body, idle_ms).await?;
        self.sent = self.length;
        Ok(sent)
    }
}

impl Sending<'_> {
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        side: &mut Side,
        out: &mut Vec<u8>,
        buffer: &mut Buffer,
        pool: &ScratchPool,
    ) -> Poll<Result<(), Fault>> {
        let began = self.total;
        while let Some(part) = &mut self.part {
            let left = part.left();
            let text = &out[self.sent..];
            if text.is_empty() && left == 0 && buffer.is_empty() {
                self.part = self.parts.next();
                out.clear();
                self.sent = 0;
                if let Some(part) = &self.part {
                    out.extend_from_slice(&part.text);
                }
                continue;
            }
            if self.total - began >= TURN as u64 {
                // It comes again behind the others.
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            let is_last = self.parts.as_slice().is_empty();
            let n = match side {
                Side::Http1(io) if io.is_plain() && !self.copies => {
                    let sent = if text.is_empty() {
                        let most = usize::try_from(left).unwrap_or(usize::MAX).min(TURN);
                        ready!(io.poll_send_file(cx, self.file, &mut part.at, most))
                    } else {
                        ready!(io.poll_write_more(cx, text, left > 0 || !is_last))
                    };
                    match sent {
                        Ok(0) if text.is_empty() => return Poll::Ready(Err(shorter())),
                        Ok(n) if text.is_empty() => {
                            self.total += n as u64;
                            continue;
                        }
                        Ok(n) => n,
                        // A file system may not have it.
                        Err(error) if text.is_empty() && error.kind() == io::ErrorKind::InvalidInput => {
                            self.copies = true;
                            continue;
                        }
                        Err(error) => return Poll::Ready(Err(gone(&error))),
                    }
                }
                _ => {
                    if buffer.is_empty() && left > 0 {
                        let read = buffer.fill(pool, left, |room| pread(self.file, room, part.at))?;
                        part.at += read as u64;
                    }
                    let data = buffer.filled();
                    match side {
                        Side::Http1(io) => match ready!(io.poll_write(cx, text, data)) {
                            Ok(0) => return Poll::Ready(Err(gone(&io::ErrorKind::WriteZero.into()))),
                            Ok(n) => n,
                            Err(error) => return Poll::Ready(Err(gone(&error))),
                        },
                        Side::Http2(stream) => {
                            let one = if text.is_empty() { data } else { text };
                            let ends = is_last && part.left() == 0 && one.len() == text.len() + data.len();
                            ready!(stream.poll_send_data(cx, one, ends))?
                        }
                        Side::Inner(_) => text.len() + data.len(),
                    }
                }
            };
            self.total += n as u64;
            let of_text = n.min(text.len());
            self.sent += of_text;
            buffer.consume(n - of_text);
        }
        match side {
            Side::Http1(io) => io.poll_flush(cx).map_err(|error| gone(&error)),
            Side::Http2(_) | Side::Inner(_) => Poll::Ready(Ok(())),
        }
    }
}

impl Sending<'_> {
    /// Nothing has moved for a while: is there still something to send?
    fn look(&mut self, cx: &mut Context<'_>, side: &mut Side, text: usize) -> Poll<Result<(), Fault>> {
        let (Side::Http1(io), Some(part)) = (side, &mut self.part) else { return Poll::Pending };
        if !io.is_plain() || self.copies || self.sent < text || part.left() == 0 {
            return Poll::Pending;
        }
        let most = usize::try_from(part.left()).unwrap_or(usize::MAX).min(TURN);
        match io.try_send_file(self.file, &mut part.at, most) {
            Ok(0) => Poll::Ready(Err(shorter())),
            Ok(n) => {
                self.total += n as u64;
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            // The client is what is waited for.
            Err(_) => Poll::Pending,
        }
    }
}

/// Reads at an offset, something at least.
fn pread(file: &OwnedFd, room: &mut [u8], at: u64) -> Result<usize, Fault> {
    loop {
        match rustix::io::pread(file, &mut *room, at) {
            Ok(0) => return Err(shorter()),
            Ok(n) => return Ok(n),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(Fault::new(FaultKind::Internal, format!("the file cannot be read: {error}"))),
        }
    }
}

fn shorter() -> Fault {
    Fault::new(FaultKind::Internal, "the file has become shorter while it was sent")
}
