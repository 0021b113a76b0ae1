//! A file's name on disk: root and path put together, and never out of the root.
//!
//! Facts: the path of a request has its dot segments resolved while it is read, as the policy says; an encoded slash or
//! dot, a rewrite, an alias without its slash (`/static../secret`) or a variable may still bring a segment `..`, and an
//! encoded path a NUL. Decision: such a name is no file's, whoever put it together.

use crate::exchange::Exchange;
use crate::snapshot::files::{AliasRun, FilesRun};
use crate::template::Text;

/// The name for `path`, which is decoded; none when there can be no such file.
#[must_use]
pub fn of_path(exchange: &Exchange<'_, '_>, run: &FilesRun, path: &[u8]) -> Option<Vec<u8>> {
    let rest: &[u8] = match run.alias {
        AliasRun::Off => path,
        AliasRun::Cut(bytes) => path.get(bytes..)?,
        AliasRun::Whole => b"",
    };
    put_together(exchange, run, rest)
}

/// The name of what stands at `rest` behind the root.
#[must_use]
pub fn put_together(exchange: &Exchange<'_, '_>, run: &FilesRun, rest: &[u8]) -> Option<Vec<u8>> {
    let mut name = Vec::with_capacity(256);
    match &run.root {
        Text::Fixed(root) => name.extend_from_slice(root),
        root @ Text::Parts(_) => {
            root.write(&exchange.scope(), &mut name);
            if climbs(&name) {
                return None;
            }
        }
    }
    // What follows a root without a slash is the rest of its last segment.
    let added = match rest.first() {
        None | Some(b'/') => name.len(),
        Some(_) => name.iter().rposition(|&b| b == b'/').map_or(0, |at| at + 1),
    };
    name.extend_from_slice(rest);
    (!climbs(&name[added..])).then_some(name)
}

/// Whether it has a segment `..`, or a NUL.
#[must_use]
pub fn climbs(name: &[u8]) -> bool {
    if memchr::memchr(0, name).is_some() {
        return true;
    }
    let mut from = 0;
    while let Some(at) = memchr::memchr(b'.', &name[from..]) {
        let at = from + at;
        let begins = at == 0 || name[at - 1] == b'/';
        if begins && name.get(at + 1) == Some(&b'.') && matches!(name.get(at + 2), None | Some(b'/')) {
            return true;
        }
        from = at + 1;
    }
    false
}

/// The current path, decoded.
#[must_use]
pub fn decoded(exchange: &Exchange<'_, '_>) -> Vec<u8> {
    let path = &exchange.request.path;
    if exchange.host.http.path.decode || memchr::memchr(b'%', path).is_none() {
        return path.clone();
    }
    let digit = |at: usize| path.get(at).and_then(|&b| char::from(b).to_digit(16));
    let mut out = Vec::with_capacity(path.len());
    let mut at = 0;
    while let Some(&b) = path.get(at) {
        match (b, digit(at + 1), digit(at + 2)) {
            #[allow(clippy::cast_possible_truncation)] // Two hex digits.
            (b'%', Some(high), Some(low)) => {
                out.push((high << 4 | low) as u8);
                at += 3;
            }
            _ => {
                out.push(b);
                at += 1;
            }
        }
    }
    out
}

/// What stands behind the last dot of the last segment; nothing for a segment whose only dot is its first byte.
#[must_use]
pub fn extension(path: &[u8]) -> &[u8] {
    let segment = path.iter().rposition(|&b| b == b'/').map_or(path, |at| &path[at + 1..]);
    match memchr::memrchr(b'.', segment) {
        Some(at) if at > 0 => &segment[at + 1..],
        _ => b"",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_of_two_dots_or_a_nul_climbs() {
        for name in ["..", "/..", "../x", "/a/../b", "/a/..", "a\0b", "\0"] {
            assert!(climbs(name.as_bytes()), "{name:?}");
        }
        for name in ["", "/", ".", "/...", "/..a", "/a..", "/a../b", "/.a/..b/c", "/a/...", "/a.b/c.d"] {
            assert!(!climbs(name.as_bytes()), "{name:?}");
        }
    }

    #[test]
    fn extensions() {
        for (path, expected) in [
            ("/a.html", "html"),
            ("/a.tar.GZ", "GZ"),
            ("/.hidden", ""),
            ("/a.b/c", ""),
            ("/a.", ""),
            ("/a", ""),
            ("", ""),
        ] {
            assert_eq!(extension(path.as_bytes()), expected.as_bytes(), "{path}");
        }
    }
}
