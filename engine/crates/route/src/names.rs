//! Names with wildcards, as virtual hosts and maps of host names have them.
//!
//! Facts (nginx): exact, then the longest leading wildcard (`*.example.org`, any number of labels), then the longest
//! trailing one (`www.*`). Of two entries with one name the first keeps it.

use rustc_hash::FxHashMap;

/// What belongs to a name, found without a walk.
#[derive(Debug, Default)]
pub(crate) struct Names {
    exact: FxHashMap<Box<[u8]>, u32>,
    /// With the leading dot.
    suffixes: FxHashMap<Box<[u8]>, u32>,
    /// With the trailing dot.
    prefixes: FxHashMap<Box<[u8]>, u32>,
}

impl Names {
    pub(crate) fn add_exact(&mut self, name: &str, value: u32) {
        self.exact.entry(name.as_bytes().into()).or_insert(value);
    }

    /// One or more labels before `.example.org`.
    pub(crate) fn add_suffix(&mut self, suffix: &str, value: u32) {
        self.suffixes.entry(suffix.as_bytes().into()).or_insert(value);
    }

    /// One or more labels after `www.`.
    pub(crate) fn add_prefix(&mut self, prefix: &str, value: u32) {
        self.prefixes.entry(prefix.as_bytes().into()).or_insert(value);
    }

    #[inline]
    pub(crate) fn find(&self, name: &[u8]) -> Option<u32> {
        if !self.exact.is_empty() {
            if let Some(value) = self.exact.get(name) {
                return Some(*value);
            }
        }
        self.wildcard(name)
    }

    fn wildcard(&self, name: &[u8]) -> Option<u32> {
        // A label stands on either side of a dot that counts.
        let dots = || name.iter().enumerate().filter(|(at, byte)| **byte == b'.' && *at > 0 && at + 1 < name.len());
        if !self.suffixes.is_empty() {
            let longest = dots().find_map(|(at, _)| self.suffixes.get(&name[at..]));
            if longest.is_some() {
                return longest.copied();
            }
        }
        if self.prefixes.is_empty() {
            return None;
        }
        dots().filter_map(|(at, _)| self.prefixes.get(&name[..=at])).next_back().copied()
    }
}
