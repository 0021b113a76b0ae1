//! The narrowest of many networks that holds an address (nginx `geo`).
//!
//! One table for each length of prefix that occurs, the longest first: a search asks each once, however many networks
//! there are. Families do not mix; an IPv4-mapped address counts as IPv4.

use std::hash::Hash;
use std::net::IpAddr;
use std::ops::{BitAnd, BitXor, Not};

use rustc_hash::FxHashMap;

use crate::cidr::{range, Network};
use crate::error::Problem;

/// Networks, numbered as they stand.
#[derive(Debug, Default)]
pub struct NetworkIndex {
    v4: Lengths<u32>,
    v6: Lengths<u128>,
}

/// A mask and the networks of its length; the longest first.
#[derive(Debug)]
struct Lengths<N>(Vec<(N, FxHashMap<N, u32>)>);

impl NetworkIndex {
    /// Indexes networks; the first that cannot be read is the error.
    pub fn build<'p>(networks: impl Iterator<Item = &'p str>) -> Result<Self, Problem> {
        let mut index = Self::default();
        for (number, text) in (0..).zip(networks) {
            match range(text).ok_or_else(|| Problem::Network { text: text.to_owned() })? {
                Network::V4(low, high) => index.v4.add(low, high, number),
                Network::V6(low, high) => index.v6.add(low, high, number),
            }
        }
        Ok(index)
    }

    /// The number of the narrowest network that holds the address; of two that are equal the later one, as in nginx.
    #[must_use]
    pub fn find(&self, address: IpAddr) -> Option<u32> {
        match address.to_canonical() {
            IpAddr::V4(address) => self.v4.find(u32::from(address)),
            IpAddr::V6(address) => self.v6.find(u128::from(address)),
        }
    }
}

impl<N> Default for Lengths<N> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<N: Copy + Ord + Hash + BitAnd<Output = N> + BitXor<Output = N> + Not<Output = N>> Lengths<N> {
    fn add(&mut self, low: N, high: N, number: u32) {
        let mask = !(low ^ high);
        // A longer prefix has the greater mask.
        let place = self.0.partition_point(|(other, _)| *other > mask);
        if self.0.get(place).is_none_or(|(other, _)| *other != mask) {
            self.0.insert(place, (mask, FxHashMap::default()));
        }
        self.0[place].1.insert(low, number);
    }

    fn find(&self, address: N) -> Option<u32> {
        self.0.iter().find_map(|(mask, networks)| networks.get(&(address & *mask)).copied())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_narrowest_network_wins() {
        let list = ["10.0.0.0/8", "10.1.0.0/16", "10.1.2.3", "0.0.0.0/0", "fd00::/8", "fd00::1", "10.1.0.0/16"];
        let index = NetworkIndex::build(list.into_iter()).unwrap();
        for (address, expected) in [
            ("10.2.0.1", Some(0)),
            ("10.1.9.9", Some(6)),
            ("10.1.2.3", Some(2)),
            ("::ffff:10.1.2.3", Some(2)),
            ("192.0.2.1", Some(3)),
            ("fd00::1", Some(5)),
            ("fd12::1", Some(4)),
            ("fe80::1", None),
        ] {
            assert_eq!(index.find(address.parse().unwrap()), expected, "{address}");
        }
        assert!(NetworkIndex::build(["10.0.0.0/33"].into_iter()).is_err());
    }

    #[test]
    fn agrees_with_a_walk() {
        let text: Vec<String> = (0u32..2_000)
            .map(|n| {
                let bits = n.wrapping_mul(0x9E37_79B9);
                format!("10.{}.{}.{}/{}", bits >> 30, (bits >> 20) & 3, (bits >> 10) & 255, 8 + n % 25)
            })
            .collect();
        let index = NetworkIndex::build(text.iter().map(String::as_str)).unwrap();
        for n in 0u32..2_000 {
            let address = u32::from(std::net::Ipv4Addr::new(10, 0, 0, 0)) | (n.wrapping_mul(0x85EB_CA6B) >> 14);
            let holds = |number: &usize| match range(&text[*number]) {
                Some(Network::V4(low, high)) if (low..=high).contains(&address) => Some(high - low),
                _ => None,
            };
            let narrowest = (0..text.len()).filter(|n| holds(n).is_some()).min_by_key(|n| (holds(n), usize::MAX - n));
            let found = index.find(std::net::Ipv4Addr::from(address).into());
            assert_eq!(found, narrowest.map(|n| u32::try_from(n).unwrap()), "{address:x}");
        }
    }
}
