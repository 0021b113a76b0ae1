//! HTTP/2 from clients (RFC 9113), on the `h2` crate: by ALPN over TLS, by prior knowledge in clear text.
//!
//! One task drives a connection, each stream is an exchange in a task of its own, and none of the code between
//! knows ([`crate::exchange::downstream`]). In the order of the flow: [`carrier`] carries bytes, [`meter`] counts what is
//! asked beside requests, [`head`] takes heads over, [`tasks`] run exchanges, [`stream`] is what one reads from and writes
//! to.

mod carrier;
mod head;
mod meter;
pub mod stream;
pub mod tasks;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use h2::server::{Builder, Connection, SendResponse};
use h2::{Reason, RecvStream};
use http::Request;
use wire::Refusal;

use self::carrier::Carrier;
use self::meter::{Meter, READ_AT_ONCE};
use self::stream::Stream;
use self::tasks::Tasks;
use crate::buffer::{Buffer, Scratch};
use crate::clock::{Alarm, Moment, NEVER, TICK_MS};
use crate::exchange::connection::{linger, listener_run, CountPanic, Next};
use crate::exchange::downstream::{Client, Downstream, Side};
use crate::exchange::route;
use crate::fault::Fault;
use crate::snapshot::http::HttpRun;
use crate::snapshot::listener::ListenerRun;
use crate::upstream::connect::within;
use crate::worker::{View, Worker};

/// What a client sends first (RFC 9113 section 3.4).
pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Of it, method and target.
pub const PREFACE_METHOD: &[u8] = b"PRI * ";
/// Of it, what looks like a request line.
pub const PREFACE_LINE: usize = b"PRI * HTTP/2.0\r\n".len();

/// How long a client that was told to go may take to say so, when nothing of it is running: some round trips.
const GOODBYE_MS: u64 = 3000;
/// Bytes of one response that wait in a connection for the client's socket.
const SEND_BUFFER: usize = 64 * 1024;
/// Streams reset before they were looked at, which is when both came in one read: a browser that leaves a page does
/// that to hundreds. How often it may be done is the meter's (CVE-2023-44487).
const RESET_BEFORE_ACCEPT: usize = 1000;
/// Streams reset from here whose late frames are still expected.
const RESET_HERE: usize = 100;
/// Streams a client made us reset by breaking the rules.
const RESET_FOR_ERRORS: usize = 256;

/// Serves a client that speaks HTTP/2 from here on; `early` was read from it already.
pub async fn serve(downstream: Downstream, early: Vec<u8>) {
    let Downstream { side, client, alarm, worker, .. } = downstream;
    let Side::Http1(io) = side else { return };
    let Some(listener) = listener_run(&worker, &client.listener) else { return };
    let meter = Rc::new(Meter::new(&worker.clock, PREFACE.len()));
    let io = Rc::new(RefCell::new(io));
    let carrier = Carrier::new(Rc::clone(&io), Rc::clone(&meter), early);
    let until = worker.clock.after(listener.http.timeouts.head_ms);
    let handshake = builder(&listener.http).handshake(carrier);
    let http = Arc::clone(&listener.http);
    drop(listener);
    if let Some(Ok(frames)) = within(&alarm, until, handshake).await {
        let meter = Rc::clone(&meter);
        let streams = Rc::new(Cell::new(0));
        let mut driver =
            Driver { frames, client, worker, meter, http, current: None, streams, idle_until: NEVER, leaving: false };
        std::future::poll_fn(|cx| driver.poll(cx, &alarm)).await;
    }
    // The client may still be sending, and would see a reset instead of the last frames.
    if let (NEVER, Some(io)) = (meter.stuck_since.get(), Rc::into_inner(io)) {
        linger(&mut io.into_inner(), &mut Buffer::new(4096), &alarm).await;
    }
}

fn builder(http: &HttpRun) -> Builder {
    let limits = &http.http2;
    let mut builder = Builder::new();
    builder
        .max_concurrent_streams(limits.max_concurrent_streams)
        .max_header_list_size(limits.max_header_list_bytes)
        .initial_window_size(limits.initial_stream_window.min(LARGEST_WINDOW))
        .initial_connection_window_size(limits.initial_connection_window.min(LARGEST_WINDOW))
        .max_send_buffer_size(SEND_BUFFER)
        .max_pending_accept_reset_streams(RESET_BEFORE_ACCEPT)
        .max_concurrent_reset_streams(RESET_HERE)
        .max_local_error_reset_streams(Some(RESET_FOR_ERRORS));
    builder
}

/// RFC 9113 section 6.9.1.
const LARGEST_WINDOW: u32 = (1 << 31) - 1;

/// A connection while it lasts.
struct Driver {
    frames: Connection<Carrier, Bytes>,
    client: Rc<Client>,
    worker: Rc<Worker>,
    meter: Rc<Meter>,
    /// The policy it began with: what was agreed upon holds.
    http: Arc<HttpRun>,
    /// What its next stream runs on, of this version.
    current: Option<(u64, Rc<Current>)>,
    /// Exchanges that run.
    streams: Rc<Cell<usize>>,
    /// When it has been without a stream for too long.
    idle_until: Moment,
    /// It was told to go.
    leaving: bool,
}

/// The Snapshot a stream began with is the one it ends with; streams share it, so that one costs no atomic operation.
struct Current {
    _view: View,
    listener: Arc<ListenerRun>,
}

impl Driver {
    /// Moves the connection on; ready when it has ended.
    fn poll(&mut self, cx: &mut Context<'_>, alarm: &Alarm) -> Poll<()> {
        self.meter.turn.set(READ_AT_ONCE);
        loop {
            match self.frames.poll_accept(cx) {
                Poll::Ready(Some(Ok((request, respond)))) => self.begin(request, respond),
                Poll::Ready(Some(Err(_)) | None) => return Poll::Ready(()),
                Poll::Pending => match self.poll_time(cx, alarm) {
                    Time::Over => return Poll::Ready(()),
                    // Something is to be said.
                    Time::Leave(reason) => {
                        self.leaving = true;
                        self.idle_until = self.worker.clock.after(GOODBYE_MS);
                        match reason {
                            Reason::NO_ERROR => self.frames.graceful_shutdown(),
                            reason => self.frames.abrupt_shutdown(reason),
                        }
                    }
                    Time::Wait => return Poll::Pending,
                },
            }
        }
    }

    /// What the time asks for: the client's own, the Plan's, or the engine's end.
    fn poll_time(&mut self, cx: &mut Context<'_>, alarm: &Alarm) -> Time {
        let clock = &self.worker.clock;
        let now = clock.now();
        if self.current.as_ref().is_some_and(|(version, _)| *version != self.worker.shared.version()) {
            // A Snapshot is not kept by a connection that asks for nothing.
            self.current = None;
        }
        if self.meter.is_over() && !self.leaving {
            return Time::Leave(Reason::ENHANCE_YOUR_CALM);
        }
        if !self.leaving && (self.client.is_closing(&self.worker) || self.client.is_worn(&self.worker, &self.http)) {
            return Time::Leave(Reason::NO_ERROR);
        }
        if self.streams.get() > 0 {
            self.idle_until = NEVER;
        } else if self.idle_until == NEVER {
            self.idle_until = clock.after(if self.leaving { GOODBYE_MS } else { self.http.timeouts.keepalive_ms });
        }
        let write_idle_ms = self.http.timeouts.write_idle_ms;
        let stuck_until = match self.meter.stuck_since.get() {
            NEVER => NEVER,
            _ if write_idle_ms == 0 => NEVER,
            since => since.saturating_add(write_idle_ms + TICK_MS),
        };
        let max_age_ms = self.http.keepalive.max_age_ms;
        let old_at =
            if max_age_ms == 0 || self.leaving { NEVER } else { self.client.born.saturating_add(max_age_ms + 1) };
        if !alarm.poll(cx, self.idle_until.min(stuck_until).min(old_at)) {
            return Time::Wait;
        }
        if stuck_until <= now || self.leaving {
            return Time::Over;
        }
        Time::Leave(Reason::NO_ERROR)
    }

    /// Begins the exchange of a stream.
    fn begin(&mut self, request: Request<RecvStream>, mut respond: SendResponse<Bytes>) {
        let Some(current) = self.current() else { return respond.send_reset(Reason::REFUSED_STREAM) };
        let worker = Rc::clone(&self.worker);
        let http = &current.listener.http;
        let mut scratch = worker.scratches.borrow_for_stream();
        // Here and not in its task: a head takes much less memory once it was taken over.
        let read = head::take(&mut scratch.request.head, &request, &http.limits);
        self.client.asks(&worker, http);
        let stream = Stream::new(respond, request.into_body(), Rc::clone(&self.meter));
        let downstream = Downstream {
            side: Side::Http2(Box::new(stream)),
            client: Rc::clone(&self.client),
            alarm: worker.clock.alarm(),
            worker,
            ended: false,
        };
        self.streams.set(self.streams.get() + 1);
        let running = Running(Rc::clone(&self.streams));
        let exchange =
            Exchange { downstream, scratch, current, read, meter: Rc::clone(&self.meter), _running: running };
        Tasks::run(&self.worker, exchange);
    }

    fn current(&mut self) -> Option<Rc<Current>> {
        let version = self.worker.shared.version();
        match &self.current {
            Some((of, current)) if *of == version => Some(Rc::clone(current)),
            _ => {
                let listener = listener_run(&self.worker, &self.client.listener)?;
                let current = Rc::new(Current { _view: self.worker.view(), listener });
                self.current = Some((version, Rc::clone(&current)));
                Some(current)
            }
        }
    }
}

enum Time {
    Wait,
    /// The client is told to go, for this reason.
    Leave(Reason),
    /// The connection ends here.
    Over,
}

/// Counts an exchange down when it ends, however it ends.
struct Running(Rc<Cell<usize>>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

/// A stream's exchange.
struct Exchange {
    downstream: Downstream,
    scratch: Box<Scratch>,
    current: Rc<Current>,
    read: Result<(), Refusal>,
    meter: Rc<Meter>,
    _running: Running,
}

impl Exchange {
    async fn run(self) {
        let Self { mut downstream, mut scratch, current, read, meter, _running } = self;
        let worker = Rc::clone(&downstream.worker);
        let _panic = CountPanic(&worker);
        let listener = &current.listener;
        let bytes = scratch.request.head.bytes.len();
        // What becomes of the connection is its driver's.
        let _: Next = match read {
            Ok(()) => route::exchange(&mut downstream, &mut scratch, listener, bytes).await,
            Err(refusal) => route::refuse(&mut downstream, &mut scratch, listener, Fault::of_request(refusal)).await,
        };
        if matches!(&downstream.side, Side::Http2(stream) if stream.is_served()) {
            meter.served();
        }
        worker.scratches.give_back(scratch);
    }
}
