//! The client's side of an exchange: the border above which nothing knows whether it is an HTTP/1 connection or an
//! HTTP/2 stream. A closed enum with static dispatch: HTTP/1 pays a comparison for it.

use std::cell::Cell;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::sync::Arc;
use std::task::{Context, Poll};

use plan::fault::FaultKind;
use wire::head::Head;

use super::answer::{self, Delivery};
use super::inner::Inner;
use crate::buffer::{Buffer, Scratch};
use crate::clock::{Alarm, Moment};
use crate::fault::Fault;
use crate::http2::stream::Stream;
use crate::io::Io;
use crate::listen::ListenerState;
use crate::snapshot::http::HttpRun;
use crate::tls::accept::Session;
use crate::worker::{Open, Worker};

/// What is known of the client's side of a connection; its streams share it.
pub struct Client {
    pub ip: IpAddr,
    pub ip_text: String,
    pub port: u16,
    pub local: SocketAddr,
    pub tls: bool,
    /// What the handshake came to, over TLS.
    pub session: Option<Box<Session>>,
    /// In clear text on a listener that refuses that.
    pub refused: bool,
    pub connection_id: usize,
    pub listener: Arc<ListenerState>,
    pub born: Moment,
    /// Requests so far.
    pub requests: Cell<u64>,
    /// Its request came before the response to the one before it was sent.
    pub pipelined: Cell<bool>,
    /// What it says of other clients is believed; looked up again when the Plan changes.
    pub believed: Cell<bool>,
    pub believed_at: Cell<u64>,
    /// The connection counts as open until its last exchange has ended.
    pub open: Open,
}

impl Client {
    /// `address:port`, an IPv6 address in brackets.
    #[must_use]
    pub fn address_text(&self) -> String {
        SocketAddr::new(self.ip, self.port).to_string()
    }

    /// A request has come: it is counted, and what the running Plan believes is looked up.
    pub fn asks(&self, worker: &Worker, http: &HttpRun) {
        self.requests.set(self.requests.get() + 1);
        worker.handle.requests.add(1);
        self.look_up(worker, http);
    }

    /// Looks up what the running Plan believes of it.
    pub fn look_up(&self, worker: &Worker, http: &HttpRun) {
        let version = worker.shared.version();
        if self.believed_at.get() != version {
            self.believed.set(http.believes(self.ip));
            self.believed_at.set(version);
        }
    }

    /// Whether connections of its listener are to end.
    #[must_use]
    pub fn is_closing(&self, worker: &Worker) -> bool {
        self.listener.closing.load(Ordering::Relaxed) || worker.shared.stopping.load(Ordering::Relaxed)
    }

    /// It has been used as often or as long as the policy lets it.
    #[must_use]
    pub fn is_worn(&self, worker: &Worker, http: &HttpRun) -> bool {
        let policy = &http.keepalive;
        (policy.max_requests != 0 && self.requests.get() >= policy.max_requests)
            || (policy.max_age_ms != 0 && worker.clock.now() - self.born > policy.max_age_ms)
    }
}

/// The client's side of an exchange.
pub struct Downstream {
    pub side: Side,
    pub client: Rc<Client>,
    pub alarm: Alarm,
    pub worker: Rc<Worker>,
    /// The client has ended its sending side.
    pub ended: bool,
}

/// How the client's side is spoken.
pub enum Side {
    Http1(Io),
    /// Boxed: most of what a thread holds are idle HTTP/1 connections.
    Http2(Box<Stream>),
    /// Nobody: the engine asks for itself.
    Inner(Inner),
}

impl Side {
    /// The connection of an HTTP/1 client.
    pub fn http1(&mut self) -> Option<&mut Io> {
        match self {
            Self::Http1(io) => Some(io),
            Self::Http2(_) | Self::Inner(_) => None,
        }
    }
}

impl Downstream {
    /// The engine asks for itself.
    #[must_use]
    pub fn is_inner(&self) -> bool {
        matches!(self.side, Side::Inner(_))
    }

    /// Whether connections are to end after their current exchange.
    #[must_use]
    pub fn is_closing(&self) -> bool {
        self.client.is_closing(&self.worker)
    }

    /// Looks whether the client has left. HTTP/1 is asked once its body was taken, and while nothing of it lies in
    /// `buffer`, where goes what it sends meanwhile.
    #[inline]
    pub fn poll_gone(&mut self, cx: &mut Context<'_>, buffer: &mut Buffer, body_done: bool) -> Poll<Fault> {
        match &mut self.side {
            Side::Http1(io) => {
                if body_done && buffer.is_empty() && !self.ended {
                    match io.poll_read(cx, buffer) {
                        // It has ended its sending side only: the answer is still awaited.
                        Poll::Ready(Ok(0)) => self.ended = true,
                        Poll::Ready(Ok(_)) | Poll::Pending => {}
                        Poll::Ready(Err(error)) => return Poll::Ready(gone(&error)),
                    }
                }
                Poll::Pending
            }
            Side::Http2(stream) => stream.poll_gone(cx),
            Side::Inner(_) => Poll::Pending,
        }
    }

    /// An interim response; HTTP/1 puts it into `out`.
    ///
    /// # Errors
    /// The client is gone.
    pub fn interim(&mut self, head: &Head, out: &mut Vec<u8>) -> Result<(), Fault> {
        match &mut self.side {
            Side::Http1(_) => {
                answer::write_interim(out, head);
                Ok(())
            }
            Side::Http2(stream) => stream.interim(head.status, Some(head)),
            Side::Inner(_) => Ok(()),
        }
    }

    /// The interim response 100.
    ///
    /// # Errors
    /// The client is gone.
    pub fn go_on(&mut self, out: &mut Vec<u8>) -> Result<(), Fault> {
        match &mut self.side {
            Side::Http1(_) => {
                out.extend_from_slice(b"HTTP/1.1 100 Continue\r\n\r\n");
                Ok(())
            }
            Side::Http2(stream) => stream.interim(100, None),
            Side::Inner(_) => Ok(()),
        }
    }

    /// Sends what of `out` the client takes at once.
    ///
    /// # Errors
    /// The client is gone.
    pub fn flush(&mut self, cx: &mut Context<'_>, out: &mut Vec<u8>) -> Result<(), Fault> {
        let Side::Http1(io) = &mut self.side else { return Ok(()) };
        while !out.is_empty() {
            match io.poll_write(cx, out, &[]) {
                Poll::Ready(Ok(0)) => return Err(gone(&io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(n)) => drop(out.drain(..n)),
                Poll::Ready(Err(error)) => return Err(gone(&error)),
                Poll::Pending => break,
            }
        }
        match io.poll_flush(cx) {
            Poll::Ready(Err(error)) => Err(gone(&error)),
            // What is left goes with what follows.
            Poll::Ready(Ok(())) | Poll::Pending => Ok(()),
        }
    }

    /// Writes the head of a final response, whose body goes as `delivery` says.
    pub fn begin(&mut self, scratch: &mut Scratch, delivery: Delivery, keeps: bool) {
        let Scratch { request, response, to_client, .. } = scratch;
        match &mut self.side {
            Side::Http1(_) => {
                answer::write_head(to_client, response, delivery, keeps, request.head.minor, &self.worker.clock);
            }
            Side::Http2(stream) => stream.begin(response, delivery, &self.worker.clock),
            Side::Inner(_) => {}
        }
    }

    /// Cuts a response that has begun, in a way the client can tell; `until_close`: its end would look like a whole one.
    pub fn cut(&mut self, kind: FaultKind, until_close: bool) {
        match &mut self.side {
            Side::Http1(io) if until_close => io.reset_on_close(),
            Side::Http1(_) | Side::Inner(_) => {}
            Side::Http2(stream) => stream.reset(kind),
        }
    }
}

/// The fault of a client whose connection failed.
#[must_use]
pub fn gone(error: &io::Error) -> Fault {
    Fault::new(FaultKind::ClientGone, error.to_string())
}
