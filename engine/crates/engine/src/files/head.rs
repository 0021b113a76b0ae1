//! What is said of a file: its type, its validators, and how much of it is sent.
//!
//! Facts (nginx): the entity tag is the time of the last change and the size, both in hex; Last-Modified is that time.
//! RFC 9110: 304 carries the validators and no type (section 15.4.5); a part says which in Content-Range, several are
//! `multipart/byteranges` (section 14.6); 416 says the size (section 15.5.17). Preconditions come before ranges
//! (section 13.2.2).

use std::io::Write;

use plan::fault::FaultKind;
use wire::field::Known;
use wire::head::Head;
use wire::precondition::{Preconditions, Validators, Verdict};
use wire::range::{self, Ranges};

use super::body::{FileBody, Part};
use super::name::extension;
use super::open::Opened;
use crate::exchange::{write_word, Answer, Body, Exchange};
use crate::snapshot::files::{CodingRun, FilesRun};

/// The fields of a request that say which of a file is wanted, found in one walk.
#[derive(Default)]
struct Asked<'a> {
    preconditions: Preconditions<'a>,
    range: Option<&'a [u8]>,
}

impl<'a> Asked<'a> {
    fn of(head: &'a Head) -> Self {
        let mut asked = Self::default();
        let conditions = &mut asked.preconditions;
        for field in head.live().filter(|field| field.known == Known::Other) {
            let name = head.text(field.name);
            let place = match name.len() {
                5 if name.eq_ignore_ascii_case(b"range") => &mut asked.range,
                8 if name.eq_ignore_ascii_case(b"if-match") => &mut conditions.if_match,
                8 if name.eq_ignore_ascii_case(b"if-range") => &mut conditions.if_range,
                13 if name.eq_ignore_ascii_case(b"if-none-match") => &mut conditions.if_none_match,
                17 if name.eq_ignore_ascii_case(b"if-modified-since") => &mut conditions.if_modified_since,
                19 if name.eq_ignore_ascii_case(b"if-unmodified-since") => &mut conditions.if_unmodified_since,
                _ => continue,
            };
            // The first line counts.
            place.get_or_insert(head.text(field.value));
        }
        asked
    }
}

/// Puts the head of an open file together, with the body that follows.
pub fn answer(
    exchange: &mut Exchange<'_, '_>,
    run: &FilesRun,
    path: &[u8],
    opened: Opened,
    coding: Option<&CodingRun>,
    varies: bool,
) -> Answer {
    let (size, modified) = (opened.size(), opened.stat.st_mtime);
    let mut etag = Vec::new();
    if run.etag {
        let _ = write!(etag, "\"{modified:x}-{size:x}\"");
    }
    let validators = Validators { etag: run.etag.then_some(&etag[..]), modified };
    // The page of an error is no file that the client has or wants a part of.
    let stands_for = exchange.record.page_status.filter(|status| *status != 200);
    let asked = if stands_for.is_some() { Asked::default() } else { Asked::of(&exchange.request.head) };
    let verdict = asked.preconditions.judge(&validators, run.since);
    let ranges = match (verdict, asked.range) {
        (Verdict::Send, Some(value)) if asked.preconditions.ranges_hold(&validators) => {
            range::parse(value, size, run.max_ranges)
        }
        _ => Ranges::Whole,
    };
    if verdict == Verdict::Failed {
        return exchange.answer(FaultKind::PreconditionFailed);
    }
    if ranges == Ranges::Unsatisfiable {
        let answer = exchange.answer(FaultKind::RangeNotSatisfiable);
        add(exchange.response, b"Content-Range", format_args!("bytes */{size}"));
        return answer;
    }
    let media = run.types.find(extension(path)).unwrap_or(&run.default_type);
    let response = &mut *exchange.response;
    response.clear();
    response.status = 200;
    let mut parts = Vec::new();
    match ranges {
        Ranges::Parts(ranges) => {
            response.status = 206;
            if let [one] = &ranges[..] {
                put(response, b"Content-Type", media);
                add(response, b"Content-Range", format_args!("bytes {}-{}/{size}", one.start, one.end - 1));
                parts.push(Part::of(one.start, one.end));
            } else {
                let boundary = exchange.worker.random() >> 1;
                add(response, b"Content-Type", format_args!("multipart/byteranges; boundary={boundary:020}"));
                parts = multipart(&ranges, media, size, boundary);
            }
        }
        _ if verdict == Verdict::NotModified => response.status = 304,
        _ => {
            put(response, b"Content-Type", media);
            parts.push(Part::of(0, size));
        }
    }
    if stands_for.is_none() {
        let mut date = Vec::with_capacity(32);
        wire::date::write(modified, &mut date);
        response.add(b"Last-Modified", &date);
    }
    put(response, b"ETag", &etag);
    if varies {
        response.add(b"Vary", b"Accept-Encoding");
    }
    if response.status != 304 {
        if let Some(coding) = coding {
            response.add(b"Content-Encoding", coding.token);
        }
        if response.status == 200 && stands_for.is_none() && run.max_ranges != Some(0) {
            response.add(b"Accept-Ranges", b"bytes");
        }
    }
    let body = match parts.is_empty() {
        true => Body::Bytes(Vec::new()),
        false => Body::File(Box::new(FileBody::new(opened.file, parts))),
    };
    Answer { body, close: false, silent: false, stands: false }
}

/// 301 to the directory `path`, with its slash.
pub fn redirect(exchange: &mut Exchange<'_, '_>, run: &FilesRun, path: &[u8]) -> Answer {
    let answer = exchange.answer(FaultKind::DirectoryRedirect);
    let mut location = Vec::new();
    match &run.redirect {
        Some(base) => {
            write_word(&base.render(&exchange.scope()), &mut location);
            wire::target::encode_path(path, &mut location);
        }
        None => {
            // Of what was asked for, which may have begun with a prefix that was cut off.
            let last = path.iter().rposition(|&b| b == b'/').map_or(path, |at| &path[at + 1..]);
            // A colon would end a scheme (RFC 3986 section 4.2).
            location.extend_from_slice(b"./");
            wire::target::encode_path(last, &mut location);
        }
    }
    location.push(b'/');
    if !exchange.request.query.is_empty() {
        location.push(b'?');
        write_word(&exchange.request.query, &mut location);
    }
    exchange.response.set(b"Location", &location);
    answer
}

/// The parts of a body of several ranges, each with its own head, and the end.
fn multipart(ranges: &[std::ops::Range<u64>], media: &[u8], size: u64, boundary: u64) -> Vec<Part> {
    let mut parts: Vec<Part> = ranges
        .iter()
        .map(|range| {
            let mut text = format!("\r\n--{boundary:020}\r\n").into_bytes();
            if !media.is_empty() {
                text.extend_from_slice(b"Content-Type: ");
                text.extend_from_slice(media);
                text.extend_from_slice(b"\r\n");
            }
            let _ = write!(text, "Content-Range: bytes {}-{}/{size}\r\n\r\n", range.start, range.end - 1);
            Part { text, at: range.start, to: range.end }
        })
        .collect();
    parts.push(Part { text: format!("\r\n--{boundary:020}--\r\n").into_bytes(), at: 0, to: 0 });
    parts
}

fn put(head: &mut Head, name: &[u8], value: &[u8]) {
    if !value.is_empty() {
        head.add(name, value);
    }
}

fn add(head: &mut Head, name: &[u8], value: std::fmt::Arguments<'_>) {
    head.add(name, value.to_string().as_bytes());
}
