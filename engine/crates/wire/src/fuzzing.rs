//! What must hold for any bytes, as functions that panic where it does not. `cargo test` feeds them mutated messages
//! ([`seeded`]); the targets in `engine/fuzz` call them with what libFuzzer finds.

#[cfg(test)]
mod seeded;

use crate::chunk::{write_chunk, write_end, Decoder, Piece};
use crate::coding;
use crate::date;
use crate::field::{is_token, is_value, KnownSet};
use crate::framing::{of_request, of_response};
use crate::head::Head;
use crate::range::{self, Ranges};
use crate::target::{encode_path, is_target, normalise_path, normalise_query, split, Policy, Semicolons};
use crate::{request, response, HeadLimits, Refusal};

const STRICT: HeadLimits =
    HeadLimits { head_bytes: 1024, target_bytes: 256, field_bytes: 256, fields: 64, bare_lf: false, empty_host: true };
const TOLERANT: HeadLimits = HeadLimits { bare_lf: true, ..STRICT };
/// White space that canonical form adds may lead over a limit.
const WIDE: HeadLimits =
    HeadLimits { head_bytes: 4096, target_bytes: 256, field_bytes: 512, fields: 64, bare_lf: false, empty_host: true };
const LINE: usize = 64;

/// Reading a request head never panics; whether it is accepted does not depend on how it arrives; an accepted one
/// holds nothing that ends a line, and written anew it is read as the same request with the same framing.
pub fn request_head(data: &[u8]) {
    for limits in [&STRICT, &TOLERANT] {
        let Some(head) = accepted(request::parse, data, limits) else { continue };
        assert!(is_token(head.method()) && is_target(head.target()), "start line of {}", data.escape_ascii());
        let mut anew = [head.method(), b" ", head.target(), b" HTTP/1.", &[b'0' + head.minor], b"\r\n"].concat();
        let again = read_anew(request::parse, &head, &mut anew);
        assert_eq!((head.method(), head.target()), (again.method(), again.target()), "{}", data.escape_ascii());
        assert_eq!(of_request(&head), of_request(&again), "{}", data.escape_ascii());
        request_target(head.method(), head.target());
    }
}

/// As [`request_head`], for responses.
pub fn response_head(data: &[u8]) {
    for limits in [&STRICT, &TOLERANT] {
        let Some(head) = accepted(response::parse, data, limits) else { continue };
        assert!(is_value(head.text(head.reason)), "reason of {}", data.escape_ascii());
        let mut anew = format!("HTTP/1.{} {} ", head.minor, head.status).into_bytes();
        anew.extend_from_slice(head.text(head.reason));
        anew.extend_from_slice(b"\r\n");
        let again = read_anew(response::parse, &head, &mut anew);
        let start = |h: &Head| (h.status, h.minor, h.text(h.reason).to_vec());
        assert_eq!(start(&head), start(&again), "{}", data.escape_ascii());
        assert_eq!(of_response(&head, b"GET"), of_response(&again, b"GET"), "{}", data.escape_ascii());
    }
}

type Parse = fn(&mut Head, &[u8], usize, &HeadLimits) -> Result<Option<usize>, Refusal>;

/// The head, if it is accepted: whole and byte by byte alike.
fn accepted(parse: Parse, data: &[u8], limits: &HeadLimits) -> Option<Head> {
    let (mut head, mut slow) = (Head::default(), Head::default());
    let whole = parse(&mut head, data, 0, limits);
    let mut searched = 0;
    let mut split = Ok(None);
    for end in 1..=data.len() {
        split = parse(&mut slow, &data[..end], searched, limits);
        if split != Ok(None) {
            break;
        }
        searched = end;
    }
    if let (Ok(Some(len)), Ok(Some(slow_len))) = (whole, split) {
        assert_eq!((len, fields(&head)), (slow_len, fields(&slow)), "{}", data.escape_ascii());
        Some(head)
    } else {
        let taken = matches!(whole, Ok(Some(_))) || matches!(split, Ok(Some(_)));
        assert!(!taken, "whole {whole:?}, split {split:?}: {}", data.escape_ascii());
        None
    }
}

fn fields(head: &Head) -> Vec<(Vec<u8>, Vec<u8>)> {
    head.live().map(|f| (head.text(f.name).to_vec(), head.text(f.value).to_vec())).collect()
}

/// Reads the head again behind the start line in `anew`: the fields must be well-formed, their lines canonical, and
/// what is read from them the same.
fn read_anew(parse: Parse, head: &Head, anew: &mut Vec<u8>) -> Head {
    let mut canonical = anew.clone();
    for (name, value) in fields(head) {
        assert!(is_token(&name) && is_value(&value), "{}: {}", name.escape_ascii(), value.escape_ascii());
        canonical.extend([&name[..], b": ", &value, b"\r\n"].concat());
    }
    head.write_fields(anew, KnownSet::EMPTY);
    assert_eq!(*anew, canonical, "{}", anew.escape_ascii());
    anew.extend_from_slice(b"\r\n");
    let mut again = Head::default();
    let result = parse(&mut again, anew, 0, &WIDE);
    assert_eq!(result, Ok(Some(anew.len())), "written anew: {}", anew.escape_ascii());
    assert_eq!(fields(head), fields(&again), "written anew: {}", anew.escape_ascii());
    again
}

/// A normalised path begins with `/`, holds no segment that leads elsewhere, and may stand in a request line once
/// it is encoded where it was decoded; normalising it again changes nothing.
pub fn request_target(method: &[u8], target: &[u8]) {
    // What a parsed head cannot hold does not come here.
    if !is_target(target) {
        return;
    }
    let Ok(parts) = split(method, target) else { return };
    if parts.path == b"*" {
        assert_eq!(method, b"OPTIONS");
        return;
    }
    for (decode, refuse_above_root) in [(false, false), (true, true)] {
        let policy = Policy {
            decode,
            refuse_above_root,
            merge_slashes: true,
            resolve_dots: true,
            refuse_fragment: !decode,
            semicolons: Semicolons::Encode,
        };
        let (mut path, mut query) = (Vec::new(), Vec::new());
        let query_fine = normalise_query(parts.query.unwrap_or_default(), &policy, &mut query).is_ok();
        assert!(!query_fine || query.is_empty() || is_target(&query), "{}", target.escape_ascii());
        if normalise_path(parts.path, &policy, &mut path).is_err() {
            continue;
        }
        let leads = path.split(|&b| b == b'/').any(|s| matches!(s, b"." | b".."));
        let merged = !path.windows(2).any(|w| w == b"//");
        assert!(path.starts_with(b"/") && !leads && merged, "{}", target.escape_ascii());
        let mut written = Vec::new();
        if decode {
            encode_path(&path, &mut written);
        } else {
            written.extend_from_slice(&path);
        }
        assert!(is_target(&written), "{}", target.escape_ascii());
        let mut again = Vec::new();
        let result = normalise_path(&written, &policy, &mut again);
        assert_eq!((result, &again), (Ok(()), &path), "{}", target.escape_ascii());
    }
}

/// Whatever is asked about a file: a range that is answered lies within it, holds something, and together they cost no
/// more than the file; a date that is read is written as what is read again; weights are weights.
pub fn file_fields(value: &[u8]) {
    for size in [0, 1, 100, 1 << 20, i64::MAX as u64] {
        for most in [None, Some(0), Some(3)] {
            let Ranges::Parts(parts) = range::parse(value, size, most) else { continue };
            let fine = parts.iter().all(|part| part.start < part.end && part.end <= size);
            let sum: u64 = parts.iter().map(|part| part.end - part.start).sum();
            let few = most.is_none_or(|most| parts.len() <= most as usize);
            assert!(fine && few && sum <= size && !parts.is_empty(), "{} of {size}: {parts:?}", value.escape_ascii());
        }
    }
    if let Some(at) = date::parse(value) {
        let mut written = Vec::new();
        date::write(at, &mut written);
        assert_eq!(date::parse(&written), Some(at), "{}", value.escape_ascii());
    }
    assert!(coding::weight(value, b"gzip") <= 1000, "{}", value.escape_ascii());
}

/// A chunked body decodes to the same however it is split, and what is encoded from it decodes to it. The first
/// eight bytes say where it is split.
pub fn chunked_body(data: &[u8]) {
    let Some((cuts, body)) = data.split_first_chunk::<8>() else { return };
    let whole = decode(body, &[u8::MAX], &STRICT);
    for cuts in [&cuts[..], &[1]] {
        let split = decode(body, cuts, &STRICT);
        // The data that came before a fault is the same too, but not which rule was broken first.
        let same = whole.data == split.data && whole.end == split.end && whole.refused == split.refused;
        assert!(same, "whole {whole:?}, split {split:?} by {cuts:?}: {}", body.escape_ascii());
    }
    let Some(end) = &whole.end else { return };
    let mut encoded = Vec::new();
    whole.data.chunks(usize::from(cuts[0]) + 1).for_each(|piece| write_chunk(&mut encoded, piece));
    encoded.extend_from_slice(end);
    let again = decode(&encoded, cuts, &WIDE);
    let same = again.data == whole.data && again.end.as_ref() == Some(end) && again.used == encoded.len();
    assert!(same, "encoded anew: {}", encoded.escape_ascii());
}

#[derive(Debug, Default)]
struct Decoded {
    data: Vec<u8>,
    /// The last chunk and the trailers that go on.
    end: Option<Vec<u8>>,
    refused: bool,
    used: usize,
}

/// Decodes what comes in parts of the given lengths, again and again; the largest is everything.
fn decode(body: &[u8], cuts: &[u8], limits: &HeadLimits) -> Decoded {
    let mut decoder = Decoder::new(LINE, limits);
    let mut trailers = Head::default();
    let mut out = Decoded::default();
    let mut come = 0;
    let mut cuts = cuts.iter().cycle();
    while come < body.len() {
        come = match cuts.next() {
            Some(&cut) if cut < u8::MAX => body.len().min(come + usize::from(cut) + 1),
            _ => body.len(),
        };
        loop {
            let step = match decoder.next(&body[out.used..come], &mut trailers) {
                Ok(step) => step,
                Err(_) => {
                    out.refused = true;
                    return out;
                }
            };
            out.used += step.skip;
            match step.piece {
                Piece::More => break,
                Piece::Data(n) => {
                    out.data.extend_from_slice(&body[out.used..out.used + n]);
                    out.used += n;
                }
                Piece::End => {
                    assert!(decoder.done());
                    write_end(out.end.insert(Vec::new()), &trailers);
                    return out;
                }
            }
        }
    }
    out
}
