//! Times as logs write them.

use std::io::Write;
use std::time::SystemTime;

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

fn zoned(at: SystemTime, zone: TimeZone) -> Zoned {
    Timestamp::try_from(at).unwrap_or_default().to_zoned(zone)
}

fn put(out: &mut Vec<u8>, at: SystemTime, zone: TimeZone, format: &str) {
    let _ = write!(out, "{}", zoned(at, zone).strftime(format));
}

/// RFC 3339 with nanoseconds, in UTC.
pub fn utc(at: SystemTime, out: &mut Vec<u8>) {
    put(out, at, TimeZone::UTC, "%Y-%m-%dT%H:%M:%S.%9fZ");
}

/// RFC 3339 with nanoseconds and the local offset.
pub fn local(at: SystemTime, out: &mut Vec<u8>) {
    put(out, at, TimeZone::system(), "%Y-%m-%dT%H:%M:%S.%9f%:z");
}

/// `02/Jan/2006:15:04:05 -0700`
pub fn common(at: SystemTime, out: &mut Vec<u8>) {
    put(out, at, TimeZone::system(), "%d/%b/%Y:%H:%M:%S %z");
}

/// `2006-01-02T15:04:05-07:00`
pub fn iso8601(at: SystemTime, out: &mut Vec<u8>) {
    put(out, at, TimeZone::system(), "%Y-%m-%dT%H:%M:%S%:z");
}

/// `2006/01/02 15:04:05`
pub fn plain(at: SystemTime, out: &mut Vec<u8>) {
    put(out, at, TimeZone::system(), "%Y/%m/%d %H:%M:%S");
}

/// Seconds since 1970 with milliseconds.
pub fn msec(at: SystemTime, out: &mut Vec<u8>) {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let _ = write!(out, "{}.{:03}", since.as_secs(), since.subsec_millis());
}
