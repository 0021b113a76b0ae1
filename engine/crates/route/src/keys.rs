//! Which entry of a map a key falls on (nginx `map`).
//!
//! Facts (nginx): keys are compared whatever their case; with host names a dot at the key's end does not count, and
//! `.example.org` is the name and every name below it. Then the regexes in order, on the key as it is.
//! A pattern that gives up has not matched.

use plan::matching::Pattern;

use crate::captures::Captures;
use crate::error::Problem;
use crate::names::Names;
use crate::pattern::CompiledPattern;

/// The keys of a map, numbered as they stand: the exact ones, then the regexes.
#[derive(Debug)]
pub struct KeyIndex {
    names: Names,
    hostnames: bool,
    regexes: Vec<(CompiledPattern, u32)>,
}

impl KeyIndex {
    /// Indexes the keys, or says what is wrong in one of them.
    pub fn build<'p>(
        hostnames: bool,
        exact: impl Iterator<Item = &'p str>,
        regexes: impl Iterator<Item = &'p Pattern>,
    ) -> Result<Self, Problem> {
        let mut names = Names::default();
        let mut number = 0;
        for key in exact {
            let key = key.to_ascii_lowercase();
            match (hostnames, key.strip_prefix('*').filter(|rest| rest.starts_with('.')), key.strip_suffix('*')) {
                (true, Some(suffix), _) => names.add_suffix(suffix, number),
                (true, _, Some(prefix)) if prefix.ends_with('.') => names.add_prefix(prefix, number),
                (true, ..) if key.starts_with('.') => {
                    names.add_exact(&key[1..], number);
                    names.add_suffix(&key, number);
                }
                _ => names.add_exact(&key, number),
            }
            number += 1;
        }
        let mut patterns = Vec::new();
        for pattern in regexes {
            patterns.push((CompiledPattern::new(pattern)?, number));
            number += 1;
        }
        Ok(Self { names, hostnames, regexes: patterns })
    }

    /// The number of the key's entry; the regex that matches writes its slot.
    pub fn find(&self, key: &[u8], captures: &mut Captures) -> Option<u32> {
        let key = if self.hostnames { key.strip_suffix(b".").unwrap_or(key) } else { key };
        let lower = key.iter().any(u8::is_ascii_uppercase).then(|| key.to_ascii_lowercase());
        let name = lower.as_deref().unwrap_or(key);
        if let Some(number) = self.names.find(name) {
            return Some(number);
        }
        let mut matching = self.regexes.iter().filter(|(pattern, _)| pattern.capture(key, captures).unwrap_or(false));
        matching.next().map(|(_, number)| *number)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use plan::matching::Dialect;

    fn pattern(regex: &str, slot: Option<u16>) -> Pattern {
        Pattern { regex: regex.into(), dialect: Dialect::Pcre, ignore_case: false, slot }
    }

    fn index(hostnames: bool, exact: &[&str], regexes: &[Pattern]) -> KeyIndex {
        KeyIndex::build(hostnames, exact.iter().copied(), regexes.iter()).unwrap()
    }

    #[test]
    fn keys_are_compared_whatever_their_case() {
        let index = index(false, &["", "Curl", "*.example.org"], &[pattern("^[A-Z]+$", None)]);
        for (key, expected) in
            [("", Some(0)), ("cURL", Some(1)), ("a.example.org", None), ("*.EXAMPLE.org", Some(2)), ("ABC", Some(3))]
        {
            assert_eq!(index.find(key.as_bytes(), &mut Captures::new()), expected, "{key}");
        }
    }

    #[test]
    fn host_names_have_wildcards() {
        let index = index(true, &[".example.org", "*.deep.example.org", "shop.*", "shop.example.org"], &[]);
        for (key, expected) in [
            ("example.org", Some(0)),
            ("a.b.EXAMPLE.org", Some(0)),
            ("a.deep.example.org", Some(1)),
            ("deep.example.org", Some(0)),
            ("shop.test", Some(2)),
            ("shop.example.org.", Some(3)),
            ("shop", None),
            ("", None),
        ] {
            assert_eq!(index.find(key.as_bytes(), &mut Captures::new()), expected, "{key}");
        }
    }

    #[test]
    fn the_first_regex_wins_and_writes_its_slot() {
        let index = index(false, &["x"], &[pattern("^(?<a>.)b", Some(1)), pattern("b", None)]);
        let mut captures = Captures::new();
        assert_eq!(index.find(b"ab", &mut captures), Some(1));
        assert_eq!(captures.named(1, "a"), Some(&b"a"[..]));
        assert_eq!(index.find(b"b", &mut captures), Some(2));
        assert_eq!(index.find(b"c", &mut captures), None);
    }

    #[test]
    fn a_key_of_any_size_among_ten_thousand() {
        let keys: Vec<String> = (0..10_000).map(|number| format!("{number}{}", "x".repeat(number % 300))).collect();
        let index = KeyIndex::build(false, keys.iter().map(String::as_str), std::iter::empty()).unwrap();
        for (number, key) in (0..).zip(&keys) {
            assert_eq!(index.find(key.as_bytes(), &mut Captures::new()), Some(number), "{key}");
        }
        assert_eq!(index.find(&vec![b'x'; 1 << 20], &mut Captures::new()), None);
    }
}
