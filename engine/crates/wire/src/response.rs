//! Reading a response head, with the same strictness as a request's.
//!
//! Decisions: no empty line stands before the status line (RFC 9112 section 2.2 has that of requests only): it would
//! be the rest of another message.

use std::mem::MaybeUninit;

use crate::head::{has_news, take_fields, Head, Span};
use crate::{HeadLimits, Refusal};

const USUAL_FIELDS: usize = 48;

/// Reads a response head from the beginning of `input`; the arguments are those of [`crate::request::parse`].
///
/// # Errors
/// Why the response cannot be passed on (502).
pub fn parse(head: &mut Head, input: &[u8], searched: usize, limits: &HeadLimits) -> Result<Option<usize>, Refusal> {
    if !has_news(input, searched) {
        return incomplete(input, limits);
    }
    head.clear();
    let result = read(head, input, limits);
    if result.is_err() {
        head.clear();
    }
    result
}

fn read(head: &mut Head, input: &[u8], limits: &HeadLimits) -> Result<Option<usize>, Refusal> {
    if matches!(input.first(), Some(b'\r' | b'\n')) {
        return Err(Refusal::Malformed("an empty line before the status line"));
    }
    let mut few = [const { MaybeUninit::uninit() }; USUAL_FIELDS];
    let mut response = httparse::Response::new(&mut []);
    let config = httparse::ParserConfig::default();
    match config.parse_response_with_uninit_headers(&mut response, input, &mut few) {
        Err(httparse::Error::TooManyHeaders) if limits.fields > USUAL_FIELDS => {
            // A line has three bytes at least.
            let mut many = vec![httparse::EMPTY_HEADER; limits.fields.min(input.len() / 3)];
            let mut response = httparse::Response::new(&mut many);
            let status = response.parse(input);
            take(head, input, &response, status, limits)
        }
        status => take(head, input, &response, status, limits),
    }
}

fn take(
    head: &mut Head,
    input: &[u8],
    response: &httparse::Response<'_, '_>,
    status: httparse::Result<usize>,
    limits: &HeadLimits,
) -> Result<Option<usize>, Refusal> {
    let len = match status {
        Ok(httparse::Status::Complete(len)) => len,
        Ok(httparse::Status::Partial) => return incomplete(input, limits),
        Err(httparse::Error::TooManyHeaders) => return Err(Refusal::HeadTooLarge),
        Err(_) => return Err(Refusal::Malformed("the response head is malformed")),
    };
    let (Some(code), Some(minor)) = (response.code, response.version) else {
        return Err(Refusal::Malformed("the status line is incomplete"));
    };
    if !(100..600).contains(&code) {
        return Err(Refusal::Malformed("the status is out of range"));
    }
    if len > limits.head_bytes || response.headers.len() > limits.fields {
        return Err(Refusal::HeadTooLarge);
    }
    head.status = code;
    head.minor = minor;
    head.bytes.extend_from_slice(&input[..len]);
    take_fields(head, input, response.headers, limits)?;
    head.received = head.fields.len();
    let line_end = memchr::memchr(b'\n', input).unwrap_or(len);
    let line = &input[..line_end];
    let clean = line.ends_with(b"\r");
    let all_clean = clean && input[..len].ends_with(b"\r\n");
    if !all_clean && !limits.bare_lf {
        return Err(Refusal::Malformed("a bare LF ends a line"));
    }
    // The reason may be empty, with or without the space before it.
    let end = line_end - usize::from(clean);
    head.reason = Span::new("HTTP/1.1 200 ".len().min(end), end);
    Ok(Some(len))
}

fn incomplete(input: &[u8], limits: &HeadLimits) -> Result<Option<usize>, Refusal> {
    if input.len() > limits.head_bytes {
        return Err(Refusal::HeadTooLarge);
    }
    Ok(None)
}
