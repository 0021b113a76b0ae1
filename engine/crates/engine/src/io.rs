//! One connection's socket, whatever its kind: the border above which nothing assumes a TCP stream.
//! Methods poll, so that one task drives both sides of an exchange.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{ready, Context, Poll};

use rustix::net::RecvFlags;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

use crate::buffer::Buffer;

/// What framing that is not whole may take: a trailer section at its limit.
const LARGEST: usize = 2 << 20;

pub enum Io {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Io {
    /// Readable, or ended: without a buffer, for idle connections.
    pub fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(s) => s.poll_read_ready(cx),
            Self::Unix(s) => s.poll_read_ready(cx),
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
        match self {
            Self::Tcp(s) => ready!(Pin::new(s).poll_read(cx, &mut room))?,
            Self::Unix(s) => ready!(Pin::new(s).poll_read(cx, &mut room))?,
        }
        let n = room.filled().len();
        buffer.filled_more(n);
        Poll::Ready(Ok(n))
    }

    /// Writes the parts in one call.
    #[inline]
    pub fn poll_write(&mut self, cx: &mut Context<'_>, first: &[u8], second: &[u8]) -> Poll<io::Result<usize>> {
        if second.is_empty() {
            match self {
                Self::Tcp(s) => Pin::new(s).poll_write(cx, first),
                Self::Unix(s) => Pin::new(s).poll_write(cx, first),
            }
        } else {
            let parts = [IoSlice::new(first), IoSlice::new(second)];
            match self {
                Self::Tcp(s) => Pin::new(s).poll_write_vectored(cx, &parts),
                Self::Unix(s) => Pin::new(s).poll_write_vectored(cx, &parts),
            }
        }
    }

    /// Ends the sending side.
    pub fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(s) => Pin::new(s).poll_shutdown(cx),
            Self::Unix(s) => Pin::new(s).poll_shutdown(cx),
        }
    }

    /// Whether a connection that should be silent is still open: nothing to read, no end, no error.
    /// Asks the kernel, for what epoll has not yet told may have happened.
    pub fn is_silent(&self) -> bool {
        let mut byte = [0u8; 1];
        let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
        let result = match self {
            Self::Tcp(s) => rustix::net::recv(s, &mut byte, flags),
            Self::Unix(s) => rustix::net::recv(s, &mut byte, flags),
        };
        matches!(result, Err(rustix::io::Errno::AGAIN))
    }

    /// What the runtime knows already: no event came since the last read. Costs no system call.
    pub fn seems_silent(&self, cx: &mut Context<'_>) -> bool {
        self.poll_readable(cx).is_pending()
    }

    /// Closing sends a reset, so that a peer does not take a truncated message for a whole one.
    pub fn reset_on_close(&self) {
        if let Self::Tcp(s) = self {
            // Failing leaves an ordinary close.
            let _ = socket2::SockRef::from(s).set_linger(Some(std::time::Duration::ZERO));
        }
    }
}
