//! nginx's own hashes, so that clients and keys keep their servers when they come from there: `ip_hash`, `hash` and
//! `hash … consistent`.
//!
//! Facts (nginx's source): each counts the weights of all servers, those that are down too, so that one that is marked
//! down moves only its own; each looks on at most twenty times, then the next in turn is taken; `hash` is that of
//! Cache::Memcached, `consistent` that of Cache::Memcached::Fast (ketama: 160 points a server for each weight).
//! Where it is tried again it goes on from where it was: here it begins again and passes those that were tried, which
//! comes to the same.

use std::net::IpAddr;
use std::time::Instant;

use crc32fast::Hasher;

use super::{Asking, Seat};

/// How often is looked on.
const LOOKS: usize = 20;

/// Points of a server on the ring, for each weight.
const POINTS: u32 = 160;

/// The seat of a client's address: three octets of IPv4, the whole of IPv6. None: the next in turn.
pub(super) fn by_address(list: &[Seat], asking: &Asking<'_>, now: &mut Option<Instant>) -> Option<usize> {
    let (v4, v6);
    let octets: &[u8] = match asking.client {
        IpAddr::V4(ip) => {
            v4 = ip.octets();
            &v4[..3]
        }
        IpAddr::V6(ip) => {
            v6 = ip.octets();
            &v6
        }
    };
    let mut hash = 89u64;
    look(list, asking, now, || {
        hash = octets.iter().fold(hash, |hash, octet| (hash * 113 + u64::from(*octet)) % 6271);
        hash
    })
}

/// The seat of a key.
pub(super) fn by_key(list: &[Seat], asking: &Asking<'_>, now: &mut Option<Instant>) -> Option<usize> {
    let (mut sum, mut again) = (0u64, 0usize);
    look(list, asking, now, || {
        let mut hasher = Hasher::new();
        if again > 0 {
            hasher.update(itoa::Buffer::new().format(again).as_bytes());
        }
        hasher.update(asking.key);
        sum += u64::from(hasher.finalize() >> 16 & 0x7fff);
        again += 1;
        sum
    })
}

/// Takes number after number until one falls to a seat that is free.
fn look(list: &[Seat], asking: &Asking<'_>, now: &mut Option<Instant>, mut next: impl FnMut() -> u64) -> Option<usize> {
    let total: u64 = list.iter().map(|seat| u64::from(seat.weight)).sum();
    if list.len() < 2 || total == 0 {
        return None;
    }
    for _ in 0..=LOOKS + asking.tried.len() {
        let mut weight = next() % total;
        let at = list.iter().position(|seat| {
            let here = weight < u64::from(seat.weight);
            weight = weight.saturating_sub(u64::from(seat.weight));
            here
        })?;
        if list[at].is_free(asking, now) {
            return Some(at);
        }
    }
    None
}

/// Ketama's ring.
#[derive(Default)]
pub(super) struct Ring {
    /// Each with its seat.
    points: Vec<(u32, usize)>,
    /// The first seat of each seat's server: one that is written twice stands on the ring once.
    first: Vec<usize>,
}

impl Ring {
    #[must_use]
    pub(super) fn of(list: &[Seat]) -> Self {
        let mut points = Vec::new();
        for (at, seat) in list.iter().enumerate() {
            let (host, port) = split(server(seat));
            let mut base = Hasher::new();
            base.update(host.as_bytes());
            base.update(b"\0");
            base.update(port.as_bytes());
            let mut before = [0u8; 4];
            for _ in 0..seat.weight.saturating_mul(POINTS) {
                let mut hasher = base.clone();
                hasher.update(&before);
                let hash = hasher.finalize();
                points.push((hash, at));
                before = hash.to_le_bytes();
            }
        }
        points.sort_by_key(|point| point.0);
        points.dedup_by_key(|point| point.0);
        let first_of = |of: &Seat| list.iter().position(|seat| server(seat) == server(of)).unwrap_or(0);
        Self { points, first: list.iter().map(first_of).collect() }
    }

    /// The seat of a key; several of one server take turns by their weights.
    pub(super) fn by_key(&self, list: &mut [Seat], asking: &Asking<'_>, now: &mut Option<Instant>) -> Option<usize> {
        if list.len() < 2 || self.points.is_empty() {
            return None;
        }
        let hash = crc32fast::hash(asking.key);
        let from = self.points.partition_point(|point| point.0 < hash);
        for step in 0..=LOOKS {
            let (_, at) = self.points[(from + step) % self.points.len()];
            let is_one = |other: usize| self.first.get(other) == self.first.get(at);
            let found = super::smooth(list, |other, seat| is_one(other) && seat.is_free(asking, now));
            if found.is_some() {
                return found;
            }
        }
        None
    }
}

/// The server as it was written.
fn server(seat: &Seat) -> &str {
    let url = seat.endpoint.url.as_str();
    match url.split_once("://") {
        _ if url.is_empty() => seat.endpoint.address_text(),
        Some((_, rest)) => rest,
        None => url,
    }
}

/// Host and port as nginx cuts them: what follows the last colon when it is digits only.
fn split(server: &str) -> (&str, &str) {
    if let Some(path) = server.strip_prefix("unix:") {
        return (path, "");
    }
    match server.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => (host, port),
        _ => (server, ""),
    }
}
