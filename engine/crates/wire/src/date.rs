//! Dates of fields (RFC 9110 section 5.6.7): written in the one form, read in all three.
//!
//! Decisions: the name of the day is not looked at, and neither is what follows the time: both say what the date
//! says already. A two-digit year below 70 is of this century.

const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAY: i64 = 86_400;

/// A day of the calendar and a time of it, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Civil {
    pub year: i64,
    /// 1 to 12
    pub month: u8,
    pub day: u8,
    pub hour: u8,
    pub minute: u8,
    pub second: u8,
    /// 0 is Sunday.
    pub weekday: u8,
}

impl Civil {
    /// The moment so many seconds after 1970.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Each is bounded by its remainder.
    pub fn of(seconds: i64) -> Self {
        let (days, time) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
        // Years that begin in March, so that the day that leaps is the last (era: 400 years).
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let of_era = shifted.rem_euclid(146_097);
        let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let march = (5 * of_year + 2) / 153;
        let month = if march < 10 { march + 3 } else { march - 9 };
        Self {
            year: year_of_era + era * 400 + i64::from(month <= 2),
            month: month as u8,
            day: (of_year - (153 * march + 2) / 5 + 1) as u8,
            hour: (time / 3600) as u8,
            minute: (time / 60 % 60) as u8,
            second: (time % 60) as u8,
            weekday: (days + 4).rem_euclid(7) as u8,
        }
    }

    /// `Jan` to `Dec`
    #[must_use]
    pub fn month_name(self) -> &'static str {
        MONTHS[usize::from(self.month - 1)]
    }
}

/// Seconds after 1970 of a moment; none when there is no such day or time.
fn seconds(year: i64, month: i64, day: i64, time: (i64, i64, i64)) -> Option<i64> {
    let leaps = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let length = match month {
        2 => 28 + i64::from(leaps),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let (hour, minute, second) = time;
    if year < 1970 || !(1..=length).contains(&day) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let (y, m) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let era = y / 400;
    let of_era = y % 400;
    let of_year = (153 * m + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    Some(days * DAY + hour * 3600 + minute * 60 + second)
}

/// Appends `Mon, 28 Sep 1970 06:00:00 GMT`.
pub fn write(seconds: i64, out: &mut Vec<u8>) {
    let at = Civil::of(seconds);
    out.extend_from_slice(DAYS[usize::from(at.weekday)].as_bytes());
    out.extend_from_slice(b", ");
    two(at.day, out);
    out.push(b' ');
    out.extend_from_slice(at.month_name().as_bytes());
    out.push(b' ');
    let year = at.year.clamp(0, 9999);
    for place in [1000, 100, 10, 1] {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // A digit.
        out.push(b'0' + (year / place % 10) as u8);
    }
    for (glue, part) in [(b' ', at.hour), (b':', at.minute), (b':', at.second)] {
        out.push(glue);
        two(part, out);
    }
    out.extend_from_slice(b" GMT");
}

fn two(number: u8, out: &mut Vec<u8>) {
    out.push(b'0' + number / 10 % 10);
    out.push(b'0' + number % 10);
}

/// Seconds after 1970; none for what is no date.
#[must_use]
pub fn parse(text: &[u8]) -> Option<i64> {
    match text.iter().position(|&b| b == b',') {
        // asctime: `Mon Sep 28 06:00:00 1970`
        None => {
            let mut words = text.split(|&b| b == b' ').filter(|word| !word.is_empty()).skip(1);
            let (month, day) = (month(words.next()?)?, number(words.next()?, 1..=2)?);
            let time = time(words.next()?)?;
            seconds(number(words.next()?, 4..=4)?, month, day, time)
        }
        Some(comma) => {
            let rest = text[comma + 1..].trim_ascii_start();
            let obsolete = rest.get(2) == Some(&b'-');
            let mut words = rest.split(|&b| b == b' ');
            if obsolete {
                // RFC 850: `Monday, 28-Sep-70 06:00:00 GMT`
                let mut date = words.next()?.split(|&b| b == b'-');
                let (day, month) = (number(date.next()?, 2..=2)?, month(date.next()?)?);
                let year = number(date.next()?, 2..=2)?;
                return seconds(year + if year < 70 { 2000 } else { 1900 }, month, day, time(words.next()?)?);
            }
            let (day, month) = (number(words.next()?, 2..=2)?, month(words.next()?)?);
            let year = number(words.next()?, 4..=4)?;
            seconds(year, month, day, time(words.next()?)?)
        }
    }
}

fn month(name: &[u8]) -> Option<i64> {
    let at = MONTHS.iter().position(|month| month.as_bytes() == name)?;
    i64::try_from(at + 1).ok()
}

fn time(text: &[u8]) -> Option<(i64, i64, i64)> {
    let mut parts = text.split(|&b| b == b':').map(|part| number(part, 2..=2));
    let time = (parts.next()??, parts.next()??, parts.next()??);
    parts.next().is_none().then_some(time)
}

fn number(text: &[u8], digits: std::ops::RangeInclusive<usize>) -> Option<i64> {
    if !digits.contains(&text.len()) || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(text.iter().fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(seconds: i64) -> String {
        let mut out = Vec::new();
        write(seconds, &mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn the_three_forms_of_the_rfc_are_one_moment() {
        for text in ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"] {
            assert_eq!(parse(text.as_bytes()), Some(784_111_777), "{text}");
        }
        assert_eq!(written(784_111_777), "Sun, 06 Nov 1994 08:49:37 GMT");
    }

    #[test]
    fn every_day_of_five_centuries_is_read_as_it_was_written() {
        let mut at = 0;
        while at < 500 * 366 * DAY {
            assert_eq!(parse(written(at).as_bytes()), Some(at), "{at}");
            at += DAY - 7;
        }
        assert_eq!(written(951_782_400), "Tue, 29 Feb 2000 00:00:00 GMT");
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "0",
            "Sun, 31 Feb 2021 08:49:37 GMT",
            "Sun, 29 Feb 2100 08:49:37 GMT",
            "Sun, 06 Now 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 24:00:00 GMT",
            "Sun, 06 Nov 1994 08:49 GMT",
            "Sun, 06 Nov 1994 08:49:37:00 GMT",
            "Sun, 6 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1969 08:49:37 GMT",
            "Sun, +6 Nov 1994 08:49:37 GMT",
            ",",
        ] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
    }
}
