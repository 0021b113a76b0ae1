//! Rules that only compare: what such a rule asks of host, path and method stands in one run of bytes, so that of ten
//! thousand rules a request reads a line of memory instead of a tree of boxes.
//!
//! ```text
//!   Host(`a.test`) && PathPrefix(`/x`)      HOST 6 a.test  PREFIX 2 /x  END        (lengths are two bytes)
//! ```

use std::num::NonZeroU32;

use crate::compiled::Node;
use crate::subject::Subject;

/// A run that is no longer than a line of memory does not stand in two.
const LINE: usize = 64;

const END: u8 = 0;
const HOST: u8 = 1;
const PATH: u8 = 2;
const PREFIX: u8 = 3;
const METHOD: u8 = 4;
const TLS: u8 = 5;
const CLEAR: u8 = 6;

/// The texts of all such rules.
#[derive(Debug, Default)]
pub(super) struct Texts(Vec<u8>);

/// Where a rule's begin.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place(NonZeroU32);

impl Texts {
    /// Packs a rule's condition; None when it asks for more than texts.
    pub(super) fn add(&mut self, node: &Node) -> Option<Place> {
        let mut run = Vec::new();
        pack(node, &mut run)?;
        run.push(END);
        let left = LINE - self.0.len() % LINE;
        // A place is not 0.
        if self.0.is_empty() || (left < run.len() && run.len() <= LINE) {
            self.0.resize(self.0.len() + left, END);
        }
        let place = u32::try_from(self.0.len()).ok().and_then(NonZeroU32::new)?;
        self.0.extend_from_slice(&run);
        Some(Place(place))
    }

    /// Whether the request is what the rule asks for.
    #[inline]
    pub(super) fn match_at<S: Subject>(&self, place: Place, subject: &S) -> bool {
        let mut rest = self.0.get(place.0.get() as usize..).unwrap_or_default();
        while let [kind, low, high, tail @ ..] = rest {
            let Some((text, after)) = tail.split_at_checked(usize::from(u16::from_le_bytes([*low, *high]))) else {
                break;
            };
            let holds = match *kind {
                HOST => subject.host().as_bytes() == text,
                PATH => subject.path() == text,
                PREFIX => subject.path().starts_with(text),
                METHOD => subject.method() == text,
                TLS => subject.tls(),
                CLEAR => !subject.tls(),
                _ => break,
            };
            if !holds {
                return false;
            }
            rest = after;
        }
        true
    }
}

fn pack(node: &Node, run: &mut Vec<u8>) -> Option<()> {
    let (kind, text): (u8, &[u8]) = match node {
        Node::All(parts) => return parts.iter().try_for_each(|part| pack(part, run)),
        Node::Always => return Some(()),
        Node::Host(host) => (HOST, host.as_bytes()),
        Node::Path(path) => (PATH, path.as_bytes()),
        Node::PathPrefix(prefix) => (PREFIX, prefix.as_bytes()),
        Node::Method(method) => (METHOD, method.as_bytes()),
        Node::Tls(true) => (TLS, b""),
        Node::Tls(false) => (CLEAR, b""),
        _ => return None,
    };
    run.push(kind);
    run.extend_from_slice(&u16::try_from(text.len()).ok()?.to_le_bytes());
    run.extend_from_slice(text);
    Some(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::compiled::Compiled;
    use crate::subject::Request;
    use plan::matching::Match;

    fn add(texts: &mut Texts, matches: Match) -> Option<Place> {
        texts.add(Compiled::new(&matches).unwrap().node())
    }

    fn host_and_prefix(number: usize) -> Match {
        Match::All(vec![Match::Host(format!("h{number}.test")), Match::PathPrefix(format!("/{number}/"))])
    }

    #[test]
    fn each_text_of_a_rule_must_fit() {
        let mut texts = Texts::default();
        let parts = vec![host_and_prefix(1), Match::Method("GET".into()), Match::Tls(false), Match::Always];
        let place = add(&mut texts, Match::All(parts)).unwrap();
        let path = add(&mut texts, Match::Path("/1/".into())).unwrap();
        let tls = add(&mut texts, Match::Tls(true)).unwrap();
        let always = add(&mut texts, Match::Always).unwrap();
        let right = Request::get("h1.test", "/1/x");
        assert!(texts.match_at(place, &right));
        assert!(!texts.match_at(place, &Request { host: "h2.test".into(), ..right.clone() }));
        assert!(!texts.match_at(place, &Request { path: b"/1".to_vec(), ..right.clone() }));
        assert!(!texts.match_at(place, &Request { method: b"PUT".to_vec(), ..right.clone() }));
        assert!(!texts.match_at(place, &Request { tls: true, ..right.clone() }));
        assert!(!texts.match_at(path, &right) && texts.match_at(path, &Request::get("", "/1/")));
        assert!(!texts.match_at(tls, &right) && texts.match_at(tls, &Request { tls: true, ..right.clone() }));
        assert!(texts.match_at(always, &right));
    }

    #[test]
    fn a_short_rule_stands_in_one_line() {
        let mut texts = Texts::default();
        for number in 0..1_000 {
            let place = add(&mut texts, host_and_prefix(number)).unwrap();
            assert!(place.0.get() as usize % LINE + (texts.0.len() - place.0.get() as usize) <= LINE, "{number}");
        }
    }

    #[test]
    fn what_is_no_short_text_is_not_packed() {
        let mut texts = Texts::default();
        for matches in [
            Match::Any(vec![Match::Host("a".into()), Match::Host("b".into())]),
            Match::All(vec![Match::Host("a".into()), Match::Not(Box::new(Match::Tls(true)))]),
            Match::Path("/".repeat(1 << 16)),
        ] {
            assert!(add(&mut texts, matches).is_none());
        }
        assert!(add(&mut texts, Match::Path("/".repeat(u16::MAX.into()))).is_some());
    }
}
