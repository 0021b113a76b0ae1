//! Receive buffers, and the scratch memory an exchange borrows from its thread.
//!
//! An idle connection holds none of it (DESIGN.md, section 2): it waits until it is readable, then borrows.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll};

use wire::head::Head;

use crate::io::Io;

/// What a client's socket is read into.
pub const CLIENT_BUFFER: usize = 16 * 1024;
/// What an upstream's socket is read into: a head and 16 KB of body in one read.
pub const UPSTREAM_BUFFER: usize = 32 * 1024;
/// Scratches a thread keeps; more are freed.
const KEPT: usize = 64;
/// The same of streams, which come by the hundred and hold little.
const KEPT_FOR_STREAMS: usize = 512;

/// Room of an out-buffer that is kept: an upstream buffer's content with its framing.
const OUT_KEPT: usize = 64 * 1024;
/// Room of a head that is kept: a browser's with its cookies.
const HEAD_KEPT: usize = 16 * 1024;

/// Room of each part of a stream's that is kept.
const STREAM_KEPT: usize = 4096;

/// Gives back the room above `bytes` of a head that is empty.
pub fn shrink(head: &mut Head, bytes: usize) {
    if head.bytes.capacity() > bytes || head.fields.capacity() > bytes / 64 {
        head.bytes.shrink_to(bytes);
        head.fields.shrink_to(bytes / 64);
    }
}

/// Bytes received and not yet used.
pub struct Buffer {
    data: Vec<u8>,
    start: usize,
    end: usize,
    /// Has memory only while there is something in it: [`Buffer::poll_from`].
    borrows: bool,
}

impl Buffer {
    #[must_use]
    pub fn new(size: usize) -> Self {
        Self { data: vec![0; size], start: 0, end: 0, borrows: false }
    }

    /// Without memory of its own.
    #[must_use]
    pub fn borrowing() -> Self {
        Self { data: Vec::new(), start: 0, end: 0, borrows: true }
    }

    /// Reads from a connection as [`Io::poll_read`] does. One that borrows has no memory while it waits with nothing in
    /// it, so that a thread's reads go to the memory that was read into last, which is in the cache.
    #[inline]
    pub fn poll_from(&mut self, cx: &mut Context<'_>, io: &mut Io, pool: &ScratchPool) -> Poll<io::Result<usize>> {
        if !self.borrows {
            return io.poll_read(cx, self);
        }
        if self.data.is_empty() {
            self.data = pool.lend();
        }
        let read = io.poll_read(cx, self);
        if read.is_pending() && self.is_empty() {
            pool.take_back(std::mem::take(&mut self.data));
        }
        read
    }

    #[must_use]
    #[inline]
    pub fn filled(&self) -> &[u8] {
        &self.data[self.start..self.end]
    }

    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.start == self.end
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.end - self.start
    }

    #[inline]
    pub fn consume(&mut self, n: usize) {
        self.start = (self.start + n).min(self.end);
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
        }
    }

    /// Puts bytes in front of what is there, where others were consumed; false when there were fewer.
    #[inline]
    pub fn put_before(&mut self, bytes: &[u8]) -> bool {
        let Some(start) = self.start.checked_sub(bytes.len()) else { return false };
        self.data[start..self.start].copy_from_slice(bytes);
        self.start = start;
        true
    }

    /// Room to read into: moves what is there to the front when the end is reached.
    pub fn room(&mut self) -> &mut [u8] {
        if self.end == self.data.len() && self.start > 0 {
            self.data.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        &mut self.data[self.end..]
    }

    /// Doubles the room, at most to `limit`; false when it has that already.
    pub fn grow(&mut self, limit: usize) -> bool {
        if self.data.len() >= limit {
            return false;
        }
        let size = (self.data.len() * 2).min(limit);
        self.data.resize(size, 0);
        true
    }

    #[inline]
    pub fn filled_more(&mut self, n: usize) {
        self.end += n;
    }

    /// Fills an empty one with at most so many bytes of what `read` finds; how many that are.
    ///
    /// # Errors
    /// Those of `read`.
    pub fn fill<E>(
        &mut self,
        pool: &ScratchPool,
        most: u64,
        read: impl FnOnce(&mut [u8]) -> Result<usize, E>,
    ) -> Result<usize, E> {
        if self.borrows && self.data.is_empty() {
            self.data = pool.lend();
        }
        let room = self.room();
        let most = usize::try_from(most).unwrap_or(usize::MAX).min(room.len());
        let n = read(&mut room[..most])?;
        self.filled_more(n);
        Ok(n)
    }

    fn reset(&mut self, size: usize) {
        self.start = 0;
        self.end = 0;
        if self.data.len() > size {
            self.data = vec![0; size];
        }
    }
}

/// What one burst of exchanges on a connection works with, or the exchange of one stream.
pub struct Scratch {
    kind: Kind,
    /// From the client.
    pub client: Buffer,
    /// From upstream.
    pub upstream: Buffer,
    /// To the client.
    pub to_client: Vec<u8>,
    /// To upstream.
    pub to_upstream: Vec<u8>,
    pub request: crate::exchange::request::Request,
    /// The upstream's response head, or the engine's own.
    pub response: Head,
    pub trailers: Head,
    /// The body of a request that has failed, for the error page that is asked instead.
    pub kept: Option<Box<crate::exchange::upload::Upload>>,
    pub captures: RefCell<route::Captures>,
    pub looked_up: crate::lookup::Kept,
    pub record: crate::exchange::record::Record,
    /// The request's body, where several exchanges need it.
    pub held: Option<Rc<crate::exchange::hold::Held>>,
}

/// Whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Connection,
    /// Of a stream: hundreds of them wait at once on a thread, so it holds little; what is read from upstream goes
    /// to memory that is borrowed meanwhile, and is warm.
    Stream,
}

impl Scratch {
    fn new(kind: Kind) -> Self {
        let (client, out) = match kind {
            Kind::Connection => (Buffer::new(CLIENT_BUFFER), 4096),
            Kind::Stream => (Buffer::borrowing(), 0),
        };
        Self {
            kind,
            client,
            upstream: Buffer::borrowing(),
            to_client: Vec::with_capacity(out),
            to_upstream: Vec::with_capacity(out),
            request: crate::exchange::request::Request::default(),
            response: Head::default(),
            trailers: Head::default(),
            kept: None,
            captures: RefCell::default(),
            looked_up: crate::lookup::Kept::default(),
            record: crate::exchange::record::Record::new(std::time::Instant::now(), (0, 0), 0, 0),
            held: None,
        }
    }

    fn reset(&mut self) {
        self.client.reset(CLIENT_BUFFER);
        self.upstream.reset(UPSTREAM_BUFFER);
        let (head_kept, out_kept) = match self.kind {
            Kind::Connection => (HEAD_KEPT, OUT_KEPT),
            Kind::Stream => (STREAM_KEPT, STREAM_KEPT),
        };
        // Nothing of one client stays for the next, and no large head's room.
        self.request.trim(head_kept);
        for head in [&mut self.response, &mut self.trailers] {
            head.clear();
            shrink(head, head_kept);
        }
        self.record.endpoint = None;
        self.record.fault = None;
        self.held = None;
        self.kept = None;
        self.captures.get_mut().clear();
        self.looked_up.clear();
        for out in [&mut self.to_client, &mut self.to_upstream] {
            out.clear();
            out.shrink_to(out_kept);
        }
    }
}

/// A thread's scratches, and the memory that those of streams borrow.
#[derive(Default)]
#[allow(clippy::vec_box)] // Handed out as boxes: no copy of a large value.
pub struct ScratchPool {
    connections: RefCell<Vec<Box<Scratch>>>,
    streams: RefCell<Vec<Box<Scratch>>>,
    buffers: RefCell<Vec<Vec<u8>>>,
}

impl ScratchPool {
    /// For the exchanges of an HTTP/1 connection.
    #[must_use]
    pub fn borrow(&self) -> Box<Scratch> {
        self.connections.borrow_mut().pop().unwrap_or_else(|| Box::new(Scratch::new(Kind::Connection)))
    }

    /// For the exchange of an HTTP/2 stream.
    #[must_use]
    pub fn borrow_for_stream(&self) -> Box<Scratch> {
        self.streams.borrow_mut().pop().unwrap_or_else(|| Box::new(Scratch::new(Kind::Stream)))
    }

    pub fn give_back(&self, mut scratch: Box<Scratch>) {
        let (kept, most) = match scratch.kind {
            Kind::Connection => (&self.connections, KEPT),
            Kind::Stream => (&self.streams, KEPT_FOR_STREAMS),
        };
        for buffer in [&mut scratch.client, &mut scratch.upstream] {
            if buffer.borrows && !buffer.data.is_empty() {
                self.take_back(std::mem::take(&mut buffer.data));
            }
        }
        let mut kept = kept.borrow_mut();
        if kept.len() < most {
            scratch.reset();
            kept.push(scratch);
        }
    }

    /// Memory for what is read from upstream, or waits for a slow client.
    #[must_use]
    pub fn lend(&self) -> Vec<u8> {
        self.buffers.borrow_mut().pop().unwrap_or_else(|| vec![0; UPSTREAM_BUFFER])
    }

    pub fn take_back(&self, memory: Vec<u8>) {
        let mut buffers = self.buffers.borrow_mut();
        if buffers.len() < KEPT && memory.len() == UPSTREAM_BUFFER {
            buffers.push(memory);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_stand_before_others_where_some_were_consumed() {
        let mut buffer = Buffer::new(8);
        buffer.room().copy_from_slice(b"headbody");
        buffer.filled_more(8);
        buffer.consume(4);
        assert!(!buffer.put_before(b"longer"));
        assert_eq!(buffer.filled(), b"body");
        assert!(buffer.put_before(b"new"));
        assert_eq!(buffer.filled(), b"newbody");
        buffer.consume(3);
        assert_eq!(buffer.filled(), b"body");
    }

    #[test]
    fn a_buffer_grows_to_its_limit_and_shrinks_back() {
        let mut buffer = Buffer::new(4);
        buffer.room().copy_from_slice(b"abcd");
        buffer.filled_more(4);
        assert!(buffer.room().is_empty());
        assert!(buffer.grow(10));
        assert_eq!(buffer.room().len(), 4);
        assert!(buffer.grow(10));
        assert_eq!(buffer.room().len(), 6);
        assert!(!buffer.grow(10));
        assert_eq!(buffer.filled(), b"abcd");
        buffer.reset(4);
        assert!(buffer.is_empty());
        assert_eq!(buffer.room().len(), 4);
    }

    #[test]
    fn what_was_read_moves_to_the_front_when_the_end_is_reached() {
        let mut buffer = Buffer::new(4);
        buffer.room().copy_from_slice(b"abcd");
        buffer.filled_more(4);
        buffer.consume(3);
        assert_eq!(buffer.room().len(), 3);
        assert_eq!(buffer.filled(), b"d");
        buffer.consume(usize::MAX - 4);
        assert!(buffer.is_empty());
        assert_eq!(buffer.room().len(), 4);
    }

    #[test]
    fn a_scratch_that_goes_back_keeps_nothing_large_and_nothing_of_its_client() {
        let pool = ScratchPool::default();
        let mut scratch = pool.borrow();
        let large = vec![b'x'; 1 << 20];
        for head in [&mut scratch.request.head, &mut scratch.response, &mut scratch.trailers] {
            (0..2000).for_each(|_| head.add(b"a", b"b"));
            head.add(b"x-large", &large);
        }
        scratch.request.path = large.clone();
        scratch.request.query = large.clone();
        scratch.to_client = large.clone();
        scratch.to_upstream = large;
        assert!(scratch.client.grow(2 << 20));
        pool.give_back(scratch);
        let scratch = pool.borrow();
        for head in [&scratch.request.head, &scratch.response, &scratch.trailers] {
            assert!(head.fields.is_empty() && head.bytes.is_empty());
            assert!(head.bytes.capacity() <= HEAD_KEPT && head.fields.capacity() <= HEAD_KEPT / 64);
        }
        assert!(scratch.request.path.is_empty() && scratch.request.path.capacity() <= HEAD_KEPT);
        assert!(scratch.request.query.is_empty() && scratch.request.query.capacity() <= HEAD_KEPT);
        assert!(scratch.to_client.capacity() <= OUT_KEPT && scratch.to_upstream.capacity() <= OUT_KEPT);
        assert_eq!(scratch.client.data.len(), CLIENT_BUFFER);
    }

    #[test]
    fn a_thread_keeps_so_many_scratches_and_no_more() {
        let pool = ScratchPool::default();
        let all: Vec<_> = (0..KEPT + 8).map(|_| pool.borrow()).collect();
        all.into_iter().for_each(|scratch| pool.give_back(scratch));
        assert_eq!(pool.connections.borrow().len(), KEPT);
    }
}
