//! The trailer section of a chunked body (RFC 9112 section 7.1.2).
//!
//! Facts (RFC 9110 section 6.5.1): a sender MUST NOT put into trailers what is needed before the body: framing,
//! routing, request modifiers, authentication, response controls, and how the content is to be processed; whoever
//! merges trailers into the head would otherwise be told there what the head was checked for.
//! Decisions: such fields are left out, and so is what only the proxy may say of the client; `_` counts as `-`,
//! since some receivers take them for the same. Lines are as strict as in chunk framing: CRLF always.

use crate::head::{find_end, take_fields, Head};
use crate::{HeadLimits, Refusal};

/// Reads the section from the beginning of `input` and gives its length, or `None` when more is needed.
/// `searched` is how many bytes earlier calls saw. Nothing that stood in `trailers` before is left at the end.
pub(crate) fn read(
    input: &[u8],
    searched: usize,
    trailers: &mut Head,
    limits: &HeadLimits,
) -> Result<Option<usize>, Refusal> {
    match input {
        [b'\r', b'\n', ..] => {
            trailers.clear();
            return Ok(Some(2));
        }
        [] | [b'\r'] => return Ok(None),
        [b'\r' | b'\n', ..] => return Err(Refusal::Malformed("a bare CR or LF in chunk framing")),
        _ => {}
    }
    let Some(len) = find_end(input, searched) else {
        return if input.len() > limits.head_bytes { Err(Refusal::HeadTooLarge) } else { Ok(None) };
    };
    if len > limits.head_bytes {
        return Err(Refusal::HeadTooLarge);
    }
    trailers.clear();
    let section = &input[..len];
    if !section.ends_with(b"\r\n") {
        return Err(Refusal::Malformed("a bare LF in chunk framing"));
    }
    // A line has four bytes at least.
    let mut lines = vec![httparse::EMPTY_HEADER; limits.fields.min(len / 4 + 1)];
    match httparse::parse_headers(section, &mut lines) {
        Ok(httparse::Status::Complete((_, fields))) => {
            trailers.bytes.extend_from_slice(section);
            take_fields(trailers, section, fields, limits)?;
        }
        Err(httparse::Error::TooManyHeaders) => return Err(Refusal::HeadTooLarge),
        _ => return Err(Refusal::Malformed("a trailer field is malformed")),
    }
    let Head { bytes, fields, .. } = trailers;
    for field in fields {
        field.removed = !may_stand(&bytes[field.name.range()]);
    }
    Ok(Some(len))
}

/// Whether a field may go on as a trailer.
#[must_use]
pub fn may_stand(name: &[u8]) -> bool {
    let begins = |with: &[u8]| name.split_at_checked(with.len()).is_some_and(|(begin, _)| same(begin, with));
    !(PREFIXES.iter().any(|p| begins(p)) || NAMES.iter().any(|n| n.len() == name.len() && same(name, n)))
}

/// Equal whatever the case, `_` being `-`; `lower` is in lower case.
fn same(name: &[u8], lower: &[u8]) -> bool {
    let plain = |b: u8| if b == b'_' { b'-' } else { b.to_ascii_lowercase() };
    name.iter().zip(lower).all(|(&a, &b)| plain(a) == b)
}

const PREFIXES: [&[u8]; 2] = [b"if-", b"x-forwarded-"];

const NAMES: [&[u8]; 37] = [
    // Framing and the connection.
    b"transfer-encoding",
    b"content-length",
    b"connection",
    b"keep-alive",
    b"proxy-connection",
    b"te",
    b"trailer",
    b"upgrade",
    // Routing, and what the proxy says of the client.
    b"host",
    b"forwarded",
    b"x-real-ip",
    b"x-scheme",
    // Request modifiers.
    b"cache-control",
    b"expect",
    b"max-forwards",
    b"pragma",
    b"range",
    // Authentication.
    b"authorization",
    b"proxy-authorization",
    b"proxy-authenticate",
    b"www-authenticate",
    b"cookie",
    b"set-cookie",
    // Response controls.
    b"age",
    b"date",
    b"expires",
    b"location",
    b"retry-after",
    b"vary",
    b"warning",
    // The content.
    b"content-encoding",
    b"content-type",
    b"content-range",
    b"content-location",
    b"content-disposition",
    b"accept-ranges",
    b"allow",
];
