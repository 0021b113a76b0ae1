//! Preconditions on a file (RFC 9110 section 13): what a client has of it, or wants it still to be.
//!
//! Decisions (nginx's): If-Match and If-Unmodified-Since must both hold; If-None-Match and If-Modified-Since must both
//! say that the client has the file, where RFC 9110 section 13.1.3 would not look at the second. A client that sends both
//! has them from one response, so that they agree. A date that cannot be read is no date of any file.

use crate::date;
use crate::field::trim;

/// The fields of a request that are about a file it may have.
#[derive(Debug, Clone, Copy, Default)]
pub struct Preconditions<'a> {
    pub if_match: Option<&'a [u8]>,
    pub if_unmodified_since: Option<&'a [u8]>,
    pub if_none_match: Option<&'a [u8]>,
    pub if_modified_since: Option<&'a [u8]>,
    pub if_range: Option<&'a [u8]>,
}

/// What a file is known by.
#[derive(Debug, Clone, Copy)]
pub struct Validators<'a> {
    /// With its quotes; strong.
    pub etag: Option<&'a [u8]>,
    /// Seconds after 1970.
    pub modified: i64,
}

/// Which dates of If-Modified-Since mean that the client has the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    Never,
    Exact,
    Before,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is sent.
    Send,
    /// The client has it (304).
    NotModified,
    /// It is not what the client wants it to be (412).
    Failed,
}

impl Preconditions<'_> {
    /// What they come to.
    #[must_use]
    pub fn judge(&self, file: &Validators<'_>, since: Since) -> Verdict {
        let unmodified = |date: &[u8]| date::parse(date).is_some_and(|date| date >= file.modified);
        if self.if_unmodified_since.is_some_and(|date| !unmodified(date)) {
            return Verdict::Failed;
        }
        if self.if_match.is_some_and(|list| !lists(list, file.etag, false)) {
            return Verdict::Failed;
        }
        if self.if_modified_since.is_none() && self.if_none_match.is_none() {
            return Verdict::Send;
        }
        let has_date = |date: &[u8]| match (since, date::parse(date)) {
            (Since::Never, _) | (_, None) => false,
            (Since::Exact, Some(date)) => date == file.modified,
            (Since::Before, Some(date)) => date >= file.modified,
        };
        if self.if_modified_since.is_some_and(|date| !has_date(date))
            || self.if_none_match.is_some_and(|list| !lists(list, file.etag, true))
        {
            return Verdict::Send;
        }
        Verdict::NotModified
    }

    /// Whether ranges may be answered by parts: what the client has of the file is of this one (section 13.1.5).
    #[must_use]
    pub fn ranges_hold(&self, file: &Validators<'_>) -> bool {
        match self.if_range {
            None => true,
            Some(tag) if tag.len() >= 2 && tag.ends_with(b"\"") => file.etag == Some(tag),
            Some(date) => date::parse(date) == Some(file.modified),
        }
    }
}

/// Whether a list of entity tags (section 8.8.3) has this one; `*` has any.
fn lists(list: &[u8], etag: Option<&[u8]>, weak: bool) -> bool {
    if trim(list) == b"*" {
        return true;
    }
    let Some(etag) = etag else { return false };
    // A tag may hold commas, the file's own does not.
    list.split(|&b| b == b',').map(trim).any(|item| {
        let item = if weak { item.strip_prefix(b"W/").unwrap_or(item) } else { item };
        item == etag
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: Validators<'static> = Validators { etag: Some(b"\"2ed7-5\""), modified: 784_111_777 };
    const ITS_DATE: &[u8] = b"Sun, 06 Nov 1994 08:49:37 GMT";
    const BEFORE: &[u8] = b"Sun, 06 Nov 1994 08:49:36 GMT";
    const AFTER: &[u8] = b"Sun, 06 Nov 1994 08:49:38 GMT";

    fn asked(change: impl FnOnce(&mut Preconditions<'static>)) -> Preconditions<'static> {
        let mut asked = Preconditions::default();
        change(&mut asked);
        asked
    }

    #[test]
    fn without_conditions_it_is_sent() {
        assert_eq!(Preconditions::default().judge(&FILE, Since::Exact), Verdict::Send);
    }

    #[test]
    fn if_modified_since_means_what_the_plan_says() {
        for (date, exact, before) in [
            (ITS_DATE, Verdict::NotModified, Verdict::NotModified),
            (BEFORE, Verdict::Send, Verdict::Send),
            (AFTER, Verdict::Send, Verdict::NotModified),
            (b"yesterday", Verdict::Send, Verdict::Send),
        ] {
            let asked = asked(|a| a.if_modified_since = Some(date));
            assert_eq!(asked.judge(&FILE, Since::Exact), exact);
            assert_eq!(asked.judge(&FILE, Since::Before), before);
            assert_eq!(asked.judge(&FILE, Since::Never), Verdict::Send);
        }
    }

    #[test]
    fn if_none_match_compares_weakly_and_if_match_strongly() {
        for (list, weak, strong) in [
            (&b"\"2ed7-5\""[..], true, true),
            (b"W/\"2ed7-5\"", true, false),
            (b"\"a\", \"2ed7-5\" ,\"b\"", true, true),
            (b"*", true, true),
            (b"\"2ed7-6\"", false, false),
            (b"2ed7-5", false, false),
        ] {
            let none = asked(|a| a.if_none_match = Some(list));
            assert_eq!(none.judge(&FILE, Since::Exact) == Verdict::NotModified, weak);
            let some = asked(|a| a.if_match = Some(list));
            assert_eq!(some.judge(&FILE, Since::Exact) == Verdict::Send, strong);
        }
    }

    #[test]
    fn if_unmodified_since_fails_for_a_newer_file() {
        for (date, holds) in [(ITS_DATE, true), (AFTER, true), (BEFORE, false), (b"never", false)] {
            let asked = asked(|a| a.if_unmodified_since = Some(date));
            assert_eq!(asked.judge(&FILE, Since::Exact) == Verdict::Send, holds);
        }
    }

    #[test]
    fn both_of_a_pair_must_agree() {
        let asked = asked(|a| {
            a.if_none_match = Some(b"\"2ed7-5\"");
            a.if_modified_since = Some(BEFORE);
        });
        assert_eq!(asked.judge(&FILE, Since::Exact), Verdict::Send);
    }

    #[test]
    fn if_range_is_this_very_file() {
        for (value, holds) in
            [(&b"\"2ed7-5\""[..], true), (b"W/\"2ed7-5\"", false), (b"\"x\"", false), (ITS_DATE, true), (AFTER, false)]
        {
            assert_eq!(asked(|a| a.if_range = Some(value)).ranges_hold(&FILE), holds);
        }
        assert!(Preconditions::default().ranges_hold(&FILE));
    }
}
