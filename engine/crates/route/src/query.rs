//! Values of a query, decoded: `%41` is `A`, `+` is a space.
//!
//! Decisions, after Go's `url.ParseQuery`, which Traefik's rules go through: empty segments are skipped, a key
//! without `=` has the empty value, a segment with a malformed escape is skipped. `;` is a character like any
//! other: what it means is settled before (the Plan's `query_semicolons`).

/// Gives the decoded values of `key` to `each` until it says true; says whether it did.
pub fn any_value(query: &[u8], key: &str, mut each: impl FnMut(&[u8]) -> bool) -> bool {
    let mut decoded = Vec::new();
    values(query, key).any(|raw| {
        if !raw.iter().any(|byte| matches!(byte, b'%' | b'+')) {
            return each(raw);
        }
        decoded.clear();
        for byte in Decoded(raw) {
            match byte {
                Some(byte) => decoded.push(byte),
                None => return false,
            }
        }
        each(&decoded)
    })
}

/// Some value of `key` is `value`; nothing is allocated.
#[must_use]
pub fn has(query: &[u8], key: &str, value: &str) -> bool {
    values(query, key).any(|raw| Decoded(raw).eq(value.bytes().map(Some)))
}

/// The raw values of a decoded key.
fn values<'a>(query: &'a [u8], key: &'a str) -> impl Iterator<Item = &'a [u8]> {
    query.split(|byte| *byte == b'&').filter(|segment| !segment.is_empty()).filter_map(move |segment| {
        let (name, value) = match segment.iter().position(|byte| *byte == b'=') {
            Some(at) => (&segment[..at], &segment[at + 1..]),
            None => (segment, &segment[segment.len()..]),
        };
        Decoded(name).eq(key.bytes().map(Some)).then_some(value)
    })
}

/// Decoded bytes; None once for a malformed escape.
struct Decoded<'a>(&'a [u8]);

impl Iterator for Decoded<'_> {
    type Item = Option<u8>;

    fn next(&mut self) -> Option<Option<u8>> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(match first {
            b'+' => Some(b' '),
            b'%' => match rest {
                [high, low, rest @ ..] => {
                    self.0 = rest;
                    nibble(*high).zip(nibble(*low)).map(|(high, low)| high << 4 | low)
                }
                _ => None,
            },
            byte => Some(*byte),
        })
    }
}

fn nibble(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_decoded_values() {
        for (query, key, value, expected) in [
            ("a=1", "a", "1", true),
            ("a=1&a=2", "a", "2", true),
            ("a=1", "a", "", false),
            ("a", "a", "", true),
            ("a=", "a", "", true),
            ("", "a", "", false),
            ("", "", "", false),
            ("&&", "", "", false),
            ("=x", "", "x", true),
            ("%61=%31", "a", "1", true),
            ("a=x+y", "a", "x y", true),
            ("a=x%2By", "a", "x+y", true),
            ("a=x%20y", "a", "x y", true),
            ("a=%", "a", "%", false),
            ("a=%4", "a", "%4", false),
            ("a=%zz", "a", "%zz", false),
            ("a=%+1", "a", "\u{1}", false),
            ("a=1=2", "a", "1=2", true),
            ("a=1;b=2", "a", "1;b=2", true),
            ("A=1", "a", "1", false),
            ("a=%C3%A9", "a", "é", true),
        ] {
            assert_eq!(has(query.as_bytes(), key, value), expected, "{query} {key} {value}");
            let also = any_value(query.as_bytes(), key, |found| found == value.as_bytes());
            assert_eq!(also, expected, "any_value: {query} {key} {value}");
        }
    }
}
