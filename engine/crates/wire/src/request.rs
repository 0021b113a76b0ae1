//! Reading a request head.
//!
//! Facts (RFC 9112): a line ends with CRLF, a recipient MAY take a bare LF (2.2); empty lines before the
//! request line are skipped (2.2); white space before the colon is refused with 400 (5.1); obs-fold is refused
//! with 400 (5.2); a 1.1 request without exactly one Host is refused with 400 (3.2).
//!
//! Decisions: a bare LF is refused unless the limits tolerate it; the version is HTTP/1.0 or HTTP/1.1; a few empty
//! lines are skipped, not any number; a method is at most 32 bytes long (9112, section 3: 501).

use std::mem::MaybeUninit;

use crate::field::Known;
use crate::head::{first_line_end, has_news, take_fields, Head, Span};
use crate::{HeadLimits, Refusal};

/// Fields parsed without an allocation; more go through a list as long as the limit allows.
const USUAL_FIELDS: usize = 48;
/// The longest registered method has 17 bytes.
const METHOD_BYTES: usize = 32;
/// Bytes of empty lines before the request line: clients of old sent one behind a body.
const EMPTY_BYTES: usize = 8;
/// What stands beside method and target in a request line: two spaces and the version.
const BESIDE_TARGET: usize = "  HTTP/1.1\r".len();

/// Reads a request head from the beginning of `input` into `head`. `searched` is how many bytes earlier calls
/// saw without finding its end (0 at first). Gives the head's length, or `None` when more is needed. A request line
/// is refused when it has come, a field at the latest when the whole head has; then `head` is empty.
///
/// # Errors
/// Why the request is refused; the connection cannot be used on.
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
    let mut few = [const { MaybeUninit::uninit() }; USUAL_FIELDS];
    let mut request = httparse::Request::new(&mut []);
    match request.parse_with_uninit_headers(input, &mut few) {
        Err(httparse::Error::TooManyHeaders) if limits.fields > USUAL_FIELDS => {
            // A line has three bytes at least.
            let mut many = vec![httparse::EMPTY_HEADER; limits.fields.min(input.len() / 3)];
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
        Ok(httparse::Status::Partial) => return incomplete(input, limits),
        // Half a version: 400 or 505 is known when its line has ended.
        Err(httparse::Error::Version) if first_line(input).is_none() => return incomplete(input, limits),
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
    if head.method.start as usize > EMPTY_BYTES {
        return Err(TOO_MANY_EMPTY_LINES);
    }
    if method.len() > METHOD_BYTES {
        return Err(METHOD_TOO_LONG);
    }
    if target.len() > limits.target_bytes {
        return Err(Refusal::TargetTooLong);
    }
    if len > limits.head_bytes || request.headers.len() > limits.fields {
        return Err(Refusal::HeadTooLarge);
    }
    head.bytes.extend_from_slice(&input[..len]);
    take_fields(head, input, request.headers, limits)?;
    if !limits.bare_lf {
        let before = &input[..head.method.start as usize];
        let after_line = head.target.end as usize + " HTTP/1.1".len();
        if input.get(after_line) != Some(&b'\r') {
            return Err(Refusal::Malformed("a bare LF ends the request line"));
        }
        if !input[..len].ends_with(b"\r\n") || before.chunks(2).any(|c| c != b"\r\n") {
            return Err(Refusal::Malformed("a bare LF ends an empty line"));
        }
    }
    check_host(head, limits.empty_host)?;
    Ok(Some(len))
}

/// RFC 9112 section 3.2.
fn check_host(head: &Head, may_be_empty: bool) -> Result<(), Refusal> {
    let mut hosts = head.live().filter(|f| f.known == Known::Host);
    match (hosts.next(), hosts.next()) {
        (None, _) if head.minor == 1 => Err(Refusal::Malformed("no Host")),
        (Some(_), Some(_)) => Err(Refusal::Malformed("several Hosts")),
        (Some(host), None) if !valid_host(head.text(host.value)) => Err(Refusal::Malformed("Host is malformed")),
        (Some(host), None) if !may_be_empty && names_none(head.text(host.value)) => Err(EMPTY_HOST),
        _ => Ok(()),
    }
}

/// Nothing, or a port alone.
pub(crate) fn names_none(host: &[u8]) -> bool {
    split_port(host).0.is_empty()
}

/// `uri-host [ ":" port ]` (RFC 9110 section 7.2); empty is allowed.
#[must_use]
pub fn valid_host(host: &[u8]) -> bool {
    let (name, port) = split_port(host);
    let digits = port.is_none_or(|p| p.is_empty() || is_port(p));
    let body = match name {
        [b'[', b'v' | b'V', inner @ .., b']'] => is_later_literal(inner),
        [b'[', inner @ .., b']'] => {
            !inner.is_empty()
                && inner.iter().all(|b| b.is_ascii_hexdigit() || b":.%".contains(b))
                && !inner.windows(2).any(|pair| pair == b"..")
        }
        // Not even a host of its own, or an empty label (RFC 1034 section 3.1) that whoever comes next may fold.
        _ => is_reg_name(name),
    };
    digits && body
}

/// `reg-name`, without empty labels.
fn is_reg_name(name: &[u8]) -> bool {
    let mut before = 0;
    let mut sound = name != b".";
    for &b in name {
        sound &= REG_NAME[b as usize] && !(b == b'.' && before == b'.');
        before = b;
    }
    sound
}

/// `IPvFuture` behind its `v` (RFC 3986 section 3.2.2).
fn is_later_literal(text: &[u8]) -> bool {
    let digits = text.iter().take_while(|b| b.is_ascii_hexdigit()).count();
    match text.get(digits..) {
        Some([b'.', rest @ ..]) if digits > 0 && !rest.is_empty() => {
            rest.iter().all(|&b| b == b':' || (REG_NAME[b as usize] && b != b'%'))
        }
        _ => false,
    }
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

/// A decimal number of 16 bits.
fn is_port(text: &[u8]) -> bool {
    let digit = |n: u32, &b: &u8| b.is_ascii_digit().then(|| n * 10 + u32::from(b - b'0'));
    text.len() <= 5 && text.iter().try_fold(0, digit).is_some_and(|n| n <= u32::from(u16::MAX))
}

/// Host and port, the port without its colon; brackets stay with an IPv6 address.
#[must_use]
pub fn split_port(host: &[u8]) -> (&[u8], Option<&[u8]>) {
    match host.iter().rposition(|&b| b == b':' || b == b']') {
        Some(at) if host[at] == b':' => (&host[..at], Some(&host[at + 1..])),
        _ => (host, None),
    }
}

pub(crate) const EMPTY_HOST: Refusal = Refusal::Malformed("Host names none");
const TOO_MANY_EMPTY_LINES: Refusal = Refusal::Malformed("too many empty lines before the request line");
const METHOD_TOO_LONG: Refusal = Refusal::NotImplemented("the method is too long");

/// Whether too much came without the head's end.
fn incomplete(input: &[u8], limits: &HeadLimits) -> Result<Option<usize>, Refusal> {
    let empty = input.iter().take(EMPTY_BYTES + 1).take_while(|b| matches!(b, b'\r' | b'\n')).count();
    if empty > EMPTY_BYTES {
        return Err(TOO_MANY_EMPTY_LINES);
    }
    let line = &input[empty..];
    if line.len() > METHOD_BYTES && !line[..=METHOD_BYTES].contains(&b' ') {
        return Err(METHOD_TOO_LONG);
    }
    let longest = limits.target_bytes.saturating_add(METHOD_BYTES + BESIDE_TARGET);
    if line.len() > longest && memchr::memchr(b'\n', &line[..=longest]).is_none() {
        return Err(Refusal::TargetTooLong);
    }
    if input.len() > limits.head_bytes {
        return Err(Refusal::HeadTooLarge);
    }
    Ok(None)
}

fn refusal(error: httparse::Error, input: &[u8], limits: &HeadLimits) -> Refusal {
    match error {
        httparse::Error::TooManyHeaders => Refusal::HeadTooLarge,
        httparse::Error::Version if names_a_version(input) => Refusal::Version,
        httparse::Error::HeaderName => Refusal::Malformed("a field name is malformed"),
        httparse::Error::HeaderValue => Refusal::Malformed("a field value holds a control character"),
        httparse::Error::NewLine => Refusal::Malformed("a line does not end with CRLF"),
        _ if input.len() > limits.head_bytes => Refusal::HeadTooLarge,
        _ => Refusal::Malformed("the request line is malformed"),
    }
}

/// The request line is `method target HTTP/d.d`: another version, not garbage.
fn names_a_version(input: &[u8]) -> bool {
    let mut words = first_line(input).unwrap_or_default().split(|&b| b == b' ');
    let (_, _, version, more) = (words.next(), words.next(), words.next(), words.next());
    more.is_none()
        && matches!(version, Some([b'H', b'T', b'T', b'P', b'/', major, b'.', minor])
            if major.is_ascii_digit() && minor.is_ascii_digit())
}

/// The first line that is not empty, once it has ended, without its end.
fn first_line(input: &[u8]) -> Option<&[u8]> {
    let line = &input[..first_line_end(input)?];
    let line = &line[line.iter().position(|b| !matches!(b, b'\r' | b'\n'))?..];
    Some(line.strip_suffix(b"\r").unwrap_or(line))
}
