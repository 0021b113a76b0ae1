//! Reading a request head.
//!
//! Facts (RFC 9112): a line ends with CRLF, a recipient MAY take a bare LF (2.2); empty lines before the
//! request line are skipped (2.2); white space before the colon is refused with 400 (5.1); obs-fold is refused
//! with 400 (5.2); a 1.1 request without exactly one Host is refused with 400 (3.2).
//!
//! Decisions: a bare LF is refused unless the limits tolerate it; the version is HTTP/1.0 or HTTP/1.1.

use std::mem::MaybeUninit;

use crate::field::Known;
use crate::head::{find_end, take_fields, Head, Span};
use crate::{HeadLimits, Refusal};

/// Fields parsed without an allocation; more go through a list as long as the limit allows.
const USUAL_FIELDS: usize = 48;

/// Reads a request head from the beginning of `input` into `head`. `searched` is how many bytes earlier calls
/// saw without finding its end (0 at first). Gives the head's length, or `None` when more is needed.
///
/// # Errors
/// Why the request is refused; the connection cannot be used on.
pub fn parse(head: &mut Head, input: &[u8], searched: usize, limits: &HeadLimits) -> Result<Option<usize>, Refusal> {
    // The whole head is parsed once: at first sight, and again only when its end has come.
    if searched > 0 && find_end(input, searched).is_none() {
        return incomplete(input, limits).map(|()| None);
    }
    head.clear();
    let mut few = [const { MaybeUninit::uninit() }; USUAL_FIELDS];
    let mut request = httparse::Request::new(&mut []);
    match request.parse_with_uninit_headers(input, &mut few) {
        Err(httparse::Error::TooManyHeaders) if limits.fields > USUAL_FIELDS => {
            let mut many = vec![httparse::EMPTY_HEADER; limits.fields];
            let mut request = httparse::Request::new(&mut many);
            let status = request.parse(input);
            take(head, input, &request, status, limits)
        }
        status => take(head, input, &request, status, limits),
    }
}

fn take(
    head: &mut Head,
    input: &[u8],
    request: &httparse::Request<'_, '_>,
    status: httparse::Result<usize>,
    limits: &HeadLimits,
) -> Result<Option<usize>, Refusal> {
    let len = match status {
        Ok(httparse::Status::Complete(len)) => len,
        Ok(httparse::Status::Partial) => return incomplete(input, limits).map(|()| None),
        // Which version is asked for is known when the line has ended.
        Err(httparse::Error::Version) if !has_first_line(input) => return incomplete(input, limits).map(|()| None),
        Err(error) => return Err(refusal(error, input, limits)),
    };
    let (Some(method), Some(target), Some(minor)) = (request.method, request.path, request.version) else {
        return Err(Refusal::Malformed("the request line is incomplete"));
    };
    let base = input.as_ptr() as usize;
    let span = |text: &str| {
        let start = text.as_ptr() as usize - base;
        Span::new(start, start + text.len())
    };
    head.method = span(method);
    head.target = span(target);
    head.minor = minor;
    if target.len() > limits.target_bytes {
        return Err(Refusal::TargetTooLong);
    }
    if len > limits.head_bytes || request.headers.len() > limits.fields {
        return Err(Refusal::HeadTooLarge);
    }
    take_fields(head, input, request.headers, limits)?;
    if !limits.bare_lf {
        let before = &input[..head.method.start as usize];
        let after_line = head.target.end as usize + " HTTP/1.1".len();
        if input.get(after_line) != Some(&b'\r') {
            return Err(Refusal::Malformed("a bare LF ends the request line"));
        }
        if &input[len - 2..len] != b"\r\n" || before.chunks(2).any(|c| c != b"\r\n") {
            return Err(Refusal::Malformed("a bare LF ends an empty line"));
        }
    }
    head.bytes.extend_from_slice(&input[..len]);
    check_host(head)?;
    Ok(Some(len))
}

/// RFC 9112 section 3.2.
fn check_host(head: &Head) -> Result<(), Refusal> {
    let mut hosts = head.live().filter(|f| f.known == Known::Host);
    match (hosts.next(), hosts.next()) {
        (None, _) if head.minor == 1 => Err(Refusal::Malformed("no Host")),
        (Some(_), Some(_)) => Err(Refusal::Malformed("several Hosts")),
        (Some(host), None) if !valid_host(head.text(host.value)) => Err(Refusal::Malformed("Host is malformed")),
        _ => Ok(()),
    }
}

/// `uri-host [ ":" port ]` (RFC 9110 section 7.2); empty is allowed.
#[must_use]
pub fn valid_host(host: &[u8]) -> bool {
    let (name, port) = split_port(host);
    let digits = port.is_none_or(|p| p.iter().all(u8::is_ascii_digit) && p.len() <= 5);
    let body = match name {
        [b'[', inner @ .., b']'] => inner.iter().all(|b| b.is_ascii_hexdigit() || b":.%vV".contains(b)),
        _ => name.iter().all(|&b| REG_NAME[b as usize]),
    };
    digits && body
}

/// `reg-name` (RFC 3986 section 3.2.2).
const REG_NAME: [bool; 256] = {
    let mut allowed = [false; 256];
    let mut b = 0;
    while b < 256 {
        let byte = b as u8;
        let mark = matches!(
            byte,
            b'-' | b'.'
                | b'_'
                | b'~'
                | b'%'
                | b'!'
                | b'$'
                | b'&'
                | b'\''
                | b'('
                | b')'
                | b'*'
                | b'+'
                | b','
                | b';'
                | b'='
        );
        allowed[b] = byte.is_ascii_alphanumeric() || mark;
        b += 1;
    }
    allowed
};

/// Host and port, the port without its colon; brackets stay with an IPv6 address.
#[must_use]
pub fn split_port(host: &[u8]) -> (&[u8], Option<&[u8]>) {
    let after = host.iter().rposition(|&b| b == b']').map_or(0, |at| at + 1);
    match host[after..].iter().rposition(|&b| b == b':') {
        Some(at) => (&host[..after + at], Some(&host[after + at + 1..])),
        None => (host, None),
    }
}

/// Too much came without the head's end.
fn incomplete(input: &[u8], limits: &HeadLimits) -> Result<(), Refusal> {
    let line_end = memchr::memchr(b'\n', input);
    // A method and a version stand beside the target.
    if line_end.is_none() && input.len() > limits.target_bytes.saturating_add(64) {
        return Err(Refusal::TargetTooLong);
    }
    if input.len() > limits.head_bytes {
        return Err(Refusal::HeadTooLarge);
    }
    Ok(())
}

fn refusal(error: httparse::Error, input: &[u8], limits: &HeadLimits) -> Refusal {
    match error {
        httparse::Error::TooManyHeaders => Refusal::HeadTooLarge,
        httparse::Error::Version if names_a_version(input) => Refusal::Version,
        httparse::Error::HeaderName => Refusal::Malformed("a field name is malformed"),
        httparse::Error::HeaderValue => Refusal::Malformed("a field value holds a control character"),
        httparse::Error::NewLine => Refusal::Malformed("a bare CR"),
        _ if input.len() > limits.head_bytes => Refusal::HeadTooLarge,
        _ => Refusal::Malformed("the request line is malformed"),
    }
}

fn has_first_line(input: &[u8]) -> bool {
    let begun = input.iter().position(|b| !matches!(b, b'\r' | b'\n')).unwrap_or(0);
    memchr::memchr(b'\n', &input[begun..]).is_some()
}

/// The first line ends in `HTTP/d.d` and is not 1.0 or 1.1: another version, not garbage.
fn names_a_version(input: &[u8]) -> bool {
    let line = input.split(|&b| b == b'\n').find(|l| !matches!(l, [] | [b'\r'])).unwrap_or(input);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let word = line.rsplit(|&b| b == b' ').next().unwrap_or(line);
    matches!(word, [b'H', b'T', b'T', b'P', b'/', major, b'.', minor]
        if major.is_ascii_digit() && minor.is_ascii_digit() && !matches!((major, minor), (b'1', b'0' | b'1')))
}
