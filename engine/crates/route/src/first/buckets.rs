//! The index over ordered rules: buckets by host, and in each by path.
//!
//! ```text
//!   host ── exact ──────┐            path ── exact ────┐
//!        ── one label ──┤  groups         ── prefixes ─┤  lists of rule positions ── merged by position
//!        ── holds text ─┤ ─────────►      ── holds ────┤
//!        ── any ────────┘                 ── any ──────┘
//! ```

use std::hash::BuildHasher;

use aho_corasick::AhoCorasick;
use rustc_hash::{FxBuildHasher, FxHashMap};

use super::keys::{HostKey, Key, PathKey};
use super::merge::Merge;
use crate::prefixes::Prefixes;

/// A group with no more rules than this is a list: asking each is cheaper than a look-up.
const SMALL: usize = 4;

/// Fewer texts than this are not worth a scan.
const FEW_TEXTS: usize = 4;

/// All rules, by host.
#[derive(Debug)]
pub(crate) struct Buckets {
    /// By a hash of the name alone, so that a look-up reads one place: every candidate is asked in full anyway.
    exact: FxHashMap<u64, Group>,
    /// With the leading dot.
    one_label: FxHashMap<Box<str>, Group>,
    holds: Option<Scan<Group>>,
    any: Group,
}

/// The rules of a host, by path.
#[derive(Debug)]
enum Group {
    /// As most hosts have it: no list beside the look-up's own place.
    One(u32),
    Several(Box<[u32]>),
    ByPath(Box<Paths>),
}

#[derive(Debug)]
struct Paths {
    any: Box<[u32]>,
    exact: FxHashMap<Box<[u8]>, Box<[u32]>>,
    prefixes: Prefixes<Box<[u32]>>,
    holds: Option<Scan<Box<[u32]>>>,
}

/// Which of many texts occur in a subject, in one pass.
#[derive(Debug)]
struct Scan<T> {
    automaton: AhoCorasick,
    values: Vec<T>,
}

impl Buckets {
    /// Each rule by its position with the keys it has.
    pub(crate) fn build(rules: impl Iterator<Item = (u32, Vec<Key>)>) -> Self {
        let mut by_host: FxHashMap<HostKey, Vec<(u32, PathKey)>> = FxHashMap::default();
        for (position, keys) in rules {
            for (host, path) in keys {
                by_host.entry(host).or_default().push((position, path));
            }
        }
        let mut any = by_host.remove(&HostKey::Any).unwrap_or_default();
        let mut exact: FxHashMap<u64, Vec<_>> = FxHashMap::default();
        let mut one_label = FxHashMap::default();
        let mut texts = Vec::new();
        for (host, rules) in by_host {
            match host {
                HostKey::Exact(name) => exact.entry(hash(&name)).or_default().extend(rules),
                HostKey::OneLabel(suffix) => drop(one_label.insert(suffix.into(), Group::build(rules))),
                HostKey::Holds(text) => texts.push((text, rules)),
                HostKey::Any => any.extend(rules),
            }
        }
        let holds = match automaton(texts.iter().map(|(text, _)| text)) {
            Some(automaton) => {
                Some(Scan { automaton, values: texts.into_iter().map(|(_, rules)| Group::build(rules)).collect() })
            }
            None => {
                any.extend(texts.into_iter().flat_map(|(_, rules)| rules));
                None
            }
        };
        let exact = exact.into_iter().map(|(hash, rules)| (hash, Group::build(rules))).collect();
        Self { exact, one_label, holds, any: Group::build(any) }
    }

    /// The rules a request may match, in order.
    #[inline]
    pub(crate) fn candidates(&self, host: &str, path: &[u8]) -> Merge<'_> {
        let mut lists = Merge::new();
        if !self.exact.is_empty() {
            if let Some(group) = self.exact.get(&hash(host)) {
                group.add(path, &mut lists);
            }
        }
        if !self.one_label.is_empty() {
            let suffix = host.find('.').filter(|dot| *dot > 0).map(|dot| &host[dot..]);
            if let Some(group) = suffix.and_then(|suffix| self.one_label.get(suffix)) {
                group.add(path, &mut lists);
            }
        }
        if let Some(scan) = &self.holds {
            scan.each(host.as_bytes(), |group| group.add(path, &mut lists));
        }
        self.any.add(path, &mut lists);
        lists
    }
}

impl Group {
    fn build(mut rules: Vec<(u32, PathKey)>) -> Self {
        // Rules came in order, but a key's texts may have been thrown together from several.
        rules.sort();
        if rules.len() <= SMALL {
            return Self::listed(list(rules.into_iter().map(|(position, _)| position)));
        }
        let mut any = Vec::new();
        let mut exact: FxHashMap<String, Vec<u32>> = FxHashMap::default();
        let mut prefixes: FxHashMap<String, Vec<u32>> = FxHashMap::default();
        let mut texts: FxHashMap<String, Vec<u32>> = FxHashMap::default();
        for (position, key) in rules {
            match key {
                PathKey::Any => any.push(position),
                PathKey::Exact(path) => exact.entry(path).or_default().push(position),
                PathKey::Prefix(prefix) => prefixes.entry(prefix).or_default().push(position),
                PathKey::Holds(text) => texts.entry(text).or_default().push(position),
            }
        }
        let texts: Vec<(String, Vec<u32>)> = texts.into_iter().collect();
        let holds = match automaton(texts.iter().map(|(text, _)| text)) {
            Some(automaton) => {
                Some(Scan { automaton, values: texts.into_iter().map(|(_, rules)| list(rules)).collect() })
            }
            None => {
                any.extend(texts.into_iter().flat_map(|(_, rules)| rules));
                None
            }
        };
        any.sort_unstable();
        let exact: FxHashMap<_, _> =
            exact.into_iter().map(|(path, rules)| (path.into_bytes().into(), list(rules))).collect();
        let prefixes =
            Prefixes::build(prefixes.into_iter().map(|(prefix, rules)| (prefix.into_bytes(), list(rules))).collect());
        if exact.is_empty() && prefixes.is_empty() && holds.is_none() {
            return Self::listed(list(any));
        }
        Self::ByPath(Box::new(Paths { any: list(any), exact, prefixes, holds }))
    }

    fn listed(positions: Box<[u32]>) -> Self {
        if let [position] = *positions {
            Self::One(position)
        } else {
            Self::Several(positions)
        }
    }

    #[inline]
    fn add<'a>(&'a self, path: &[u8], lists: &mut Merge<'a>) {
        let paths = match self {
            Self::One(position) => return lists.add(std::slice::from_ref(position)),
            Self::Several(positions) => return lists.add(positions),
            Self::ByPath(paths) => paths,
        };
        lists.add(&paths.any);
        if !paths.exact.is_empty() {
            if let Some(list) = paths.exact.get(path) {
                lists.add(list);
            }
        }
        for list in paths.prefixes.matching(path) {
            lists.add(list);
        }
        if let Some(scan) = &paths.holds {
            scan.each(path, |list| lists.add(list));
        }
    }
}

impl<T> Scan<T> {
    /// A text that occurs twice is given twice.
    #[inline]
    fn each<'a>(&'a self, subject: &[u8], mut found: impl FnMut(&'a T)) {
        for hit in self.automaton.find_overlapping_iter(subject) {
            if let Some(value) = self.values.get(hit.pattern().as_usize()) {
                found(value);
            }
        }
    }
}

fn hash(name: &str) -> u64 {
    FxBuildHasher.hash_one(name)
}

/// None when a scan is not worth it.
fn automaton<'t>(texts: impl ExactSizeIterator<Item = &'t String>) -> Option<AhoCorasick> {
    if texts.len() < FEW_TEXTS {
        return None;
    }
    AhoCorasick::new(texts).ok()
}

/// Positions in order, each once.
fn list(positions: impl IntoIterator<Item = u32>) -> Box<[u32]> {
    let mut positions: Vec<u32> = positions.into_iter().collect();
    positions.sort_unstable();
    positions.dedup();
    positions.into()
}
