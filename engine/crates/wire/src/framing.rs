//! Where a body ends.
//!
//! Facts (RFC 9112 section 6.3): 1xx, 204, 304 and answers to HEAD have none; Transfer-Encoding overrides
//! Content-Length, and both together "ought to be handled as an error"; a length that is not one number is
//! unrecoverable; a response without either ends with the connection, a request without either has none.
//!
//! Decisions: both together, a coding other than one `chunked`, any coding in HTTP/1.0, and lengths that differ
//! are refused, in requests and in responses. The same length said twice in two lines counts once.
//!
//! HTTP/2 has frames for that (RFC 9113 section 8.1): there the framing is what the request gets on its way upstream,
//! its length where it says one, else chunked. Trailers that are announced go on, which takes chunks.

use crate::field::{trim, Known};
use crate::head::Head;
use crate::Refusal;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    None,
    Length(u64),
    Chunked,
    UntilClose,
}

/// The framing of a request.
///
/// # Errors
/// [`Refusal::Malformed`] for what RFC 9112 section 6.3 calls ambiguous.
pub fn of_request(head: &Head) -> Result<Framing, Refusal> {
    let declared = declared(head)?;
    if head.http2 {
        return of_stream(head, declared);
    }
    Ok(declared.unwrap_or(Framing::None))
}

fn of_stream(head: &Head, declared: Option<Framing>) -> Result<Framing, Refusal> {
    match (declared, head.open) {
        (Some(Framing::Length(1..)), false) => Err(Refusal::Malformed("Content-Length without a body")),
        (declared, false) => Ok(declared.unwrap_or(Framing::None)),
        (Some(Framing::Length(_)), true) if head.seen.has(Known::Trailer) => Ok(Framing::Chunked),
        (Some(framing), true) => Ok(framing),
        (None, true) => Ok(Framing::Chunked),
    }
}

/// The framing of a response to `method`.
///
/// # Errors
/// As for requests.
pub fn of_response(head: &Head, method: &[u8]) -> Result<Framing, Refusal> {
    let declared = declared(head)?;
    if head.status < 200 || head.status == 204 || head.status == 304 || method == b"HEAD" {
        return Ok(Framing::None);
    }
    Ok(declared.unwrap_or(Framing::UntilClose))
}

/// What Content-Length says, if it is one number.
///
/// # Errors
/// [`Refusal::Malformed`] when lines differ or are no number.
pub fn content_length(head: &Head) -> Result<Option<u64>, Refusal> {
    if !head.seen.has(Known::ContentLength) {
        return Ok(None);
    }
    let mut length = None;
    for f in head.live().filter(|f| f.known == Known::ContentLength) {
        let this = number(head.text(f.value)).ok_or(Refusal::Malformed("Content-Length is not a number"))?;
        if length.is_some_and(|before| before != this) {
            return Err(Refusal::Malformed("Content-Length is said twice and differs"));
        }
        length = Some(this);
    }
    Ok(length)
}

fn declared(head: &Head) -> Result<Option<Framing>, Refusal> {
    let length = content_length(head)?;
    if !head.seen.has(Known::TransferEncoding) {
        return Ok(length.map(Framing::Length));
    }
    if length.is_some() {
        return Err(Refusal::Malformed("Content-Length and Transfer-Encoding together"));
    }
    if head.minor == 0 {
        return Err(Refusal::Malformed("Transfer-Encoding in HTTP/1.0"));
    }
    let mut lines = head.live().filter(|f| f.known == Known::TransferEncoding);
    match (lines.next(), lines.next()) {
        (Some(only), None) if trim(head.text(only.value)).eq_ignore_ascii_case(b"chunked") => {
            Ok(Some(Framing::Chunked))
        }
        (Some(_), None) => Err(Refusal::Malformed("a transfer coding other than chunked")),
        _ => Err(Refusal::Malformed("Transfer-Encoding is said twice")),
    }
}

/// Digits only, no sign, no list; at most 19 of them.
fn number(text: &[u8]) -> Option<u64> {
    if text.is_empty() || text.len() > 19 {
        return None;
    }
    text.iter().try_fold(0u64, |n, b| b.is_ascii_digit().then(|| n * 10 + u64::from(b - b'0')))
}
