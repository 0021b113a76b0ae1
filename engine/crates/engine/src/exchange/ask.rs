//! Sends the request and waits for the response head; the body goes on being sent meanwhile.

use std::io;
use std::task::Poll;

use plan::fault::FaultKind;
use wire::field::Known;
use wire::Refusal;

use super::answer::write_status;
use super::connection::Connection;
use super::forward::Forwarding;
use super::upload::{Source, Stopped, Upload};
use crate::buffer::Scratch;
use crate::clock::{Moment, NEVER};
use crate::fault::Fault;
use crate::upstream::connect::Failed;
use crate::upstream::pool::Upstream;

/// How long a client that expects 100 is left waiting when its endpoint says nothing (Go's and so Traefik's second).
const CONTINUE_MS: u64 = 1000;

/// Why there is no response head.
#[derive(Debug)]
pub enum Failure {
    Connect(Failed),
    /// Closed or reset before the head; `heard`: an interim response came first.
    Silent {
        how: String,
        heard: bool,
    },
    Timeout,
    Invalid(Refusal),
    /// The route asks another endpoint on this status.
    Status(u16),
    Client(Fault),
}

/// On success the final head stands in `scratch.response` and what follows it in `scratch.upstream`.
pub async fn ask(
    connection: &mut Connection,
    scratch: &mut Scratch,
    to: &Forwarding<'_>,
    upload: &mut Upload,
    upstream: &mut Upstream,
) -> Result<(), Failure> {
    let worker = std::rc::Rc::clone(&connection.worker);
    let clock = &worker.clock;
    let transport = &*to.proxy.transport;
    scratch.upstream.consume(scratch.upstream.len());
    let mut searched = 0;
    let mut interim_bytes = 0;
    let mut head_until: Moment = NEVER;
    let mut expects = scratch.request.expects_continue && upload.body_bytes == 0;
    let mut continue_until: Moment = NEVER;
    std::future::poll_fn(|cx| {
        let Scratch {
            client: buffer,
            upstream: received,
            to_upstream: out,
            to_client,
            request,
            response,
            trailers,
            ..
        } = &mut *scratch;
        loop {
            if !upload.finished(out) {
                let mut source = Source { io: &mut connection.io, buffer, trailers };
                match upload.poll(cx, clock, &mut source, out, &mut upstream.io) {
                    Poll::Ready(Err(Stopped::Client(fault))) => return Poll::Ready(Err(Failure::Client(fault))),
                    // It may still have something to say.
                    Poll::Ready(_) | Poll::Pending => {}
                }
            }
            if let Err(error) = flush(cx, connection, to_client) {
                return Poll::Ready(Err(Failure::Client(gone(&error))));
            }
            match upstream.io.poll_read(cx, received) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(silent(searched, interim_bytes, "closed"))),
                Poll::Ready(Err(error)) => {
                    return Poll::Ready(Err(silent(searched, interim_bytes, &error.to_string())))
                }
                Poll::Ready(Ok(_)) => {}
                Poll::Pending => break,
            }
            // Interim responses come before the final one (RFC 9110 section 15.2).
            loop {
                match wire::response::parse(response, received.filled(), searched, &transport.limits) {
                    Err(refusal) => return Poll::Ready(Err(Failure::Invalid(refusal))),
                    Ok(None) => {
                        searched = received.len();
                        break;
                    }
                    Ok(Some(len)) => {
                        received.consume(len);
                        searched = 0;
                        if response.status >= 200 || response.status == 101 {
                            return Poll::Ready(Ok(()));
                        }
                        // All of them together are no larger than a head may be: the client may read none.
                        interim_bytes += len;
                        if interim_bytes > transport.limits.head_bytes {
                            return Poll::Ready(Err(Failure::Invalid(Refusal::HeadTooLarge)));
                        }
                        let wanted =
                            if response.status == 100 { std::mem::take(&mut expects) } else { to.proxy.informational };
                        if wanted && request.head.minor >= 1 {
                            write_interim(to_client, response);
                        }
                        if received.is_empty() {
                            break;
                        }
                    }
                }
            }
        }
        if upload.body_done() && buffer.is_empty() && !connection.ended {
            match connection.io.poll_read(cx, buffer) {
                // It has ended its sending side only: the answer is still awaited.
                Poll::Ready(Ok(0)) => connection.ended = true,
                Poll::Ready(Ok(_)) | Poll::Pending => {}
                Poll::Ready(Err(error)) => return Poll::Ready(Err(Failure::Client(gone(&error)))),
            }
        }
        if upload.finished(out) && head_until == NEVER {
            head_until = clock.after(transport.response_head_ms);
        }
        if expects && continue_until == NEVER {
            continue_until = clock.after(CONTINUE_MS);
        }
        if upload.body_bytes > 0 {
            expects = false;
        }
        loop {
            let upload_until = if upload.finished(out) { NEVER } else { upload.deadline() };
            let continue_at = if expects { continue_until } else { NEVER };
            // A client that waits for 100 is not late.
            let upload_until = if expects { NEVER } else { upload_until };
            if !connection.alarm.poll(cx, upload_until.min(head_until).min(continue_at)) {
                return Poll::Pending;
            }
            if continue_at <= clock.now() {
                expects = false;
                to_client.extend_from_slice(b"HTTP/1.1 100 Continue\r\n\r\n");
                if let Err(error) = flush(cx, connection, to_client) {
                    return Poll::Ready(Err(Failure::Client(gone(&error))));
                }
                continue;
            }
            if upload_until <= clock.now() && upload.is_client_late(clock.now()) {
                let fault = Fault::new(FaultKind::BodyTimeout, "the request body did not come in time");
                return Poll::Ready(Err(Failure::Client(fault)));
            }
            return Poll::Ready(Err(Failure::Timeout));
        }
    })
    .await
}

fn silent(searched: usize, interim_bytes: usize, how: &str) -> Failure {
    if searched == 0 {
        Failure::Silent { how: format!("{how} before a response"), heard: interim_bytes > 0 }
    } else {
        Failure::Invalid(Refusal::Malformed("the response head is incomplete"))
    }
}

fn gone(error: &io::Error) -> Fault {
    Fault::new(FaultKind::ClientGone, error.to_string())
}

fn write_interim(out: &mut Vec<u8>, head: &wire::head::Head) {
    write_status(out, head.status, head.text(head.reason));
    head.write_fields(out, wire::field::HOP_BY_HOP);
    out.extend_from_slice(b"\r\n");
    debug_assert!(!head.seen.has(Known::ContentLength) || head.status < 200);
}

/// Sends what interim responses have put there, as far as the client takes it.
fn flush(cx: &mut std::task::Context<'_>, connection: &mut Connection, out: &mut Vec<u8>) -> io::Result<()> {
    while !out.is_empty() {
        match connection.io.poll_write(cx, out, &[]) {
            Poll::Ready(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
            Poll::Ready(Ok(n)) => drop(out.drain(..n)),
            Poll::Ready(Err(error)) => return Err(error),
            Poll::Pending => break,
        }
    }
    Ok(())
}
