//! Reading a response head, with the same strictness as a request's.

use std::mem::MaybeUninit;

use crate::head::{find_end, take_fields, Head, Span};
use crate::{HeadLimits, Refusal};

const USUAL_FIELDS: usize = 48;

/// Reads a response head from the beginning of `input`; the arguments are those of [`crate::request::parse`].
///
/// # Errors
/// Why the response cannot be passed on (502).
pub fn parse(head: &mut Head, input: &[u8], searched: usize, limits: &HeadLimits) -> Result<Option<usize>, Refusal> {
    if searched > 0 && find_end(input, searched).is_none() {
        return incomplete(input, limits);
    }
    head.clear();
    let mut few = [const { MaybeUninit::uninit() }; USUAL_FIELDS];
    let mut response = httparse::Response::new(&mut []);
    match httparse::ParserConfig::default().parse_response_with_uninit_headers(&mut response, input, &mut few) {
        Err(httparse::Error::TooManyHeaders) if limits.fields > USUAL_FIELDS => {
            let mut many = vec![httparse::EMPTY_HEADER; limits.fields];
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
    take_fields(head, input, response.headers, limits)?;
    let line_end = memchr::memchr(b'\n', input).unwrap_or(0);
    if !limits.bare_lf && (line_end == 0 || input[line_end - 1] != b'\r' || &input[len - 2..len] != b"\r\n") {
        return Err(Refusal::Malformed("a bare LF ends a line"));
    }
    // `HTTP/1.1 200 reason`: the reason may be empty, with or without its space.
    let end = if line_end > 0 && input[line_end - 1] == b'\r' { line_end - 1 } else { line_end };
    let start = memchr::memmem::find(&input[..line_end], b"HTTP/").unwrap_or(0) + "HTTP/1.1 200".len();
    head.reason = Span::new((start + 1).min(end), end);
    head.bytes.extend_from_slice(&input[..len]);
    Ok(Some(len))
}

fn incomplete(input: &[u8], limits: &HeadLimits) -> Result<Option<usize>, Refusal> {
    if input.len() > limits.head_bytes {
        return Err(Refusal::HeadTooLarge);
    }
    Ok(None)
}
