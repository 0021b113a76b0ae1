//! A head: the start line's parts and the fields, as offsets into one buffer of its own.
//!
//! The buffer is used again for the next message of a thread, so that no field costs an allocation. Changes
//! append to the buffer: a filter's new value stands behind the received text. HTTP/1 and HTTP/2 share it.

use crate::field::{known, Known, KnownSet};

/// A part of [`Head::bytes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    pub start: u32,
    pub end: u32,
}

impl Span {
    #[must_use]
    pub fn new(start: usize, end: usize) -> Self {
        // A head is bounded far below 4 GiB by its limits.
        #[allow(clippy::cast_possible_truncation)]
        Self { start: start as u32, end: end as u32 }
    }

    #[must_use]
    #[inline]
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

#[derive(Debug, Clone, Copy)]
pub struct Field {
    pub name: Span,
    pub value: Span,
    pub known: Known,
    /// The bytes are exactly `name: value CRLF`, so whole runs of such lines are copied at once.
    pub canonical: bool,
    /// Taken out by a filter or by the proxy.
    pub removed: bool,
}

/// A request's or response's head.
#[derive(Debug, Default, Clone)]
pub struct Head {
    pub bytes: Vec<u8>,
    pub fields: Vec<Field>,
    /// How many of `fields` came with the message; what was added stands behind them.
    pub received: usize,
    /// Names seen among `fields` when the head was read; a removed field may still be in it.
    pub seen: KnownSet,
    /// Request method; empty in a response.
    pub method: Span,
    /// Request target as received.
    pub target: Span,
    /// Response status.
    pub status: u16,
    pub reason: Span,
    /// The minor of HTTP/1.x; 1 for HTTP/2, whose semantics are the same.
    pub minor: u8,
    /// It came over HTTP/2.
    pub http2: bool,
    /// HTTP/2: DATA or trailers follow a request's head.
    pub open: bool,
}

impl Head {
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.fields.clear();
        self.received = 0;
        self.seen = KnownSet::EMPTY;
        self.method = Span::default();
        self.target = Span::default();
        self.reason = Span::default();
        self.status = 0;
        self.minor = 1;
        self.http2 = false;
        self.open = false;
    }

    #[must_use]
    #[inline]
    pub fn text(&self, span: Span) -> &[u8] {
        &self.bytes[span.range()]
    }

    #[must_use]
    pub fn method(&self) -> &[u8] {
        self.text(self.method)
    }

    #[must_use]
    pub fn target(&self) -> &[u8] {
        self.text(self.target)
    }

    /// Fields that were not removed, in order.
    pub fn live(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(|f| !f.removed)
    }

    /// The first line of a known field.
    #[must_use]
    pub fn get_known(&self, name: Known) -> Option<&[u8]> {
        if !self.seen.has(name) {
            return None;
        }
        self.live().find(|f| f.known == name).map(|f| self.text(f.value))
    }

    /// Every line of a field by its name, whatever its case.
    pub fn get_all<'a>(&'a self, name: &'a [u8]) -> impl Iterator<Item = &'a [u8]> + 'a {
        let is = known(name);
        self.live()
            .filter(move |f| {
                if is == Known::Other {
                    f.known == Known::Other && self.text(f.name).eq_ignore_ascii_case(name)
                } else {
                    f.known == is
                }
            })
            .map(|f| self.text(f.value))
    }

    /// All lines of a field joined by `, ` (RFC 9110 section 5.3).
    #[must_use]
    pub fn joined(&self, name: &[u8]) -> Option<Vec<u8>> {
        let mut lines = self.get_all(name);
        let mut all = lines.next()?.to_vec();
        for line in lines {
            all.extend_from_slice(b", ");
            all.extend_from_slice(line);
        }
        Some(all)
    }

    /// The same of the lines that came with the message, also of those that were removed since.
    #[must_use]
    pub fn joined_as_received(&self, name: &[u8]) -> Option<Vec<u8>> {
        let came = &self.fields[..self.received.min(self.fields.len())];
        let mut lines =
            came.iter().filter(|f| self.text(f.name).eq_ignore_ascii_case(name)).map(|f| self.text(f.value));
        let mut all = lines.next()?.to_vec();
        for line in lines {
            all.extend_from_slice(b", ");
            all.extend_from_slice(line);
        }
        Some(all)
    }

    /// Appends a line. The caller has checked that name and value are well-formed.
    pub fn add(&mut self, name: &[u8], value: &[u8]) {
        self.add_known(known(name), name, value);
    }

    /// Appends a line whose name was recognised before.
    #[inline]
    pub fn add_known(&mut self, is: Known, name: &[u8], value: &[u8]) {
        let start = self.bytes.len();
        self.bytes.reserve(name.len() + value.len() + 4);
        self.bytes.extend_from_slice(name);
        self.bytes.extend_from_slice(b": ");
        let from = self.bytes.len();
        self.bytes.extend_from_slice(value);
        let to = self.bytes.len();
        self.bytes.extend_from_slice(b"\r\n");
        self.push(Span::new(start, start + name.len()), Span::new(from, to), is, true);
    }

    /// Removes every line of a field; whether there was one.
    pub fn remove(&mut self, name: &[u8]) -> bool {
        let is = known(name);
        if !self.seen.has(is) {
            return false;
        }
        let bytes = &self.bytes;
        let mut found = false;
        for f in &mut self.fields {
            let same = if is == Known::Other {
                f.known == Known::Other && bytes[f.name.range()].eq_ignore_ascii_case(name)
            } else {
                f.known == is
            };
            if same && !f.removed {
                f.removed = true;
                found = true;
            }
        }
        found
    }

    /// Replaces every line of a field by one.
    pub fn set(&mut self, name: &[u8], value: &[u8]) {
        self.remove(name);
        self.add(name, value);
    }

    pub(crate) fn push(&mut self, name: Span, value: Span, is: Known, canonical: bool) {
        self.seen.add(is);
        self.fields.push(Field { name, value, known: is, canonical, removed: false });
    }

    /// Writes the fields that were not removed and are not in `skip`, as canonical lines.
    pub fn write_fields(&self, out: &mut Vec<u8>, skip: KnownSet) {
        let mut run = 0..0;
        for f in &self.fields {
            if f.removed || skip.has(f.known) {
                continue;
            }
            if !f.canonical {
                out.extend_from_slice(&self.bytes[run]);
                run = 0..0;
                out.extend_from_slice(self.text(f.name));
                out.extend_from_slice(b": ");
                out.extend_from_slice(self.text(f.value));
                out.extend_from_slice(b"\r\n");
                continue;
            }
            let (start, end) = (f.name.start as usize, f.value.end as usize + 2);
            if run.end == start {
                run.end = end;
            } else {
                out.extend_from_slice(&self.bytes[run]);
                run = start..end;
            }
        }
        out.extend_from_slice(&self.bytes[run]);
    }
}

/// Bytes that Connection may hold in all its lines: a proxy looks for each option among all fields, so a list as
/// long as the head would cost the product of both.
const CONNECTION_BYTES: usize = 1024;

/// Takes the fields as httparse found them over into `head`; their slices lie in `input`. What httparse tolerates
/// and the limits do not is refused: a line that ends with a bare LF.
pub(crate) fn take_fields(
    head: &mut Head,
    input: &[u8],
    lines: &[httparse::Header<'_>],
    limits: &crate::HeadLimits,
) -> Result<(), crate::Refusal> {
    let mut connection_bytes = 0;
    let base = input.as_ptr() as usize;
    for line in lines {
        let name = line.name.as_bytes();
        let (start, name_end) = (name.as_ptr() as usize - base, name.as_ptr() as usize - base + name.len());
        let from = line.value.as_ptr() as usize - base;
        let to = from + line.value.len();
        if name.len() + line.value.len() > limits.field_bytes {
            return Err(crate::Refusal::HeadTooLarge);
        }
        let ends_clean = input.get(to..to + 2) == Some(b"\r\n");
        if !ends_clean {
            let mut at = to;
            while matches!(input.get(at), Some(b' ' | b'\t')) {
                at += 1;
            }
            if input.get(at) == Some(&b'\n') && !limits.bare_lf {
                return Err(crate::Refusal::Malformed("a bare LF ends a field line"));
            }
        }
        let canonical = ends_clean && from == name_end + 2 && input[name_end + 1] == b' ';
        let is = known(name);
        if is == Known::Connection {
            connection_bytes += to - from + 1;
            if connection_bytes > CONNECTION_BYTES {
                return Err(crate::Refusal::HeadTooLarge);
            }
        }
        head.push(Span::new(start, name_end), Span::new(from, to), is, canonical);
    }
    Ok(())
}

/// Whether the bytes behind `searched` may change what a parse says: they are the first, or the first line or the
/// whole head ends among them. So a head that comes byte by byte is parsed three times, not at every byte.
pub(crate) fn has_news(input: &[u8], searched: usize) -> bool {
    searched == 0 || first_line_end(input).is_some_and(|at| at >= searched) || find_end(input, searched).is_some()
}

/// Where the LF stands that ends the first line that is not empty.
pub(crate) fn first_line_end(input: &[u8]) -> Option<usize> {
    let start = input.iter().position(|b| !matches!(b, b'\r' | b'\n'))?;
    Some(start + memchr::memchr(b'\n', &input[start..])?)
}

/// Where the head's last line ends: after an empty line. `from` is how much was searched before.
pub(crate) fn find_end(input: &[u8], from: usize) -> Option<usize> {
    let mut at = from.saturating_sub(3);
    while let Some(lf) = memchr::memchr(b'\n', &input[at..]) {
        let next = at + lf + 1;
        match &input[next..] {
            [b'\n', ..] => return Some(next + 1),
            [b'\r', b'\n', ..] => return Some(next + 2),
            _ => at = next,
        }
    }
    None
}
