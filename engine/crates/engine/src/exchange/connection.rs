//! A client's HTTP/1 connection: waits without a buffer, reads heads in order, runs one exchange after another.

use std::cell::Cell;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::sync::Arc;
use std::task::Poll;

use plan::fault::FaultKind;
use wire::head::Head;

use super::burst::Job;
use super::downstream::{Client, Downstream, Side};
use super::tunnel::Tunnel;
use crate::buffer::{Buffer, Scratch};
use crate::clock::Alarm;
use crate::fault::Fault;
use crate::http2;
use crate::io::Io;
use crate::listen::ListenerState;
use crate::observe::events::Level;
use crate::snapshot::http::HttpRun;
use crate::snapshot::listener::ListenerRun;
use crate::socket::Socket;
use crate::tls::accept::{self, Opened};
use crate::worker::{Accepted, Open, Worker};

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
    /// It began as HTTP/2 does.
    Http2,
}

/// Takes a connection from its socket to its end.
pub async fn run(worker: Rc<Worker>, accepted: Accepted, listener: Arc<ListenerState>) {
    let open = Open { handle: Arc::clone(&worker.handle), listener: Arc::clone(&listener) };
    let _panic = CountPanic(&worker);
    let Some((mut connection, is_http2)) = open_client(&worker, accepted, open).await else { return };
    if is_http2 {
        return Box::pin(http2::serve(*connection, Vec::new())).await;
    }
    while idle(&mut connection).await {
        let job = Job { connection, scratch: worker.scratches.borrow() };
        let (job, next) = worker.bursts.run(job).await;
        let mut scratch = job.scratch;
        connection = job.connection;
        match next {
            Next::Keep => worker.scratches.give_back(scratch),
            Next::Close => return worker.scratches.give_back(scratch),
            Next::Linger => {
                if let Side::Http1(io) = &mut connection.side {
                    linger(io, &mut scratch.client, &connection.alarm).await;
                }
                return worker.scratches.give_back(scratch);
            }
            Next::Tunnel(tunnel) => return Box::pin(tunnel.run(&mut connection, scratch)).await,
            Next::Http2 => {
                let early = scratch.client.filled().to_vec();
                worker.scratches.give_back(scratch);
                return Box::pin(http2::serve(*connection, early)).await;
            }
        }
    }
    if let Side::Http1(io) = &mut connection.side {
        io.take_leave();
    }
}

/// A panic ends one connection; the runtime catches it, this counts it.
pub struct CountPanic<'a>(pub &'a Rc<Worker>);

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

/// Makes a client ready for its first request; over TLS that is after the handshake. And whether it speaks HTTP/2:
/// by ALPN, or in clear text where nothing else is spoken.
async fn open_client(worker: &Rc<Worker>, accepted: Accepted, open: Open) -> Option<(Box<Downstream>, bool)> {
    let nowhere = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);
    let (socket, peer, local) = match accepted {
        Accepted::Tcp(stream, peer, local) => (Socket::new(stream).ok()?, peer, local),
        Accepted::Unix(stream) => (Socket::new(stream).ok()?, nowhere, nowhere),
    };
    let alarm = worker.clock.alarm();
    let run = listener_run(worker, &open.listener)?;
    let Opened { io, session, refused } = if run.tls.is_some() {
        Box::pin(accept::open(worker, &run, socket, &alarm)).await?
    } else {
        Opened { io: Io::Plain(socket), session: None, refused: false }
    };
    let is_http2 = match &session {
        Some(session) => session.http2,
        None => run.http2 && !run.http1 && !refused,
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
        connection_id: worker.shared.connection_id(),
        listener: Arc::clone(&open.listener),
        born: worker.clock.now(),
        requests: Cell::new(0),
        pipelined: Cell::new(false),
        believed: Cell::new(false),
        believed_at: Cell::new(u64::MAX),
        open,
    };
    let side = Side::Http1(io);
    let connection = Downstream { side, client: Rc::new(client), alarm, worker: Rc::clone(worker), ended: false };
    Some((Box::new(connection), is_http2))
}

/// Waits for the next request, holding no buffer; false when there will be none.
async fn idle(connection: &mut Downstream) -> bool {
    let Downstream { side, client, alarm, worker, .. } = connection;
    let Side::Http1(io) = side else { return false };
    let keepalive = match worker.view().listener(&client.listener) {
        Some(listener) => listener.http.timeouts.keepalive_ms,
        None => return false,
    };
    let mut until = worker.clock.after(keepalive);
    let mut grace_given = false;
    std::future::poll_fn(|cx| {
        if let Poll::Ready(ready) = io.poll_readable(cx) {
            return Poll::Ready(ready.is_ok());
        }
        if client.is_closing(worker) {
            // One that has not yet sent a request was accepted on purpose: it is served while there is grace.
            if client.requests.get() > 0 {
                return Poll::Ready(false);
            }
            if let (false, Some(last)) = (grace_given, client.listener.last.get()) {
                grace_given = true;
                until = until.min(worker.clock.after(last.closing.grace_ms));
            }
        }
        if alarm.poll(cx, until) {
            return Poll::Ready(false);
        }
        Poll::Pending
    })
    .await
}

/// Runs exchanges until nothing more of the client's is buffered.
pub(super) async fn burst(connection: &mut Downstream, scratch: &mut Scratch) -> Next {
    loop {
        let worker = Rc::clone(&connection.worker);
        let (view, client) = (worker.view(), Rc::clone(&connection.client));
        let Some(listener) = view.listener(&client.listener) else { return Next::Close };
        let read = read_head(connection, &mut scratch.client, &mut scratch.request.head, &listener.http).await;
        let next = match read {
            Ok(Read::Head(len)) if listener.http1 => {
                scratch.client.consume(len);
                connection.client.asks(&worker, &listener.http);
                super::route::exchange(connection, scratch, listener, len).await
            }
            Ok(Read::Head(_)) => {
                let fault = Fault::new(FaultKind::VersionNotSupported, "HTTP/1 where only HTTP/2 is spoken");
                super::route::refuse(connection, scratch, listener, fault).await
            }
            Ok(Read::Nothing) => return Next::Keep,
            Ok(Read::End) => return Next::Close,
            Err(fault) => {
                if fault.kind == FaultKind::VersionNotSupported && is_preface(connection, scratch, listener) {
                    return Next::Http2;
                }
                let fault = if scratch.client.filled().starts_with(http2::PREFACE_METHOD) {
                    // `*` is the target of OPTIONS only (RFC 9112 section 3.2.4).
                    Fault::new(FaultKind::BadRequest, "HTTP/2 where it is not spoken")
                } else {
                    fault
                };
                super::route::refuse(connection, scratch, listener, fault).await
            }
        };
        match next {
            Next::Keep if !scratch.client.is_empty() => connection.client.pipelined.set(true),
            next => {
                connection.client.pipelined.set(false);
                return next;
            }
        }
    }
}

/// Whether the connection begins as HTTP/2 does with prior knowledge, where that is spoken (RFC 9113 section 3.3): a
/// request line which HTTP/1 refuses, so that looking for it costs HTTP/1 nothing.
fn is_preface(connection: &Downstream, scratch: &Scratch, listener: &ListenerRun) -> bool {
    let client = &connection.client;
    listener.http2
        && client.requests.get() == 0
        && client.session.is_none()
        && !client.refused
        && scratch.client.filled().starts_with(&http2::PREFACE[..http2::PREFACE_LINE])
}

/// Ends the sending side and reads on for two seconds at most, or the client would see a reset instead of the end.
pub async fn linger(io: &mut Io, buffer: &mut Buffer, alarm: &Alarm) {
    let until = alarm.clock().after(2000);
    let mut shut = false;
    let mut left: usize = 8 << 20;
    std::future::poll_fn(|cx| {
        if !shut {
            match io.poll_shutdown(cx) {
                Poll::Ready(Ok(())) => shut = true,
                Poll::Ready(Err(_)) => return Poll::Ready(()),
                Poll::Pending => {}
            }
        }
        loop {
            buffer.consume(buffer.len());
            match io.poll_read(cx, buffer) {
                Poll::Ready(Ok(n)) if n > 0 && left > n => left -= n,
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending if alarm.poll(cx, until) => return Poll::Ready(()),
                Poll::Pending => return Poll::Pending,
            }
        }
    })
    .await;
}

/// What a listener is, for who holds it longer than a request.
pub fn listener_run(worker: &Worker, listener: &ListenerState) -> Option<Arc<ListenerRun>> {
    worker.view().listener(listener).cloned()
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
    connection: &mut Downstream,
    buffer: &mut Buffer,
    head: &mut Head,
    http: &HttpRun,
) -> Result<Read, Fault> {
    let Downstream { side, alarm, worker, .. } = connection;
    let Side::Http1(io) = side else { return Ok(Read::End) };
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
        match io.poll_read(cx, buffer) {
            Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(Ok(Read::End)),
            Poll::Ready(Ok(_)) => {}
            Poll::Pending if buffer.is_empty() => return Poll::Ready(Ok(Read::Nothing)),
            Poll::Pending => {
                let until = *until.get_or_insert_with(|| worker.clock.after(http.timeouts.head_ms));
                if alarm.poll(cx, until) {
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
