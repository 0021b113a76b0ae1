//! Carries an HTTP/2 connection's bytes between its [`Io`] and the frames' codec: first what was read before it was
//! known to be HTTP/2, then what comes, past the [`Meter`].

use std::cell::RefCell;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{ready, Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::meter::Meter;
use crate::io::Io;

pub struct Carrier {
    /// Shared with who closes the connection: the codec does not give it back.
    io: Rc<RefCell<Io>>,
    meter: Rc<Meter>,
    /// Read before, and how much of it the codec has.
    early: Vec<u8>,
    taken: usize,
}

impl Carrier {
    #[must_use]
    pub fn new(io: Rc<RefCell<Io>>, meter: Rc<Meter>, early: Vec<u8>) -> Self {
        Self { io, meter, early, taken: 0 }
    }

    fn wrote(&self, result: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match &result {
            Poll::Ready(Ok(_)) => self.meter.wrote(),
            Poll::Ready(Err(_)) => {}
            Poll::Pending => self.meter.stuck(),
        }
        result
    }
}

impl AsyncRead for Carrier {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, room: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let turn = self.meter.turn.get();
        if turn == 0 {
            // Its turn is over; it comes again behind the others.
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let before = room.filled().len();
        if self.taken < self.early.len() {
            let n = (self.early.len() - self.taken).min(room.remaining());
            room.put_slice(&self.early[self.taken..self.taken + n]);
            self.taken += n;
            if self.taken == self.early.len() {
                self.early = Vec::new();
                self.taken = 0;
            }
        } else {
            ready!(self.io.borrow_mut().poll_read_into(cx, room))?;
        }
        self.meter.read(&room.filled()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Carrier {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = self.io.borrow_mut().poll_write(cx, bytes, &[]);
        self.wrote(written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut some = parts.iter().filter(|part| !part.is_empty());
        let (first, second) = (some.next(), some.next());
        let empty: &[u8] = &[];
        let written = self.io.borrow_mut().poll_write(cx, first.map_or(empty, |p| p), second.map_or(empty, |p| p));
        self.wrote(written)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.io.borrow_mut().poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.io.borrow_mut().poll_shutdown(cx)
    }
}
