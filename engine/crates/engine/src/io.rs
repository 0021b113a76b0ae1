//! One connection's bytes, whatever carries them: the border above which nothing assumes a TCP stream.
//! Methods poll, so that one task drives both sides of an exchange.

use std::io::{self, IoSlice};
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::task::{ready, Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::TlsStream;

use crate::buffer::Buffer;
use crate::socket::Socket;

/// What framing that is not whole may take: a trailer section at its limit.
const LARGEST: usize = 2 << 20;

pub enum Io {
    Plain(Socket),
    /// Boxed: most of what a thread holds are idle connections, and a plain one is small.
    Tls(Box<TlsStream<Socket>>),
}

impl Io {
    fn socket(&self) -> &Socket {
        match self {
            Self::Plain(socket) => socket,
            Self::Tls(stream) => stream.get_ref().0,
        }
    }

    /// Readable, or ended: without a buffer, for idle connections.
    pub fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(socket) => socket.poll_readable(cx),
            Self::Tls(stream) => {
                if has_plaintext(stream) {
                    return Poll::Ready(Ok(()));
                }
                stream.get_ref().0.poll_readable(cx)
            }
        }
    }

    /// Reads into the buffer's room; 0 is the end. A full buffer grows to [`LARGEST`], then it is an error.
    #[inline]
    pub fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut Buffer) -> Poll<io::Result<usize>> {
        if buffer.room().is_empty() && !buffer.grow(LARGEST) {
            return Poll::Ready(Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "more than a buffer holds came at once",
            )));
        }
        let mut room = ReadBuf::new(buffer.room());
        ready!(self.poll_read_into(cx, &mut room))?;
        let n = room.filled().len();
        buffer.filled_more(n);
        Poll::Ready(Ok(n))
    }

    /// Reads into `room`; nothing read is the end.
    #[inline]
    pub fn poll_read_into(&mut self, cx: &mut Context<'_>, room: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(socket) => Pin::new(socket).poll_read(cx, room),
            Self::Tls(stream) => Pin::new(&mut **stream).poll_read(cx, room),
        }
    }

    /// Writes the parts in one call. What TLS has sealed and not yet sent is [`Io::poll_flush`]'s.
    #[inline]
    pub fn poll_write(&mut self, cx: &mut Context<'_>, first: &[u8], second: &[u8]) -> Poll<io::Result<usize>> {
        match self {
            Self::Plain(socket) => write(Pin::new(socket), cx, first, second),
            Self::Tls(stream) => write(Pin::new(&mut **stream), cx, first, second),
        }
    }

    /// Nothing lies between this and the kernel: a file's pages may go without a copy.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        matches!(self, Self::Plain(_))
    }

    /// Writes bytes behind which more comes soon, so that they may share a packet.
    pub fn poll_write_more(&mut self, cx: &mut Context<'_>, bytes: &[u8], more: bool) -> Poll<io::Result<usize>> {
        match self {
            Self::Plain(socket) => socket.poll_send_more(cx, bytes, more),
            Self::Tls(_) => self.poll_write(cx, bytes, &[]),
        }
    }

    /// Sends at most so many bytes of a file, from `at` on, which moves with them; 0 is the file's end. Only where it
    /// [is plain](Io::is_plain).
    pub fn poll_send_file(
        &mut self,
        cx: &mut Context<'_>,
        file: &OwnedFd,
        at: &mut u64,
        most: usize,
    ) -> Poll<io::Result<usize>> {
        match self {
            Self::Plain(socket) => socket.poll_send_file(cx, file, at, most),
            Self::Tls(_) => Poll::Ready(Err(io::ErrorKind::Unsupported.into())),
        }
    }

    /// The same without waiting.
    ///
    /// # Errors
    /// What the kernel said; it would block.
    pub fn try_send_file(&self, file: &OwnedFd, at: &mut u64, most: usize) -> io::Result<usize> {
        self.socket().try_send_file(file, at, most)
    }

    /// Ready when what was written has gone to the kernel; at once where nothing lies between.
    #[inline]
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(_) => Poll::Ready(Ok(())),
            Self::Tls(stream) => Pin::new(&mut **stream).poll_flush(cx),
        }
    }

    /// Ends the sending side.
    pub fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(socket) => Pin::new(socket).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(&mut **stream).poll_shutdown(cx),
        }
    }

    /// Says that nothing follows, as far as that is possible at once: TLS has a word for it (RFC 8446 section 6.1).
    pub fn take_leave(&mut self) {
        if let Self::Tls(stream) = self {
            let mut noop = Context::from_waker(std::task::Waker::noop());
            let _ = Pin::new(&mut **stream).poll_shutdown(&mut noop);
        }
    }

    /// Whether a connection that should be silent is still open: nothing to read, no end, no error.
    /// Asks the kernel, for what epoll has not yet told may have happened.
    pub fn is_silent(&mut self) -> bool {
        match self {
            Self::Plain(socket) => socket.is_silent(),
            Self::Tls(stream) => stream.get_ref().0.is_silent() || is_quiet(stream),
        }
    }

    /// What the runtime knows already: no event came since the last read. Costs no system call.
    pub fn seems_silent(&mut self, cx: &mut Context<'_>) -> bool {
        match self {
            Self::Plain(socket) => socket.poll_readable(cx).is_pending(),
            Self::Tls(stream) => stream.get_ref().0.poll_readable(cx).is_pending() || is_quiet(stream),
        }
    }

    /// A peer that is not there any more is noticed ([`Socket::watch`]).
    pub fn watch(&self, small: bool) {
        self.socket().watch(small);
    }

    /// Closing sends a reset, so that a peer does not take a truncated message for a whole one.
    pub fn reset_on_close(&self) {
        self.socket().reset_on_close();
    }
}

#[inline]
fn write<W: AsyncWrite>(to: Pin<&mut W>, cx: &mut Context<'_>, first: &[u8], second: &[u8]) -> Poll<io::Result<usize>> {
    if second.is_empty() {
        to.poll_write(cx, first)
    } else {
        to.poll_write_vectored(cx, &[IoSlice::new(first), IoSlice::new(second)])
    }
}

/// Something was opened already that nobody has read, or the peer has said that nothing follows: the socket says nothing
/// of it. Whatever is read from the socket is opened at once, so that TLS knows.
fn has_plaintext(stream: &TlsStream<Socket>) -> bool {
    !stream.get_ref().1.wants_read()
}

/// What came was TLS's own, such as a session ticket, and nothing follows it.
fn is_quiet(stream: &mut TlsStream<Socket>) -> bool {
    let mut byte = [0u8; 1];
    let mut noop = Context::from_waker(std::task::Waker::noop());
    Pin::new(stream).poll_read(&mut noop, &mut ReadBuf::new(&mut byte)).is_pending()
}
