//! Text a regex cannot match without: what makes it findable in an index.
//!
//! Only ASCII counts, for the subject of a pattern is read as bytes or with U+FFFD for what is invalid. Patterns
//! that backtrack or ignore case have none.

use regex_syntax::hir::literal::Extractor;
use regex_syntax::hir::{Hir, HirKind, Look};

use crate::pattern::CompiledPattern;

/// More alternatives than this do not narrow a search.
const MOST: usize = 16;

/// One of these stands in every match.
pub(crate) type OneOf = Vec<String>;

/// Every set of which one text must occur somewhere in the subject; a pattern may have several or none.
pub(crate) fn held(pattern: &CompiledPattern) -> Vec<OneOf> {
    let mut sets = Vec::new();
    if let Some(hir) = parse(pattern) {
        needed(&hir, &mut sets);
    }
    sets.retain(useful);
    sets
}

/// The texts one of which the subject must begin with; None when there is no such set.
pub(crate) fn begins(pattern: &CompiledPattern) -> Option<OneOf> {
    let hir = parse(pattern)?;
    if !hir.properties().look_set_prefix().contains(Look::Start) {
        return None;
    }
    let seq = Extractor::new().extract(&hir);
    let set: Option<OneOf> =
        seq.literals()?.iter().map(|literal| String::from_utf8(literal.as_bytes().to_vec()).ok()).collect();
    set.filter(useful)
}

fn parse(pattern: &CompiledPattern) -> Option<Hir> {
    let (regex, unicode) = pattern.linear()?;
    regex_syntax::ParserBuilder::new()
        .utf8(false)
        .unicode(unicode)
        .case_insensitive(pattern.ignore_case())
        .build()
        .parse(regex)
        .ok()
}

fn useful(set: &OneOf) -> bool {
    !set.is_empty() && set.len() <= MOST && set.iter().all(|text| !text.is_empty() && text.is_ascii())
}

/// Collects the sets a match of `hir` implies.
fn needed(hir: &Hir, sets: &mut Vec<OneOf>) {
    match hir.kind() {
        HirKind::Literal(literal) => {
            sets.extend(std::str::from_utf8(&literal.0).ok().map(|text| vec![text.to_owned()]));
        }
        HirKind::Capture(group) => needed(&group.sub, sets),
        HirKind::Repetition(repetition) if repetition.min > 0 => needed(&repetition.sub, sets),
        HirKind::Concat(parts) => parts.iter().for_each(|part| needed(part, sets)),
        HirKind::Alternation(branches) => {
            let mut together = OneOf::new();
            for branch in branches {
                let mut of_branch = Vec::new();
                needed(branch, &mut of_branch);
                let Some(longest) = of_branch.into_iter().filter(useful).max_by_key(shortest) else { return };
                together.extend(longest);
            }
            sets.push(together);
        }
        _ => {}
    }
}

/// The length of the shortest text of a set: how much it says.
pub(crate) fn shortest(set: &OneOf) -> usize {
    set.iter().map(String::len).min().unwrap_or(0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use plan::matching::{Dialect, Pattern};

    fn re2(regex: &str) -> CompiledPattern {
        let pattern = Pattern { regex: regex.into(), dialect: Dialect::Re2, ignore_case: false, slot: None };
        CompiledPattern::new(&pattern).unwrap()
    }

    #[test]
    fn finds_what_every_match_holds() {
        for (regex, expected) in [
            (r"^app-[0-9]+\.example\.com$", vec![vec!["app-"], vec![".example.com"]]),
            (r"^(a1|b1)\.x$", vec![vec!["a1", "b1"], vec![".x"]]),
            (r"^[a-z]+$", vec![]),
            (r"a*b?", vec![]),
            (r"(abc)+", vec![vec!["abc"]]),
            (r"ab|c*", vec![]),
            (r"(?i)abc", vec![]),
            ("é", vec![]),
        ] {
            assert_eq!(held(&re2(regex)), expected, "{regex}");
        }
    }

    #[test]
    fn finds_what_every_subject_begins_with() {
        for (regex, expected) in [
            (r"^/api/v[0-9]$", Some("/api/v0")),
            (r"^(/a|/b)/", Some("/a/")),
            (r"/api", None),
            (r"^/|x", None),
            (r"^.*x", None),
            (r"(?m)^/api", None),
        ] {
            let found = begins(&re2(regex));
            assert_eq!(found.and_then(|set| set.into_iter().next()).as_deref(), expected, "{regex}");
        }
    }
}
