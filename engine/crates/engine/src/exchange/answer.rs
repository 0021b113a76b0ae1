//! Writes response heads to the client in canonical form: status line, fields, Date, framing, Connection.

use std::io;
use std::task::{ready, Context, Poll};

use wire::chunk::{Decoder, Piece};
use wire::field::{known, tokens, Known, KnownSet, HOP_BY_HOP};
use wire::framing::Framing;
use wire::head::Head;

use super::downstream::{gone, Downstream, Side};
use crate::buffer::Scratch;
use crate::clock::Clock;
use crate::fault::Fault;
use crate::io::Io;
use crate::snapshot::listener::HostRun;

/// How a response's body goes to the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// There is none; a length may still be said (HEAD, 304).
    None(Option<u64>),
    Length(u64),
    Chunked,
    /// Ends with the connection (HTTP/1.0 clients).
    UntilClose,
}

/// Writes the head of a final response.
pub fn write_head(out: &mut Vec<u8>, head: &Head, delivery: Delivery, keeps: bool, client_minor: u8, clock: &Clock) {
    write_status(out, head.status, head.text(head.reason));
    head.write_fields(out, HOP_BY_HOP);
    if !head.seen.has(Known::Date) {
        clock.put_date(out);
    }
    match delivery {
        Delivery::None(Some(length)) | Delivery::Length(length) => {
            out.extend_from_slice(b"Content-Length: ");
            out.extend_from_slice(itoa::Buffer::new().format(length).as_bytes());
            out.extend_from_slice(b"\r\n");
        }
        Delivery::Chunked => out.extend_from_slice(b"Transfer-Encoding: chunked\r\n"),
        Delivery::None(None) | Delivery::UntilClose => {}
    }
    if !keeps {
        out.extend_from_slice(b"Connection: close\r\n");
    } else if client_minor == 0 {
        out.extend_from_slice(b"Connection: keep-alive\r\n");
    }
    out.extend_from_slice(b"\r\n");
}

/// Writes an interim response.
pub fn write_interim(out: &mut Vec<u8>, head: &Head) {
    write_status(out, head.status, head.text(head.reason));
    head.write_fields(out, HOP_BY_HOP);
    out.extend_from_slice(b"\r\n");
}

/// Writes `HTTP/1.1 200 OK`.
pub fn write_status(out: &mut Vec<u8>, status: u16, reason: &[u8]) {
    out.extend_from_slice(b"HTTP/1.1 ");
    out.extend_from_slice(itoa::Buffer::new().format(status).as_bytes());
    out.push(b' ');
    out.extend_from_slice(if reason.is_empty() { phrase(status).as_bytes() } else { reason });
    out.extend_from_slice(b"\r\n");
}

/// The phrases of RFC 9110 section 15.
fn phrase(status: u16) -> &'static str {
    match status {
        100 => "Continue",
        101 => "Switching Protocols",
        103 => "Early Hints",
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        206 => "Partial Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        414 => "URI Too Long",
        416 => "Range Not Satisfiable",
        417 => "Expectation Failed",
        421 => "Misdirected Request",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        _ => "",
    }
}

/// Fields of a response that belong to the upstream's connection, or are hidden by the route.
pub fn drop_connection_fields(head: &mut Head, hide: &crate::snapshot::route::HideSet) {
    if head.seen.has(Known::Connection) {
        let listed = head.joined(b"connection").unwrap_or_default();
        for name in tokens(&listed) {
            let own = HOP_BY_HOP.union(KnownSet::of(&[Known::Date]));
            if !own.has(known(name)) || known(name) == Known::Other {
                head.remove(name);
            }
        }
    }
    if !hide.is_empty() {
        let Head { bytes, fields, .. } = head;
        for f in fields.iter_mut() {
            f.removed |= (f.known != Known::Other && hide.known.has(f.known))
                || hide.others.iter().any(|name| bytes[f.name.range()].eq_ignore_ascii_case(name));
        }
    }
}

/// How the body of an answer of the engine's own goes: its length is said.
#[must_use]
pub fn own_delivery(status: u16, length: u64) -> Delivery {
    let bodyless = status < 200 || status == 204 || status == 304;
    if bodyless {
        Delivery::None(None)
    } else {
        Delivery::Length(length)
    }
}

/// Takes the rest of a request's body out of the buffer; true when some of it has not come yet.
pub fn skip_body(scratch: &mut Scratch, host: &HostRun) -> bool {
    match scratch.request.framing {
        Framing::None => false,
        Framing::Length(length) => {
            let have = scratch.client.len() as u64;
            scratch.client.consume(usize::try_from(length.min(have)).unwrap_or(0));
            have < length
        }
        Framing::Chunked => {
            let mut decoder = Decoder::new(host.http.chunk_line_bytes, &host.http.limits);
            loop {
                match decoder.next(scratch.client.filled(), &mut scratch.trailers) {
                    Ok(step) => {
                        scratch.client.consume(step.skip);
                        match step.piece {
                            Piece::Data(n) => scratch.client.consume(n),
                            Piece::End => return false,
                            Piece::More => return true,
                        }
                    }
                    Err(_) => return true,
                }
            }
        }
        Framing::UntilClose => true,
    }
}

/// Sends what [`Downstream::begin`] has put into `head`, and a body; gives the bytes sent. HTTP/2 has kept the head.
///
/// # Errors
/// The client is gone, or took nothing for `idle_ms`.
pub async fn send(downstream: &mut Downstream, head: &[u8], body: &[u8], idle_ms: u64) -> Result<u64, Fault> {
    let Downstream { side, alarm, worker, .. } = downstream;
    let clock = &worker.clock;
    let mut sent = 0;
    let mut until = clock.after(idle_ms);
    std::future::poll_fn(|cx| {
        let before = sent;
        let result = match side {
            Side::Http1(io) => poll_send(cx, io, head, body, &mut sent),
            Side::Http2(stream) => stream.poll_send(cx, body, &mut sent),
            Side::Inner(_) => Poll::Ready(Ok(())),
        };
        if sent != before {
            until = clock.after(idle_ms);
        }
        match result {
            Poll::Pending if alarm.poll(cx, until) => Poll::Ready(Err(gone(&io::ErrorKind::TimedOut.into()))),
            Poll::Pending => Poll::Pending,
            Poll::Ready(result) => Poll::Ready(result),
        }
    })
    .await?;
    Ok(match side {
        Side::Http1(_) | Side::Inner(_) => sent,
        Side::Http2(stream) => sent + stream.head_bytes,
    } as u64)
}

fn poll_send(
    cx: &mut Context<'_>,
    io: &mut Io,
    first: &[u8],
    second: &[u8],
    sent: &mut usize,
) -> Poll<Result<(), Fault>> {
    while *sent < first.len() + second.len() {
        let (a, b) =
            if *sent < first.len() { (&first[*sent..], second) } else { (&second[*sent - first.len()..], &[][..]) };
        match ready!(io.poll_write(cx, a, b)) {
            Ok(0) => return Poll::Ready(Err(gone(&io::ErrorKind::WriteZero.into()))),
            Ok(n) => *sent += n,
            Err(error) => return Poll::Ready(Err(gone(&error))),
        }
    }
    io.poll_flush(cx).map_err(|error| gone(&error))
}
