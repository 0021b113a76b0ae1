//! Feeds bytes to the codec as the engine does: whole, in two parts, and byte by byte; what comes out must be equal.
#![allow(dead_code)] // Each test file uses its part.

use wire::chunk::{Decoder, Piece};
use wire::field::KnownSet;
use wire::head::Head;
use wire::{HeadLimits, Refusal};

pub type Parse = fn(&mut Head, &[u8], usize, &HeadLimits) -> Result<Option<usize>, Refusal>;

pub const LIMITS: HeadLimits =
    HeadLimits { head_bytes: 2048, target_bytes: 256, field_bytes: 512, fields: 60, bare_lf: false, empty_host: true };
pub const TOLERANT: HeadLimits = HeadLimits { bare_lf: true, ..LIMITS };

/// A head as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub len: usize,
    pub start: (String, String, u16, String, u8),
    pub fields: Vec<(String, String)>,
    /// The fields written anew.
    pub written: String,
}

pub fn text(bytes: &[u8]) -> String {
    bytes.iter().map(|&b| char::from(b)).collect()
}

pub fn seen(head: &Head, len: usize) -> Seen {
    let mut written = Vec::new();
    head.write_fields(&mut written, KnownSet::EMPTY);
    Seen {
        len,
        start: (text(head.method()), text(head.target()), head.status, text(head.text(head.reason)), head.minor),
        fields: head.live().map(|f| (text(head.text(f.name)), text(head.text(f.value)))).collect(),
        written: text(&written),
    }
}

/// Reads a head that comes in the parts that end at `ends`.
pub fn feed(parse: Parse, input: &[u8], ends: impl IntoIterator<Item = usize>, limits: &HeadLimits) -> Outcome {
    let mut head = Head::default();
    let mut searched = 0;
    for end in ends {
        match parse(&mut head, &input[..end], searched, limits) {
            Ok(None) => searched = end,
            Ok(Some(len)) => return Ok(Some(seen(&head, len))),
            Err(refusal) => {
                // A refused head can still be looked at.
                seen(&head, 0);
                return Err(refusal);
            }
        }
    }
    Ok(None)
}

pub type Outcome = Result<Option<Seen>, Refusal>;

/// The outcome, which is the same for every way of feeding.
pub fn every_way(parse: Parse, input: &[u8], limits: &HeadLimits) -> Outcome {
    let whole = feed(parse, input, [input.len()], limits);
    let shown = text(input);
    assert_eq!(feed(parse, input, 1..=input.len(), limits), whole, "byte by byte: {shown:?}");
    for cut in 1..input.len() {
        assert_eq!(feed(parse, input, [cut, input.len()], limits), whole, "cut at {cut}: {shown:?}");
    }
    whole
}

/// A body as it was decoded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Decoded {
    pub data: Vec<u8>,
    pub ended: bool,
    /// Bytes used, framing and all.
    pub used: usize,
    /// What goes on of the trailers: the last chunk written anew.
    pub end: String,
}

/// Decodes a body that comes in the parts that end at `ends`; what was not used is given again.
pub fn decode(input: &[u8], ends: impl IntoIterator<Item = usize>, line: usize) -> Result<Decoded, Refusal> {
    let mut decoder = Decoder::new(line, &LIMITS);
    let mut trailers = Head::default();
    // Left over from another message: no part of this one.
    trailers.add(b"X-Stale", b"1");
    let mut body = Decoded::default();
    for end in ends {
        loop {
            let step = decoder.next(&input[body.used..end], &mut trailers)?;
            body.used += step.skip;
            match step.piece {
                Piece::More => break,
                Piece::Data(n) => {
                    body.data.extend_from_slice(&input[body.used..body.used + n]);
                    body.used += n;
                }
                Piece::End => {
                    let mut out = Vec::new();
                    wire::chunk::write_end(&mut out, &trailers);
                    body.ended = true;
                    body.end = text(&out);
                    return Ok(body);
                }
            }
        }
    }
    Ok(body)
}

/// As [`every_way`], for a chunked body.
pub fn decode_every_way(input: &[u8], line: usize) -> Result<Decoded, Refusal> {
    let whole = decode(input, [input.len()], line);
    let shown = text(input);
    assert_eq!(decode(input, 1..=input.len(), line), whole, "byte by byte: {shown:?}");
    for cut in 1..input.len() {
        assert_eq!(decode(input, [cut, input.len()], line), whole, "cut at {cut}: {shown:?}");
    }
    whole
}
