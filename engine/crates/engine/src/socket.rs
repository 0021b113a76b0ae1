//! A connected socket of a thread's runtime. The system calls are made directly: the C library's, which the
//! runtime's own streams use, are cancellation points and cost a request two percent more.
//!
//! Facts (epoll, edge-triggered): readiness is told once. A read that did not fill its room has emptied the socket,
//! so readiness is forgotten with it, which saves a call; an end that was told before is not forgotten.

use std::io::{self, IoSlice};
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::task::{ready, Context, Poll};
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, Shutdown};
use socket2::{SockAddr, TcpKeepalive};
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// How often a peer is asked whether it is there, and how long it may say nothing.
const ASKED_EVERY: Duration = Duration::from_secs(1);
const SILENT: Duration = Duration::from_secs(4);

pub struct Socket {
    fd: AsyncFd<OwnedFd>,
}

impl Socket {
    /// Takes over a socket that does not block.
    ///
    /// # Errors
    /// What the kernel said.
    pub fn new(fd: impl Into<OwnedFd>) -> io::Result<Self> {
        // SAFETY: the `AsyncFd` owns the descriptor, so it stays open and the same as long as it is registered.
        let fd = unsafe { AsyncFd::register(fd.into()) }.map_err(io::Error::from)?;
        Ok(Self { fd })
    }

    /// Connects.
    ///
    /// # Errors
    /// What the kernel said.
    pub async fn connect(address: &SockAddr) -> io::Result<Self> {
        let socket = socket2::Socket::new(address.domain(), socket2::Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        if !address.is_unix() {
            // A small request must not wait for an acknowledgement.
            socket.set_tcp_nodelay(true)?;
        }
        match socket.connect(address) {
            Err(error) if error.raw_os_error() != Some(Errno::INPROGRESS.raw_os_error()) => return Err(error),
            _ => {}
        }
        let socket = Self::new(socket)?;
        std::future::poll_fn(|cx| socket.fd.poll_write_ready(cx).map_ok(|_| ())).await?;
        match socket2::SockRef::from(&socket.fd.get_ref()).take_error()? {
            Some(error) => Err(error),
            None => Ok(socket),
        }
    }

    /// Readable, or ended.
    #[inline]
    pub fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.fd.poll_read_ready(cx).map_ok(|_| ())
    }

    /// The next byte, left where it is; none at the end.
    ///
    /// # Errors
    /// What the kernel said.
    pub fn poll_peek(&self, cx: &mut Context<'_>) -> Poll<io::Result<Option<u8>>> {
        loop {
            let mut ready = ready!(self.fd.poll_read_ready(cx))?;
            match self.peek() {
                Err(Errno::AGAIN) => ready.clear_ready(),
                result => return Poll::Ready(result.map_err(io::Error::from)),
            }
        }
    }

    /// Nothing to read, no end, no error: the kernel is asked, for epoll may not have told yet.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        matches!(self.peek(), Err(Errno::AGAIN))
    }

    fn peek(&self) -> Result<Option<u8>, Errno> {
        let mut byte = [0u8; 1];
        let (_, n) = rustix::net::recv(&self.fd, &mut byte, RecvFlags::PEEK | RecvFlags::DONTWAIT)?;
        Ok((n > 0).then_some(byte[0]))
    }

    /// Has the kernel ask whether the peer's kernel is there: one that answers nothing for [`SILENT`] is taken for gone.
    /// `unanswered`: also while it owes an acknowledgement, which one whose window is full may do for long.
    pub fn watch(&self, unanswered: bool) {
        let socket = socket2::SockRef::from(self.fd.get_ref());
        let asking = TcpKeepalive::new().with_time(ASKED_EVERY).with_interval(ASKED_EVERY).with_retries(3);
        // A Unix socket has no such thing and needs none: failing leaves what was.
        let _ = socket.set_tcp_keepalive(&asking);
        if unanswered {
            let _ = socket.set_tcp_user_timeout(Some(SILENT));
        }
    }

    /// Closing sends a reset where there is such a thing.
    pub fn reset_on_close(&self) {
        // Failing leaves an ordinary close.
        let _ = socket2::SockRef::from(&self.fd.get_ref()).set_linger(Some(std::time::Duration::ZERO));
    }

    /// Sends bytes; `more`: the kernel may wait for what follows them.
    pub fn poll_send_more(&self, cx: &mut Context<'_>, bytes: &[u8], more: bool) -> Poll<io::Result<usize>> {
        let flags = if more { SendFlags::NOSIGNAL | SendFlags::MORE } else { SendFlags::NOSIGNAL };
        self.poll_send(cx, bytes.len(), || rustix::net::send(&self.fd, bytes, flags))
    }

    /// Sends at most so many bytes of a file, from `at` on, which moves with them; 0 is the file's end. Fewer are taken for
    /// a full socket, which saves a call; where it was the file that ended, [`Socket::try_send_file`] finds out.
    pub fn poll_send_file(
        &self,
        cx: &mut Context<'_>,
        file: &OwnedFd,
        at: &mut u64,
        most: usize,
    ) -> Poll<io::Result<usize>> {
        loop {
            let mut ready = ready!(self.fd.poll_write_ready(cx))?;
            match rustix::fs::sendfile(&self.fd, file, Some(at), most) {
                Ok(n) => {
                    if n > 0 && n < most {
                        ready.clear_ready();
                    }
                    return Poll::Ready(Ok(n));
                }
                Err(Errno::AGAIN) => ready.clear_ready(),
                Err(Errno::INTR) => {}
                Err(error) => return Poll::Ready(Err(error.into())),
            }
        }
    }

    /// The same without waiting, whatever is known of the socket.
    ///
    /// # Errors
    /// What the kernel said; it would block.
    pub fn try_send_file(&self, file: &OwnedFd, at: &mut u64, most: usize) -> io::Result<usize> {
        rustix::fs::sendfile(&self.fd, file, Some(at), most).map_err(io::Error::from)
    }

    #[inline]
    fn poll_send(
        &self,
        cx: &mut Context<'_>,
        len: usize,
        send: impl Fn() -> Result<usize, Errno>,
    ) -> Poll<io::Result<usize>> {
        loop {
            let mut ready = ready!(self.fd.poll_write_ready(cx))?;
            match send() {
                Ok(n) => {
                    if n < len {
                        ready.clear_ready();
                    }
                    return Poll::Ready(Ok(n));
                }
                Err(Errno::AGAIN) => ready.clear_ready(),
                Err(Errno::INTR) => {}
                Err(error) => return Poll::Ready(Err(error.into())),
            }
        }
    }
}

impl AsyncRead for Socket {
    #[inline]
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, room: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        // SAFETY: nothing but the kernel writes there, and it takes nothing away.
        let into = unsafe { room.unfilled_mut() };
        let len = into.len();
        let n = loop {
            let mut ready = ready!(self.fd.poll_read_ready(cx))?;
            match rustix::net::recv(&self.fd, &mut *into, RecvFlags::empty()) {
                Ok((_, n)) => {
                    if n > 0 && n < len {
                        ready.clear_ready();
                    }
                    break n;
                }
                Err(Errno::AGAIN) => ready.clear_ready(),
                Err(Errno::INTR) => {}
                Err(error) => return Poll::Ready(Err(error.into())),
            }
        };
        // SAFETY: so many bytes the kernel has written.
        unsafe { room.assume_init(n) };
        room.advance(n);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Socket {
    #[inline]
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_send(cx, bytes.len(), || rustix::net::send(&self.fd, bytes, SendFlags::NOSIGNAL))
    }

    #[inline]
    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        // One part, as TLS has it most of the time, costs the kernel less as such.
        if let [bytes] = parts {
            return self.poll_write(cx, bytes);
        }
        let len = parts.iter().map(|part| part.len()).sum();
        self.poll_send(cx, len, || rustix::io::writev(&self.fd, parts))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        match rustix::net::shutdown(&self.fd, Shutdown::Write) {
            // The peer was first.
            Ok(()) | Err(Errno::NOTCONN) => Poll::Ready(Ok(())),
            Err(error) => Poll::Ready(Err(error.into())),
        }
    }
}
