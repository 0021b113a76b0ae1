//! Expires and Cache-Control from a number of seconds (`HeaderOp::Expires`).
//!
//! Facts (RFC 9111 sections 5.2.2.1 and 5.3): a cache prefers max-age; Expires is for those that know no better.
//! A moment that has passed is said as `no-cache`.

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use plan::filter::ExpiresFrom;
use wire::head::Head;

const FORMAT: &str = "%a, %d %b %Y %H:%M:%S GMT";
const PAST: (&str, &str) = ("Thu, 01 Jan 1970 00:00:01 GMT", "no-cache");
const MAX: (&str, &str) = ("Thu, 31 Dec 2037 23:55:55 GMT", "max-age=315360000");

/// Replaces both fields; a value that is no number of seconds changes nothing.
pub(super) fn apply(head: &mut Head, after: &[u8], from: ExpiresFrom) {
    let fixed = match after {
        b"" => return,
        b"past" => Some(PAST),
        b"max" => Some(MAX),
        _ => None,
    };
    let (expires, control) = if let Some((expires, control)) = fixed {
        (expires.to_owned(), control.to_owned())
    } else {
        let Some(seconds) = std::str::from_utf8(after).ok().and_then(|text| text.parse::<i64>().ok()) else { return };
        let begin = begin(head, from, seconds);
        let Some(said) = said(seconds, begin, Timestamp::now().as_second()) else { return };
        said
    };
    for (name, value) in [(&b"Expires"[..], expires), (&b"Cache-Control"[..], control)] {
        head.remove(name);
        head.add(name, value.as_bytes());
    }
}

/// What the seconds are counted from.
fn begin(head: &Head, from: ExpiresFrom, seconds: i64) -> Option<i64> {
    match from {
        ExpiresFrom::Access => None,
        ExpiresFrom::Modified => {
            let text = head.joined(b"last-modified")?;
            let read = jiff::fmt::strtime::parse(FORMAT, text).ok()?;
            Some(read.to_datetime().ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second())
        }
        ExpiresFrom::Midnight => {
            let now = Zoned::now();
            let today = now.start_of_day().ok()?.timestamp().as_second();
            if today.saturating_add(seconds) > now.timestamp().as_second() {
                return Some(today);
            }
            Some(now.tomorrow().ok()?.start_of_day().ok()?.timestamp().as_second())
        }
    }
}

/// Both values; None for a moment no date can say.
fn said(seconds: i64, begin: Option<i64>, now: i64) -> Option<(String, String)> {
    let at = begin.unwrap_or(now).checked_add(seconds)?;
    let age = if begin.is_some() { at.checked_sub(now)? } else { seconds };
    let expires = Timestamp::from_second(at).ok()?.to_zoned(TimeZone::UTC).strftime(FORMAT).to_string();
    let control = if seconds < 0 || age < 0 { "no-cache".to_owned() } else { format!("max-age={age}") };
    Some((expires, control))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(expires: &str, control: &str) -> Option<(String, String)> {
        Some((expires.to_owned(), control.to_owned()))
    }

    #[test]
    fn seconds_count_from_now_or_from_the_moment_given() {
        assert_eq!(said(3600, None, 0), pair("Thu, 01 Jan 1970 01:00:00 GMT", "max-age=3600"));
        assert_eq!(said(0, None, 60), pair("Thu, 01 Jan 1970 00:01:00 GMT", "max-age=0"));
        assert_eq!(said(3600, Some(0), 600), pair("Thu, 01 Jan 1970 01:00:00 GMT", "max-age=3000"));
    }

    #[test]
    fn what_has_passed_is_not_kept() {
        assert_eq!(said(-60, None, 60), pair("Thu, 01 Jan 1970 00:00:00 GMT", "no-cache"));
        assert_eq!(said(60, Some(0), 600), pair("Thu, 01 Jan 1970 00:01:00 GMT", "no-cache"));
        assert_eq!(said(i64::MAX, None, 1), None);
    }
}
