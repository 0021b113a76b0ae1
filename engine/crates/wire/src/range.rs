//! The field Range (RFC 9110 section 14): which bytes of a file are asked for.
//!
//! Facts: a unit that is not `bytes` is ignored; a range that begins behind the end is not satisfiable, and left out
//! beside others; a server may send the whole instead of many small or overlapping ranges (section 14.2).
//! Decisions (nginx's): a list that is malformed is not satisfiable; ranges that together are larger than the file,
//! or more than `most`, get the whole file, and so does a first range of an empty file. Without a limit the parts' own
//! heads are counted too.

use std::ops::Range;

/// What is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ranges {
    Whole,
    /// One or more, as asked for; none is empty.
    Parts(Vec<Range<u64>>),
    Unsatisfiable,
}

/// About what a part's own head takes.
const PART_HEAD: u64 = 256;
/// What ranges may cost more than the whole.
const SURPLUS: u64 = 4096;

/// Reads the field's value for a file of `size` bytes.
#[must_use]
pub fn parse(value: &[u8], size: u64, most: Option<u32>) -> Ranges {
    let Some(list) = value.split_at_checked(6).filter(|(unit, _)| unit.eq_ignore_ascii_case(b"bytes=")) else {
        return Ranges::Whole;
    };
    if list.1.is_empty() || most == Some(0) {
        return Ranges::Whole;
    }
    let limit = most.map_or(i32::MAX as usize, |most| most as usize);
    let mut parts: Vec<Range<u64>> = Vec::new();
    let mut sum = 0u64;
    for item in list.1.split(|&b| b == b',') {
        let Some(range) = one(item, size) else { return Ranges::Unsatisfiable };
        if range.start < range.end {
            if parts.len() == limit {
                return Ranges::Whole;
            }
            sum = sum.saturating_add(range.end - range.start);
            parts.push(range);
        } else if range.start == 0 {
            return Ranges::Whole;
        }
    }
    if parts.is_empty() {
        return Ranges::Unsatisfiable;
    }
    let heads = if most.is_none() { PART_HEAD * parts.len() as u64 } else { 0 };
    let costly = parts.len() > 1 && (sum > size || (heads > 0 && sum + heads > size + SURPLUS));
    if costly {
        Ranges::Whole
    } else {
        Ranges::Parts(parts)
    }
}

/// A range within the file, empty when nothing of it is there; none for what is no range.
fn one(item: &[u8], size: u64) -> Option<Range<u64>> {
    let item = trim(item);
    let dash = item.iter().position(|&b| b == b'-')?;
    let (first, last) = (&item[..dash], trim_start(&item[dash + 1..]));
    if first.is_empty() {
        let length = number(&item[dash + 1..])?;
        return Some(size.saturating_sub(length)..size);
    }
    let start = number(trim_end(first))?;
    let end = if last.is_empty() { size } else { number(last)?.saturating_add(1).min(size) };
    Some(start..end)
}

fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    // What a file's offset can be.
    digits
        .iter()
        .try_fold(0u64, |sum, digit| sum.checked_mul(10)?.checked_add(u64::from(digit - b'0')))
        .filter(|&n| i64::try_from(n).is_ok())
}

fn trim(text: &[u8]) -> &[u8] {
    trim_end(trim_start(text))
}

fn trim_start(mut text: &[u8]) -> &[u8] {
    while let [b' ', rest @ ..] = text {
        text = rest;
    }
    text
}

fn trim_end(mut text: &[u8]) -> &[u8] {
    while let [rest @ .., b' '] = text {
        text = rest;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(value: &str, size: u64) -> Vec<(u64, u64)> {
        match parse(value.as_bytes(), size, None) {
            Ranges::Parts(parts) => parts.into_iter().map(|r| (r.start, r.end)).collect(),
            other => panic!("{value}: {other:?}"),
        }
    }

    #[test]
    fn first_last_open_and_suffix() {
        assert_eq!(parts("bytes=0-4", 10), [(0, 5)]);
        assert_eq!(parts("BYTES=3-", 10), [(3, 10)]);
        assert_eq!(parts("bytes=-3", 10), [(7, 10)]);
        assert_eq!(parts("bytes=-30", 10), [(0, 10)]);
        assert_eq!(parts("bytes=9-1000", 10), [(9, 10)]);
        assert_eq!(parts("bytes= 0 - 1 , 5 - 6", 10), [(0, 2), (5, 7)]);
    }

    #[test]
    fn what_lies_behind_the_end_is_left_out() {
        assert_eq!(parts("bytes=0-1,20-30", 10), [(0, 2)]);
        assert_eq!(parse(b"bytes=20-30", 10, None), Ranges::Unsatisfiable);
        assert_eq!(parse(b"bytes=-0", 10, None), Ranges::Unsatisfiable);
        assert_eq!(parse(b"bytes=0-4", 0, None), Ranges::Whole);
    }

    #[test]
    fn what_is_malformed_is_not_satisfiable() {
        for value in ["bytes=a-", "bytes=1", "bytes=1-2,", "bytes=1-2-3", "bytes=--1", "bytes=- 1", "bytes=5-x"] {
            assert_eq!(parse(value.as_bytes(), 10, None), Ranges::Unsatisfiable, "{value}");
        }
        assert_eq!(parse(b"bytes=99999999999999999999-", 10, None), Ranges::Unsatisfiable);
    }

    #[test]
    fn another_unit_or_no_range_is_the_whole() {
        for value in ["", "bytes=", "items=0-1", "bytes"] {
            assert_eq!(parse(value.as_bytes(), 10, None), Ranges::Whole, "{value}");
        }
    }

    #[test]
    fn ranges_that_cost_more_than_the_file_get_the_whole() {
        assert_eq!(parse(b"bytes=0-9,0-9", 10, None), Ranges::Whole);
        let many = (0..40).map(|n| format!("{n}-{n}")).collect::<Vec<_>>().join(",");
        let value = format!("bytes={many}");
        assert_eq!(parse(value.as_bytes(), 100, None), Ranges::Whole);
        assert!(matches!(parse(value.as_bytes(), 100, Some(40)), Ranges::Parts(parts) if parts.len() == 40));
        assert_eq!(parse(value.as_bytes(), 100, Some(39)), Ranges::Whole);
        assert_eq!(parse(b"bytes=0-1", 100, Some(0)), Ranges::Whole);
    }
}
