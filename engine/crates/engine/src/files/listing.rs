//! A directory, shown as nginx shows it: a page, JSON, JSONP or XML.
//!
//! Facts (nginx): names that begin with a dot are left out; directories come first, then by bytes; a link is what it
//! leads to, or itself when that is gone; times are those of the last change. The page breaks its lines with CRLF and cuts
//! names to 50 characters.

use std::io::Write;

use plan::fault::FaultKind;
use plan::files::{Listing, ListingFormat};
use rustix::fs::{AtFlags, Dir, FileType};
use rustix::io::Errno;
use wire::date::Civil;

use super::open::Opened;
use crate::exchange::{Answer, Body, Exchange};
use crate::fault::Fault;
use crate::json;

/// Characters of a name that the page shows.
const NAME: usize = 50;

pub struct Entry {
    name: Vec<u8>,
    kind: FileType,
    size: u64,
    modified: i64,
}

/// Reads an open directory, in the order in which it is shown.
///
/// # Errors
/// What the kernel said.
pub fn read(directory: &Opened) -> Result<Vec<Entry>, Errno> {
    let mut entries = Vec::new();
    for entry in Dir::read_from(&directory.file)? {
        let name = entry?.file_name().to_bytes().to_vec();
        if name.starts_with(b".") {
            continue;
        }
        let stat = match rustix::fs::statat(&directory.file, &name[..], AtFlags::empty()) {
            Err(Errno::NOENT | Errno::LOOP) => {
                match rustix::fs::statat(&directory.file, &name[..], AtFlags::SYMLINK_NOFOLLOW) {
                    // It has gone meanwhile.
                    Err(Errno::NOENT) => continue,
                    stat => stat?,
                }
            }
            Err(Errno::ACCESS) => continue,
            stat => stat?,
        };
        #[allow(clippy::cast_sign_loss)] // A file's size.
        let size = stat.st_size as u64;
        entries.push(Entry { name, kind: FileType::from_raw_mode(stat.st_mode), size, modified: stat.st_mtime });
    }
    entries.sort_by(|a, b| (!a.is_directory(), &a.name).cmp(&(!b.is_directory(), &b.name)));
    Ok(entries)
}

impl Entry {
    fn is_directory(&self) -> bool {
        self.kind == FileType::Directory
    }

    fn is_file(&self) -> bool {
        self.kind == FileType::RegularFile
    }

    fn word(&self) -> &'static str {
        match self.kind {
            FileType::Directory => "directory",
            FileType::RegularFile => "file",
            _ => "other",
        }
    }
}

/// Shows the directory `path`.
///
/// # Errors
/// A callback that is no name.
pub fn answer(
    exchange: &mut Exchange<'_, '_>,
    listing: &Listing,
    path: &[u8],
    entries: Vec<Entry>,
) -> Result<Answer, Fault> {
    let mut body = Vec::new();
    let page;
    let media: &[u8] = match listing.format {
        ListingFormat::Html => {
            html(listing, path, &entries, &mut body);
            page = match listing.charset.as_str() {
                "" => "text/html".to_owned(),
                charset => format!("text/html; charset={charset}"),
            };
            page.as_bytes()
        }
        ListingFormat::Json => {
            json(&entries, &mut body);
            b"application/json"
        }
        ListingFormat::Jsonp => match callback(&exchange.request.query)? {
            Some(name) => {
                body.extend_from_slice(b"/* callback */\r\n");
                body.extend_from_slice(name);
                body.push(b'(');
                json(&entries, &mut body);
                body.extend_from_slice(b");");
                b"application/javascript"
            }
            None => {
                json(&entries, &mut body);
                b"application/json"
            }
        },
        ListingFormat::Xml => {
            xml(&entries, &mut body);
            b"text/xml; charset=utf-8"
        }
    };
    let response = &mut *exchange.response;
    response.clear();
    response.status = 200;
    response.add(b"Content-Type", media);
    Ok(Answer { body: Body::Bytes(body), close: false, silent: false, stands: false })
}

/// The function that is to be called with the listing.
fn callback(query: &[u8]) -> Result<Option<&[u8]>, Fault> {
    let found = query.split(|&b| b == b'&').find_map(|pair| {
        let (name, value) = pair.split_at_checked(9)?;
        name.eq_ignore_ascii_case(b"callback=").then_some(value)
    });
    match found {
        None | Some(b"") => Ok(None),
        Some(name) if name.len() <= 128 && name.iter().all(|b| b.is_ascii_alphanumeric() || b"_.".contains(b)) => {
            Ok(Some(name))
        }
        Some(_) => Err(Fault::new(FaultKind::BadRequest, "the callback is no name")),
    }
}

fn html(listing: &Listing, path: &[u8], entries: &[Entry], out: &mut Vec<u8>) {
    out.extend_from_slice(b"<html>\r\n<head><title>Index of ");
    escape_html(path, out);
    out.extend_from_slice(b"</title></head>\r\n<body>\r\n<h1>Index of ");
    escape_html(path, out);
    out.extend_from_slice(b"</h1><hr><pre><a href=\"../\">../</a>\r\n");
    let by_characters = listing.charset.eq_ignore_ascii_case("utf-8");
    for entry in entries {
        out.extend_from_slice(b"<a href=\"");
        escape_component(&entry.name, out);
        let slash: &[u8] = if entry.is_directory() { b"/" } else { b"" };
        out.extend_from_slice(slash);
        out.extend_from_slice(b"\">");
        let mut width = characters(&entry.name, by_characters).count();
        if width > NAME {
            let cut = characters(&entry.name, by_characters).nth(NAME - 3).unwrap_or(entry.name.len());
            escape_html(&entry.name[..cut], out);
            out.extend_from_slice(b"..&gt;</a>");
        } else {
            escape_html(&entry.name, out);
            if entry.is_directory() && width < NAME {
                out.push(b'/');
                width += 1;
            }
            out.extend_from_slice(b"</a>");
            out.resize(out.len() + NAME - width, b' ');
        }
        let at = Civil::of(entry.modified + if listing.local_time { offset(entry.modified) } else { 0 });
        let _ = write!(out, " {:02}-{}-{} {:02}:{:02} ", at.day, at.month_name(), at.year, at.hour, at.minute);
        match (listing.exact_size, entry.is_directory()) {
            (true, true) => out.extend_from_slice(b"                  -"),
            (true, false) => drop(write!(out, "{:19}", entry.size)),
            (false, true) => out.extend_from_slice(b"      -"),
            (false, false) => rounded(entry.size, out),
        }
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"</pre><hr></body>\r\n</html>\r\n");
}

/// Where the characters of a name begin: all its bytes, or those that go on no other of UTF-8.
fn characters(name: &[u8], by_characters: bool) -> impl Iterator<Item = usize> + '_ {
    name.iter().enumerate().filter(move |(_, &b)| !by_characters || b & 0xc0 != 0x80).map(|(at, _)| at)
}

/// Seconds that the machine's zone is ahead of UTC.
fn offset(at: i64) -> i64 {
    let at = jiff::Timestamp::from_second(at).unwrap_or_default();
    i64::from(at.to_zoned(jiff::tz::TimeZone::system()).offset().seconds())
}

/// A size in seven characters.
fn rounded(size: u64, out: &mut Vec<u8>) {
    let scaled = |unit: u64| size / unit + u64::from(size % unit >= unit / 2);
    let _ = match size {
        0..=9_999 => write!(out, " {size:6}"),
        10_000..=0xf_ffff => write!(out, "{:6}K", scaled(1 << 10)),
        0x10_0000..=0x3fff_ffff => write!(out, "{:6}M", scaled(1 << 20)),
        _ => write!(out, "{:6}G", scaled(1 << 30)),
    };
}

fn json(entries: &[Entry], out: &mut Vec<u8>) {
    out.push(b'[');
    for (index, entry) in entries.iter().enumerate() {
        out.extend_from_slice(if index == 0 { b"\r\n{ \"name\":\"" } else { b",\r\n{ \"name\":\"" });
        json::escape(&entry.name, out);
        let _ = write!(out, "\", \"type\":\"{}\", \"mtime\":\"", entry.word());
        wire::date::write(entry.modified, out);
        out.push(b'"');
        if entry.is_file() {
            let _ = write!(out, ", \"size\":{}", entry.size);
        }
        out.extend_from_slice(b" }");
    }
    out.extend_from_slice(b"\r\n]");
}

fn xml(entries: &[Entry], out: &mut Vec<u8>) {
    out.extend_from_slice(b"<?xml version=\"1.0\"?>\r\n<list>\r\n");
    for entry in entries {
        let at = Civil::of(entry.modified);
        let _ = write!(
            out,
            "<{} mtime=\"{:4}-{:02}-{:02}T{:02}:{:02}:{:02}Z\"",
            entry.word(),
            at.year,
            at.month,
            at.day,
            at.hour,
            at.minute,
            at.second
        );
        if entry.is_file() {
            let _ = write!(out, " size=\"{}\"", entry.size);
        }
        out.push(b'>');
        escape_html(&entry.name, out);
        let _ = write!(out, "</{}>\r\n", entry.word());
    }
    out.extend_from_slice(b"</list>\r\n");
}

fn escape_html(text: &[u8], out: &mut Vec<u8>) {
    for &b in text {
        match b {
            b'<' => out.extend_from_slice(b"&lt;"),
            b'>' => out.extend_from_slice(b"&gt;"),
            b'&' => out.extend_from_slice(b"&amp;"),
            b'"' => out.extend_from_slice(b"&quot;"),
            b => out.push(b),
        }
    }
}

/// RFC 3986 section 2.3: everything else is encoded.
fn escape_component(text: &[u8], out: &mut Vec<u8>) {
    for &b in text {
        if b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~') {
            out.push(b);
        } else {
            let _ = write!(out, "%{b:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_in_seven_characters() {
        for (size, expected) in [
            (0, "      0"),
            (9_999, "   9999"),
            (10_000, "    10K"),
            (10_751, "    10K"),
            (10_752, "    11K"),
            (1_048_575, "  1024K"),
            (1_048_576, "     1M"),
            (1_572_864, "     2M"),
            (1_073_741_824, "     1G"),
        ] {
            let mut out = Vec::new();
            rounded(size, &mut out);
            assert_eq!(String::from_utf8_lossy(&out), expected, "{size}");
        }
    }

    #[test]
    fn a_callback_is_a_name_or_refused() {
        assert_eq!(callback(b"a=1&Callback=f.g_1"), Ok(Some(&b"f.g_1"[..])));
        assert_eq!(callback(b"a=1"), Ok(None));
        assert_eq!(callback(b"callback="), Ok(None));
        assert!(callback(b"callback=alert(1)").is_err());
        assert!(callback(format!("callback={}", "a".repeat(129)).as_bytes()).is_err());
    }
}
