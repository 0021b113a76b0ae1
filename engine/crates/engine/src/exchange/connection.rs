//! A client's HTTP/1 connection: waits without a buffer, reads heads in order, runs one exchange after another.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::sync::Arc;
use std::task::Poll;

use plan::fault::FaultKind;
use tokio::net::{TcpStream, UnixStream};
use wire::head::Head;

use super::tunnel::Tunnel;
use crate::buffer::Scratch;
use crate::clock::{Alarm, Moment};
use crate::fault::Fault;
use crate::io::{Io, Socket};
use crate::listen::ListenerState;
use crate::observe::events::Level;
use crate::snapshot::http::HttpRun;
use crate::snapshot::listener::ListenerRun;
use crate::tls::accept::{self, Opened, Session};
use crate::worker::{Accepted, Open, Worker};

/// What is known of the client's side of a connection.
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
    /// What it says of other clients is believed; looked up again when the Plan changes.
    pub believed: bool,
    pub connection_id: usize,
}

impl Client {
    /// `address:port`, an IPv6 address in brackets.
    #[must_use]
    pub fn address_text(&self) -> String {
        SocketAddr::new(self.ip, self.port).to_string()
    }
}

pub struct Connection {
    pub io: Io,
    pub client: Client,
    pub alarm: Alarm,
    pub listener: Arc<ListenerState>,
    pub worker: Rc<Worker>,
    pub born: Moment,
    pub requests: u64,
    /// The client has ended its sending side.
    pub ended: bool,
    believed_at: u64,
}

/// What becomes of the connection after an exchange.
pub enum Next {
    Keep,
    /// Closed now.
    Close,
    /// The answer is out, but the client may still be sending: read on for a while, or it would see a reset
    /// instead of the answer (RFC 9112 section 9.6).
    Linger,
    /// It carries another protocol from now on; nothing of the exchange is held meanwhile.
    Tunnel(Box<Tunnel>),
}

/// Takes a connection from its socket to its end.
pub async fn run(worker: Rc<Worker>, accepted: Accepted, listener: Arc<ListenerState>) {
    let _open = Open { handle: Arc::clone(&worker.handle), listener: Arc::clone(&listener) };
    let _panic = CountPanic(&worker);
    let Some(mut connection) = Connection::open(&worker, accepted, listener).await else { return };
    while connection.idle().await {
        let mut scratch = worker.scratches.borrow();
        let next = Box::pin(connection.burst(&mut scratch)).await;
        match next {
            Next::Keep => worker.scratches.give_back(scratch),
            Next::Close => return worker.scratches.give_back(scratch),
            Next::Linger => {
                connection.linger(&mut scratch).await;
                return worker.scratches.give_back(scratch);
            }
            Next::Tunnel(tunnel) => return Box::pin(tunnel.run(&mut connection, scratch)).await,
        }
    }
    connection.io.take_leave();
}

/// A panic ends one connection; the runtime catches it, this counts it.
struct CountPanic<'a>(&'a Rc<Worker>);

impl Drop for CountPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.shared.panics.fetch_add(1, Ordering::Relaxed);
            self.0.shared.events.tell(
                Level::Error,
                "panic",
                &[("message", serde_json::json!("a connection ended by a panic"))],
            );
        }
    }
}

impl Connection {
    /// Makes it ready for its first request; over TLS that is after the handshake.
    async fn open(worker: &Rc<Worker>, accepted: Accepted, listener: Arc<ListenerState>) -> Option<Self> {
        let nowhere = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);
        let (socket, peer, local) = match accepted {
            Accepted::Tcp(stream, peer, local) => (Socket::Tcp(TcpStream::from_std(stream).ok()?), peer, local),
            Accepted::Unix(stream) => (Socket::Unix(UnixStream::from_std(stream).ok()?), nowhere, nowhere),
        };
        let alarm = worker.clock.alarm();
        let run = listener_run(worker, &listener)?;
        let Opened { io, session, refused } = if run.tls.is_some() {
            Box::pin(accept::open(worker, &run, socket, &alarm)).await?
        } else {
            Opened { io: Io::Plain(socket), session: None, refused: false }
        };
        drop(run);
        let client = Client {
            ip: peer.ip(),
            ip_text: peer.ip().to_string(),
            port: peer.port(),
            local,
            tls: session.is_some(),
            session,
            refused,
            believed: false,
            connection_id: worker.shared.connection_id(),
        };
        Some(Self {
            io,
            client,
            alarm,
            listener,
            worker: Rc::clone(worker),
            born: worker.clock.now(),
            requests: 0,
            ended: false,
            believed_at: u64::MAX,
        })
    }

    /// Whether connections are to end after their current exchange.
    #[must_use]
    pub fn is_closing(&self) -> bool {
        self.listener.closing.load(Ordering::Relaxed) || self.worker.shared.stopping.load(Ordering::Relaxed)
    }

    /// Waits for the next request, holding no buffer; false when there will be none.
    async fn idle(&mut self) -> bool {
        let keepalive = match listener_run(&self.worker, &self.listener) {
            Some(listener) => listener.http.timeouts.keepalive_ms,
            None => return false,
        };
        let mut until = self.worker.clock.after(keepalive);
        let mut grace_given = false;
        std::future::poll_fn(|cx| {
            if let Poll::Ready(ready) = self.io.poll_readable(cx) {
                return Poll::Ready(ready.is_ok());
            }
            if self.is_closing() {
                // One that has not yet sent a request was accepted on purpose: it is served while there is grace.
                if self.requests > 0 {
                    return Poll::Ready(false);
                }
                if let (false, Some(last)) = (grace_given, self.listener.last.get()) {
                    grace_given = true;
                    until = until.min(self.worker.clock.after(last.closing.grace_ms));
                }
            }
            if self.alarm.poll(cx, until) {
                return Poll::Ready(false);
            }
            Poll::Pending
        })
        .await
    }

    /// Runs exchanges until nothing more of the client's is buffered.
    async fn burst(&mut self, scratch: &mut Scratch) -> Next {
        loop {
            let worker = Rc::clone(&self.worker);
            let view = worker.view();
            let last;
            let listener = match (view.listeners.get(&self.listener.key), self.listener.last.get()) {
                (Some(listener), _) => listener,
                (None, Some(removed)) => {
                    last = Arc::clone(removed);
                    &last
                }
                (None, None) => return Next::Close,
            };
            let version = worker.shared.version();
            if self.believed_at != version {
                self.client.believed = listener.http.believes(self.client.ip);
                self.believed_at = version;
            }
            let read = read_head(self, &mut scratch.client, &mut scratch.request.head, &listener.http).await;
            let next = match read {
                Ok(Read::Head(len)) => {
                    scratch.client.consume(len);
                    self.requests += 1;
                    worker.handle.requests.fetch_add(1, Ordering::Relaxed);
                    super::route::exchange(self, scratch, listener, len).await
                }
                Ok(Read::Nothing) => return Next::Keep,
                Ok(Read::End) => return Next::Close,
                Err(fault) => super::route::refuse(self, scratch, listener, fault).await,
            };
            match next {
                Next::Keep if !scratch.client.is_empty() => {}
                next => return next,
            }
        }
    }

    /// Ends the sending side and reads on for two seconds at most.
    async fn linger(&mut self, scratch: &mut Scratch) {
        let until = self.worker.clock.after(2000);
        let mut shut = false;
        let mut left: usize = 8 << 20;
        std::future::poll_fn(|cx| {
            if !shut {
                match self.io.poll_shutdown(cx) {
                    Poll::Ready(Ok(())) => shut = true,
                    Poll::Ready(Err(_)) => return Poll::Ready(()),
                    Poll::Pending => {}
                }
            }
            loop {
                let have = scratch.client.len();
                scratch.client.consume(have);
                match self.io.poll_read(cx, &mut scratch.client) {
                    Poll::Ready(Ok(n)) if n > 0 && left > n => left -= n,
                    Poll::Ready(_) => return Poll::Ready(()),
                    Poll::Pending if self.alarm.poll(cx, until) => return Poll::Ready(()),
                    Poll::Pending => return Poll::Pending,
                }
            }
        })
        .await;
    }
}

/// What a listener is in the running Plan, or was in the last that had it.
fn listener_run(worker: &Worker, listener: &ListenerState) -> Option<Arc<ListenerRun>> {
    worker.view().listeners.get(&listener.key).or(listener.last.get()).cloned()
}

/// What reading a head came to.
enum Read {
    /// A whole one, of this length.
    Head(usize),
    /// Not a byte is there: the connection is as idle as before.
    Nothing,
    /// The client ended.
    End,
}

/// Reads until a head is whole.
async fn read_head(
    connection: &mut Connection,
    buffer: &mut crate::buffer::Buffer,
    head: &mut Head,
    http: &HttpRun,
) -> Result<Read, Fault> {
    let mut searched = 0;
    let mut until = None;
    std::future::poll_fn(|cx| loop {
        let have = buffer.len();
        if have > searched {
            match wire::request::parse(head, buffer.filled(), searched, &http.limits) {
                Ok(Some(len)) => return Poll::Ready(Ok(Read::Head(len))),
                Ok(None) => searched = have,
                Err(refusal) => return Poll::Ready(Err(Fault::of_request(refusal))),
            }
        }
        if buffer.room().is_empty() {
            // One byte more than the limit shows that the head is over it.
            if !buffer.grow(http.limits.head_bytes + 1) {
                return Poll::Ready(Err(Fault::new(FaultKind::HeadTooLarge, "the head is too large")));
            }
        }
        match connection.io.poll_read(cx, buffer) {
            Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(Ok(Read::End)),
            Poll::Ready(Ok(_)) => {}
            Poll::Pending if buffer.is_empty() => return Poll::Ready(Ok(Read::Nothing)),
            Poll::Pending => {
                let until = *until.get_or_insert_with(|| connection.worker.clock.after(http.timeouts.head_ms));
                if connection.alarm.poll(cx, until) {
                    return Poll::Ready(Err(Fault::new(
                        FaultKind::HeadTimeout,
                        "the request head did not come in time",
                    )));
                }
                return Poll::Pending;
            }
        }
    })
    .await
}
