//! Where a rule belongs in the index: what its host and path must be for it to match at all.
//!
//! A condition has a set of keys, pairs of host and path; a request it matches has one of them. `Host` and the
//! like have one, `||` has those of both sides, `&&` pairs them up, `!` swaps the two (De Morgan), whatever else
//! is asked says nothing about host or path. A rule stands in the bucket of each of its keys.

use rustc_hash::FxHashMap;

use super::literals::{self, OneOf};
use crate::compiled::Node;

/// What the host must be. The order is from least to most telling.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum HostKey {
    Any,
    /// This text occurs in it.
    Holds(String),
    OneLabel(String),
    Exact(String),
}

/// What the path must be. The order is from least to most telling.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum PathKey {
    Any,
    /// This text occurs in it.
    Holds(String),
    Prefix(String),
    Exact(String),
}

pub(crate) type Key = (HostKey, PathKey);

/// Pairs of `&&` beyond which one side alone has to do: the index must not be a multiple of the rules.
const MOST_PAIRS: usize = 256;

/// How often each text is needed by the patterns of a table: the rarest tells rules apart best.
#[derive(Debug, Default)]
pub(crate) struct Frequencies(FxHashMap<String, usize>);

impl Frequencies {
    pub(crate) fn count(&mut self, node: &Node) {
        match node {
            Node::All(parts) | Node::Any(parts) => parts.iter().for_each(|part| self.count(part)),
            Node::Not(part) => self.count(part),
            Node::HostRegex(pattern) | Node::PathRegex(pattern) => {
                for text in literals::held(pattern).into_iter().flatten() {
                    *self.0.entry(text).or_default() += 1;
                }
            }
            _ => {}
        }
    }

    /// The set that narrows best.
    fn rarest(&self, sets: Vec<OneOf>) -> Option<OneOf> {
        let rules = |set: &OneOf| set.iter().filter_map(|text| self.0.get(text)).sum::<usize>();
        sets.into_iter().min_by_key(|set| (rules(set), usize::MAX - literals::shortest(set)))
    }
}

/// The keys of a condition, sorted, each once. None at all: it never matches.
pub(crate) fn keys(node: &Node, frequencies: &Frequencies) -> Vec<Key> {
    of(node, false, frequencies)
}

fn of(node: &Node, negated: bool, frequencies: &Frequencies) -> Vec<Key> {
    let any = || vec![(HostKey::Any, PathKey::Any)];
    match node {
        Node::Not(part) => of(part, !negated, frequencies),
        Node::All(parts) | Node::Any(parts) => {
            let sides = parts.iter().map(|part| of(part, negated, frequencies));
            if matches!(node, Node::All(_)) == negated {
                either(sides.flatten().collect())
            } else {
                sides.fold(any(), both)
            }
        }
        _ if negated => any(),
        Node::Host(host) => vec![(HostKey::Exact(host.to_string()), PathKey::Any)],
        Node::HostOneLabel(suffix) if suffix.starts_with('.') && !suffix[1..].is_empty() => {
            vec![(HostKey::OneLabel(suffix.to_string()), PathKey::Any)]
        }
        Node::HostRegex(pattern) => frequencies
            .rarest(literals::held(pattern))
            .map_or_else(any, |set| either(set.into_iter().map(|text| (HostKey::Holds(text), PathKey::Any)).collect())),
        Node::Path(path) => vec![(HostKey::Any, PathKey::Exact(path.to_string()))],
        Node::PathPrefix(prefix) => vec![(HostKey::Any, PathKey::Prefix(prefix.to_string()))],
        Node::PathRegex(pattern) => {
            let begins = literals::begins(pattern).map(|set| (set, PathKey::Prefix as fn(String) -> PathKey));
            let held = || {
                frequencies.rarest(literals::held(pattern)).map(|set| (set, PathKey::Holds as fn(String) -> PathKey))
            };
            begins
                .or_else(held)
                .map_or_else(any, |(set, key)| either(set.into_iter().map(|text| (HostKey::Any, key(text))).collect()))
        }
        _ => any(),
    }
}

fn either(mut keys: Vec<Key>) -> Vec<Key> {
    keys.sort_unstable();
    keys.dedup();
    // The least telling stands first; beside it the others say nothing.
    if keys.first() == Some(&(HostKey::Any, PathKey::Any)) {
        keys.truncate(1);
    }
    keys
}

fn both(one: Vec<Key>, other: Vec<Key>) -> Vec<Key> {
    let telling = |keys: &[Key]| keys.first().is_none_or(|key| *key != (HostKey::Any, PathKey::Any));
    match (telling(&one), telling(&other)) {
        (false, _) => return other,
        (true, false) => return one,
        (true, true) => {}
    }
    if one.len().saturating_mul(other.len()) > MOST_PAIRS {
        return if one.len() <= other.len() { one } else { other };
    }
    let pairs = one.iter().flat_map(|(host, path)| {
        other.iter().map(move |(other_host, other_path)| {
            let path = if path_tells(path) >= path_tells(other_path) { path } else { other_path };
            (host.max(other_host).clone(), path.clone())
        })
    });
    either(pairs.collect())
}

/// A longer prefix tells more than a shorter one.
fn path_tells(key: &PathKey) -> (usize, usize) {
    match key {
        PathKey::Any => (0, 0),
        PathKey::Holds(text) => (1, text.len()),
        PathKey::Prefix(text) => (2, text.len()),
        PathKey::Exact(text) => (3, text.len()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::compiled::Compiled;
    use plan::matching::Match;

    fn found(matches: Match) -> Vec<Key> {
        keys(Compiled::new(&matches).unwrap().node(), &Frequencies::default())
    }

    fn host(name: &str) -> Match {
        Match::Host(name.into())
    }

    #[test]
    fn pairs_hosts_with_paths() {
        let rule = Match::All(vec![
            Match::Any(vec![host("a"), host("b")]),
            Match::PathPrefix("/x".into()),
            Match::PathPrefix("/x/y".into()),
            Match::Method("GET".into()),
        ]);
        let key = |name: &str| (HostKey::Exact(name.into()), PathKey::Prefix("/x/y".into()));
        assert_eq!(found(rule), [key("a"), key("b")]);
    }

    #[test]
    fn not_swaps_and_and_or() {
        let not = |part| Match::Not(Box::new(part));
        let any = [(HostKey::Any, PathKey::Any)];
        assert_eq!(found(not(host("a"))), any);
        let key = |name: &str| (HostKey::Exact(name.into()), PathKey::Any);
        assert_eq!(found(not(not(host("a")))), [key("a")]);
        assert_eq!(found(not(Match::Any(vec![not(host("a")), Match::Tls(true)]))), [key("a")]);
        assert_eq!(found(not(Match::All(vec![not(host("a")), not(host("b"))]))), [key("a"), key("b")]);
        assert_eq!(found(Match::Any(vec![host("a"), Match::Tls(true)])), any);
        assert_eq!(found(Match::All(vec![])), any);
        assert_eq!(found(Match::Any(vec![])), []);
    }

    #[test]
    fn many_pairs_keep_one_side() {
        let hosts = Match::Any((0..100).map(|at| host(&at.to_string())).collect());
        let paths = Match::Any((0..50).map(|at| Match::Path(format!("/{at}"))).collect());
        assert_eq!(found(Match::All(vec![hosts, paths])).len(), 50);
    }
}
