//! The request target: its form, and its path in the form that routing and upstream see.
//!
//! Facts (RFC 9112 section 3.2): origin-form, absolute-form (a server MUST accept it, its authority overrides
//! Host), authority-form for CONNECT, `*` for OPTIONS. RFC 3986 section 6.2.2: unreserved characters need no
//! encoding, hex digits are upper-case; section 5.2.4: dot segments.
//!
//! What is done of it is the Plan's: [`Policy`] is the twin of `plan::http::PathPolicy`.

use crate::Refusal;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Decoded whole (nginx) or only where encoding says nothing (Traefik).
    pub decode: bool,
    pub merge_slashes: bool,
    pub resolve_dots: bool,
    pub refuse_above_root: bool,
    pub refuse_fragment: bool,
    pub semicolons: Semicolons,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Semicolons {
    Keep,
    Ampersand,
    Encode,
}

/// The parts of a target, as received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts<'a> {
    /// Of absolute-form; overrides Host.
    pub authority: Option<&'a [u8]>,
    /// Begins with `/` or `#`, or is `*`.
    pub path: &'a [u8],
    /// Behind the first `?`; none when there is none.
    pub query: Option<&'a [u8]>,
}

/// Splits a target by its form.
///
/// # Errors
/// [`Refusal::NotImplemented`] for CONNECT, [`Refusal::Malformed`] for a target of no form.
pub fn split<'a>(method: &[u8], target: &'a [u8]) -> Result<Parts<'a>, Refusal> {
    if method == b"CONNECT" {
        return Err(Refusal::NotImplemented("CONNECT"));
    }
    if target.first() == Some(&b'/') {
        let (path, query) = cut_query(target);
        return Ok(Parts { authority: None, path, query });
    }
    if target == b"*" {
        return if method == b"OPTIONS" {
            Ok(Parts { authority: None, path: target, query: None })
        } else {
            Err(Refusal::Malformed("* is a target of OPTIONS only"))
        };
    }
    let rest = ["http://", "https://"].iter().find_map(|scheme| {
        let (head, rest) = target.split_at_checked(scheme.len())?;
        head.eq_ignore_ascii_case(scheme.as_bytes()).then_some(rest)
    });
    let Some(rest) = rest else {
        return Err(Refusal::Malformed("the request target has no known form"));
    };
    let end = rest.iter().position(|b| b"/?#".contains(b)).unwrap_or(rest.len());
    let authority = &rest[..end];
    if authority.is_empty() || authority.contains(&b'@') || !crate::request::valid_host(authority) {
        return Err(Refusal::Malformed("the authority of the request target is malformed"));
    }
    let (path, query) = cut_query(&rest[end..]);
    let path: &[u8] = match (path, method, query) {
        // The request of OPTIONS is for the server as a whole (RFC 9112 section 3.2.4).
        (b"", b"OPTIONS", None) => b"*",
        (b"", ..) => b"/",
        (path, ..) => path,
    };
    Ok(Parts { authority: Some(authority), path, query })
}

fn cut_query(target: &[u8]) -> (&[u8], Option<&[u8]>) {
    match memchr::memchr2(b'?', b'#', target) {
        Some(at) if target[at] == b'?' => (&target[..at], Some(&target[at + 1..])),
        // A fragment reaches to the end; what is done of it is the policy's.
        _ => (target, None),
    }
}

/// Bytes that may need work in a path: everything but letters, digits and a few marks that stand for themselves.
const PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut b = 0;
    while b < 256 {
        let byte = b as u8;
        plain[b] = byte.is_ascii_alphanumeric()
            || matches!(
                byte,
                b'-' | b'_' | b'~' | b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b'=' | b':' | b'@'
            );
        b += 1;
    }
    plain
};

/// Puts the normalised path into `out`.
///
/// # Errors
/// [`Refusal::Malformed`] for a wrong escape, an encoded NUL, a path above the root or a fragment, as the policy says.
pub fn normalise_path(path: &[u8], policy: &Policy, out: &mut Vec<u8>) -> Result<(), Refusal> {
    out.clear();
    if is_plain(path) {
        out.extend_from_slice(path);
        return Ok(());
    }
    decode(path, policy, out)?;
    if out.is_empty() {
        // Only a fragment was there.
        out.push(b'/');
    }
    if policy.merge_slashes || policy.resolve_dots {
        segments(out, policy)?;
    }
    Ok(())
}

/// No escapes, no `//`, no segment that begins with a dot.
fn is_plain(path: &[u8]) -> bool {
    let mut before = 0u8;
    for &b in path {
        let fine = PLAIN[b as usize] || (b == b'/' && before != b'/') || (b == b'.' && before != b'/');
        if !fine {
            return false;
        }
        before = b;
    }
    true
}

fn decode(path: &[u8], policy: &Policy, out: &mut Vec<u8>) -> Result<(), Refusal> {
    let mut at = 0;
    while let Some(&b) = path.get(at) {
        match b {
            b'#' if policy.refuse_fragment => return Err(Refusal::Malformed("a fragment in the request target")),
            b'#' => return Ok(()),
            b'%' => {
                let byte = escape(path, at).ok_or(Refusal::Malformed("a percent escape is malformed"))?;
                if policy.decode && byte == 0 {
                    return Err(Refusal::Malformed("an encoded NUL in the path"));
                }
                if policy.decode || is_unreserved(byte) {
                    out.push(byte);
                } else {
                    push_escape(out, byte);
                }
                at += 3;
                continue;
            }
            _ => out.push(b),
        }
        at += 1;
    }
    Ok(())
}

/// The byte that the escape at `at` stands for.
fn escape(text: &[u8], at: usize) -> Option<u8> {
    let digit = |b: u8| char::from(b).to_digit(16);
    let (high, low) = (digit(*text.get(at + 1)?)?, digit(*text.get(at + 2)?)?);
    u8::try_from(high << 4 | low).ok()
}

fn push_escape(out: &mut Vec<u8>, byte: u8) {
    out.push(b'%');
    out.push(b"0123456789ABCDEF"[usize::from(byte >> 4)]);
    out.push(b"0123456789ABCDEF"[usize::from(byte & 15)]);
}

fn is_unreserved(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~')
}

/// Resolves dot segments and merges slashes in place.
fn segments(out: &mut Vec<u8>, policy: &Policy) -> Result<(), Refusal> {
    let source = std::mem::take(out);
    let mut starts: Vec<usize> = Vec::new();
    let mut pieces = source[1.min(source.len())..].split(|&b| b == b'/').peekable();
    while let Some(piece) = pieces.next() {
        let last = pieces.peek().is_none();
        match piece {
            b"" if !last && policy.merge_slashes => {}
            b"" if last && policy.merge_slashes && out.last() == Some(&b'/') => {}
            b"." if policy.resolve_dots => {
                if last && out.last() != Some(&b'/') {
                    out.push(b'/');
                }
            }
            b".." if policy.resolve_dots => {
                match starts.pop() {
                    Some(start) => out.truncate(start),
                    None if policy.refuse_above_root => {
                        return Err(Refusal::Malformed("the path leads above the root"))
                    }
                    None => {}
                }
                if last {
                    out.push(b'/');
                }
            }
            _ => {
                starts.push(out.len());
                out.push(b'/');
                out.extend_from_slice(piece);
            }
        }
    }
    if out.is_empty() {
        out.push(b'/');
    }
    Ok(())
}

/// The form of an encoded path that rules see: everything decoded but reserved characters and `%`
/// (RFC 3986 section 2.2). None when it is the path itself.
#[must_use]
pub fn matching_form(path: &[u8]) -> Option<Vec<u8>> {
    memchr::memchr(b'%', path)?;
    let mut out = Vec::with_capacity(path.len());
    let mut at = 0;
    while let Some(&b) = path.get(at) {
        match escape(path, at) {
            Some(byte) if b == b'%' && !b":/?#[]@!$&'()*+,;=%".contains(&byte) => {
                out.push(byte);
                at += 3;
            }
            _ => {
                out.push(b);
                at += 1;
            }
        }
    }
    Some(out)
}

/// Puts the query as it goes on into `out`.
///
/// # Errors
/// [`Refusal::Malformed`] for a fragment when it is refused.
pub fn normalise_query(query: &[u8], policy: &Policy, out: &mut Vec<u8>) -> Result<(), Refusal> {
    out.clear();
    let end = match memchr::memchr(b'#', query) {
        Some(_) if policy.refuse_fragment => return Err(Refusal::Malformed("a fragment in the request target")),
        Some(at) => at,
        None => query.len(),
    };
    for &b in &query[..end] {
        match (b, policy.semicolons) {
            (b';', Semicolons::Ampersand) => out.push(b'&'),
            (b';', Semicolons::Encode) => out.extend_from_slice(b"%3B"),
            _ => out.push(b),
        }
    }
    Ok(())
}

/// Encodes a decoded path for a request line: what may not stand in a path is escaped (RFC 3986 section 3.3).
pub fn encode_path(path: &[u8], out: &mut Vec<u8>) {
    for &b in path {
        if PLAIN[b as usize] || matches!(b, b'/' | b'.' | b';') {
            out.push(b);
        } else {
            push_escape(out, b);
        }
    }
}

/// Encodes what becomes a part of a query: all that would end an argument or split the line.
pub fn quote_argument(text: &[u8], out: &mut Vec<u8>) {
    for &b in text {
        if b <= b' ' || b >= 0x7f || matches!(b, b'#' | b'%' | b'&' | b'+' | b'?') {
            push_escape(out, b);
        } else {
            out.push(b);
        }
    }
}

/// Encodes what becomes a part of a location: all that would end its path or split the line.
pub fn quote_location(text: &[u8], out: &mut Vec<u8>) {
    for &b in text {
        if b <= b' ' || b >= 0x7f || matches!(b, b'#' | b'%') {
            push_escape(out, b);
        } else {
            out.push(b);
        }
    }
}

/// Whether the text may stand in a request line: it neither ends nor splits it. For targets that were put together.
#[must_use]
pub fn is_target(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|&b| b > b' ' && b != 0x7f)
}
