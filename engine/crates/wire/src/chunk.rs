//! The chunked transfer coding (RFC 9112 section 7.1), walked piece by piece over the caller's buffer.
//!
//! Facts: a chunk is `size [extensions] CRLF data CRLF`; size 0 ends the data, then trailer fields and an empty
//! line. Decisions: a bare LF or CR in framing is refused always; extensions are validated and dropped;
//! a size has at most 16 hex digits; lines and trailers are bounded.

use crate::field::{is_value, trim, HOP_BY_HOP};
use crate::head::Head;
use crate::{trailer, HeadLimits, Refusal};

/// What stands next in the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Framing bytes to skip first.
    pub skip: usize,
    pub piece: Piece,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece {
    /// More input is needed; what was not skipped must be given again.
    More,
    /// So many bytes of data follow the skipped ones.
    Data(usize),
    /// The body ended.
    End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Size,
    Data(u64),
    DataEnd,
    Trailers,
    Done,
}

/// Where a chunked body stands.
#[derive(Debug, Clone)]
pub struct Decoder {
    state: State,
    line_bytes: usize,
    /// How much of the trailer section was seen without its end.
    searched: usize,
    trailer_limits: HeadLimits,
}

impl Decoder {
    /// `line_bytes` bounds a chunk-size line with its extensions, CRLF not counted; `limits` the trailer section.
    #[must_use]
    pub fn new(line_bytes: usize, limits: &HeadLimits) -> Self {
        let trailer_limits = HeadLimits { bare_lf: false, ..*limits };
        Self { state: State::Size, line_bytes, searched: 0, trailer_limits }
    }

    #[must_use]
    pub fn done(&self) -> bool {
        self.state == State::Done
    }

    /// The next piece of `input`. Trailer fields are put into `trailers` when the body ends.
    ///
    /// # Errors
    /// [`Refusal::Malformed`], or [`Refusal::HeadTooLarge`] for trailers over their limits.
    pub fn next(&mut self, input: &[u8], trailers: &mut Head) -> Result<Step, Refusal> {
        let mut skip = 0;
        loop {
            let rest = &input[skip..];
            match self.state {
                State::Data(left) if left > 0 => {
                    let now = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
                    if now == 0 {
                        return Ok(Step { skip, piece: Piece::More });
                    }
                    self.state = State::Data(left - now as u64);
                    return Ok(Step { skip, piece: Piece::Data(now) });
                }
                State::Data(_) => self.state = State::DataEnd,
                State::DataEnd => match rest {
                    [b'\r', b'\n', ..] => {
                        skip += 2;
                        self.state = State::Size;
                    }
                    [] | [b'\r'] => return Ok(Step { skip, piece: Piece::More }),
                    _ => return Err(Refusal::Malformed("chunk data does not end with CRLF")),
                },
                State::Size => match size_line(rest, self.line_bytes)? {
                    None => return Ok(Step { skip, piece: Piece::More }),
                    Some((len, 0)) => {
                        skip += len;
                        self.state = State::Trailers;
                    }
                    Some((len, size)) => {
                        skip += len;
                        self.state = State::Data(size);
                    }
                },
                State::Trailers => match trailer::read(rest, self.searched, trailers, &self.trailer_limits)? {
                    None => {
                        self.searched = rest.len();
                        return Ok(Step { skip, piece: Piece::More });
                    }
                    Some(len) => {
                        skip += len;
                        self.state = State::Done;
                    }
                },
                State::Done => return Ok(Step { skip, piece: Piece::End }),
            }
        }
    }
}

/// Length of the line with its CRLF, and the size.
fn size_line(input: &[u8], limit: usize) -> Result<Option<(usize, u64)>, Refusal> {
    // The CRLF stands beyond the limit.
    let longest = limit.saturating_add(2);
    let Some(lf) = memchr::memchr(b'\n', &input[..input.len().min(longest)]) else {
        if input.len() >= longest {
            return Err(Refusal::Malformed("a chunk-size line is too long"));
        }
        // What cannot become a size is refused at once, a lone CR must be followed by LF.
        let digits = input.iter().take_while(|b| b.is_ascii_hexdigit()).count();
        return match input.get(digits) {
            None if digits <= 16 => Ok(None),
            Some(b'\r') if (1..=16).contains(&digits) && input.len() == digits + 1 => Ok(None),
            Some(b';' | b' ' | b'\t') if (1..=16).contains(&digits) => Ok(None),
            _ => Err(Refusal::Malformed("a chunk size is malformed")),
        };
    };
    let Some(line) = input[..lf].strip_suffix(b"\r") else {
        return Err(Refusal::Malformed("a bare LF in chunk framing"));
    };
    let digits = line.iter().take_while(|b| b.is_ascii_hexdigit()).count();
    if digits == 0 || digits > 16 {
        return Err(Refusal::Malformed("a chunk size is malformed"));
    }
    let extensions = trim(&line[digits..]);
    if line.len() > digits && extensions.first() != Some(&b';') {
        return Err(Refusal::Malformed("a chunk size is malformed"));
    }
    if !is_value(extensions) {
        return Err(Refusal::Malformed("a chunk extension is malformed"));
    }
    let size = line[..digits].iter().fold(0u64, |n, &b| n << 4 | u64::from(hex(b)));
    Ok(Some((lf + 1, size)))
}

/// The value of a hex digit; the caller has looked that it is one.
fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    }
}

/// Writes the size line of a chunk.
pub fn write_size(out: &mut Vec<u8>, size: usize) {
    let mut digits = [0u8; 18];
    let mut at = 16;
    let mut left = size;
    loop {
        at -= 1;
        digits[at] = b"0123456789abcdef"[left & 15];
        left >>= 4;
        if left == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..16]);
    out.extend_from_slice(b"\r\n");
}

/// Writes a chunk whole; nothing for no data, which would be the last chunk.
pub fn write_chunk(out: &mut Vec<u8>, data: &[u8]) {
    if data.is_empty() {
        return;
    }
    write_size(out, data.len());
    out.extend_from_slice(data);
    out.extend_from_slice(b"\r\n");
}

/// Writes the last chunk and those trailers that may go on (see [`trailer`]).
pub fn write_end(out: &mut Vec<u8>, trailers: &Head) {
    out.extend_from_slice(b"0\r\n");
    trailers.write_fields(out, HOP_BY_HOP);
    out.extend_from_slice(b"\r\n");
}
