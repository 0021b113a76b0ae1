//! Accept-Encoding (RFC 9110 section 12.5.3): how much a client wants a coding.
//!
//! Decision (nginx's): `*` names no coding; who takes one says which.

use crate::field::{tokens, trim};

/// The weight of a coding in thousandths: 0 when it is refused or not named.
#[must_use]
pub fn weight(accepted: &[u8], coding: &[u8]) -> u16 {
    tokens(accepted)
        .find_map(|item| {
            let mut parts = item.split(|&b| b == b';').map(trim);
            let name = parts.next()?;
            let same = name.eq_ignore_ascii_case(coding) || (coding == b"gzip" && name.eq_ignore_ascii_case(b"x-gzip")); // Section 8.4.1.3.
            if !same {
                return None;
            }
            let quality = parts.find_map(|p| p.strip_prefix(b"q=").or_else(|| p.strip_prefix(b"Q=")));
            Some(quality.map_or(1000, |text| thousandths(text).unwrap_or(0)))
        })
        .unwrap_or(0)
}

/// A weight (section 12.4.2): `0`, `0.` and up to three digits, `1`, `1.000`.
fn thousandths(text: &[u8]) -> Option<u16> {
    let (&whole, rest) = text.split_first()?;
    let digits = match rest.split_first() {
        None => rest,
        Some((b'.', digits)) if digits.len() <= 3 => digits,
        Some(_) => return None,
    };
    let mut sum = 0;
    for place in 0..3 {
        let digit = digits.get(place).copied().unwrap_or(b'0');
        if !digit.is_ascii_digit() {
            return None;
        }
        sum = sum * 10 + u16::from(digit - b'0');
    }
    match whole {
        b'0' => Some(sum),
        b'1' if sum == 0 => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights() {
        for (accepted, expected) in [
            ("gzip", 1000),
            ("deflate, GZIP;q=0.5", 500),
            ("gzip;q=0", 0),
            ("gzip;q=0.000", 0),
            ("gzip ; q=0.001", 1),
            ("gzip;q=1.000", 1000),
            ("gzip;q=1.001", 0),
            ("gzip;q=2", 0),
            ("gzip;q=x", 0),
            ("x-gzip", 1000),
            ("*", 0),
            ("identity", 0),
            ("gzipp", 0),
            ("", 0),
            ("br, gzip;q=0.2;x=1", 200),
        ] {
            assert_eq!(weight(accepted.as_bytes(), b"gzip"), expected, "{accepted}");
        }
    }
}
