//! Networks: a list of CIDRs and addresses, and whether an address lies in one of them.
//!
//! Decisions: an IPv4-mapped IPv6 address (`::ffff:10.0.0.1`), as a dual-stack socket gives, counts as IPv4,
//! asked or listed. Bits below the mask are ignored (`10.0.0.5/8` is `10.0.0.0/8`), as Go does.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::error::Problem;

/// Sorted, merged ranges of each family.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cidrs {
    v4: Box<[(u32, u32)]>,
    v6: Box<[(u128, u128)]>,
}

impl Cidrs {
    /// Reads a list; the first entry that cannot be read is the error.
    pub fn parse<T: AsRef<str>>(networks: &[T]) -> Result<Self, Problem> {
        let mut v4 = Vec::new();
        let mut v6 = Vec::new();
        for network in networks {
            let text = network.as_ref();
            match range(text).ok_or_else(|| Problem::Network { text: text.to_owned() })? {
                Network::V4(low, high) => v4.push((low, high)),
                Network::V6(low, high) => v6.push((low, high)),
            }
        }
        Ok(Self { v4: merged(v4), v6: merged(v6) })
    }

    /// The address lies in one of the networks.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match address.to_canonical() {
            IpAddr::V4(address) => within(&self.v4, u32::from(address)),
            IpAddr::V6(address) => within(&self.v6, u128::from(address)),
        }
    }

    /// No network at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.v4.is_empty() && self.v6.is_empty()
    }
}

/// The first and the last address.
pub(crate) enum Network {
    V4(u32, u32),
    V6(u128, u128),
}

/// Reads a CIDR or an address.
pub(crate) fn range(text: &str) -> Option<Network> {
    let (address, bits) = match text.split_once('/') {
        None => (text.parse().ok()?, None),
        Some((address, bits)) => (address.parse().ok()?, Some(prefix_length(bits)?)),
    };
    match address {
        IpAddr::V4(address) => v4_range(address, bits.unwrap_or(32)),
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(mapped) if bits.unwrap_or(128) >= 96 => v4_range(mapped, bits.unwrap_or(128) - 96),
            _ => v6_range(address, bits.unwrap_or(128)),
        },
    }
}

/// Digits only: `parse` alone would take a sign.
fn prefix_length(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.len() <= 3 && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits {
        text.parse().ok()
    } else {
        None
    }
}

fn v4_range(address: Ipv4Addr, bits: u32) -> Option<Network> {
    let host = u32::MAX.checked_shr(bits).unwrap_or(0);
    let low = u32::from(address) & !host;
    (bits <= 32).then_some(Network::V4(low, low | host))
}

fn v6_range(address: Ipv6Addr, bits: u32) -> Option<Network> {
    let host = u128::MAX.checked_shr(bits).unwrap_or(0);
    let low = u128::from(address) & !host;
    (bits <= 128).then_some(Network::V6(low, low | host))
}

fn merged<N: Ord + Copy>(mut ranges: Vec<(N, N)>) -> Box<[(N, N)]> {
    ranges.sort_unstable();
    let mut out: Vec<(N, N)> = Vec::with_capacity(ranges.len());
    for (low, high) in ranges {
        match out.last_mut() {
            Some(last) if low <= last.1 => last.1 = last.1.max(high),
            _ => out.push((low, high)),
        }
    }
    out.into()
}

fn within<N: Ord + Copy>(ranges: &[(N, N)], address: N) -> bool {
    let after = ranges.partition_point(|range| range.0 <= address);
    after > 0 && address <= ranges[after - 1].1
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn contains_what_the_list_says() {
        let list = ["10.0.0.5/8", "192.168.1.1", "fd00::/8", "::1", "::ffff:172.16.0.0/108", "10.1.0.0/16"];
        let cidrs = Cidrs::parse(&list).unwrap();
        for (address, expected) in [
            ("10.255.255.255", true),
            ("11.0.0.0", false),
            ("9.255.255.255", false),
            ("192.168.1.1", true),
            ("192.168.1.2", false),
            ("::ffff:10.1.2.3", true),
            ("172.31.255.255", true),
            ("172.32.0.0", false),
            ("fdff::1", true),
            ("fe00::1", false),
            ("::1", true),
            ("::2", false),
        ] {
            assert_eq!(cidrs.contains(address.parse().unwrap()), expected, "{address}");
        }
    }

    #[test]
    fn families_do_not_mix() {
        assert!(!Cidrs::parse(&["::/0"]).unwrap().contains([10, 0, 0, 1].into()));
        assert!(Cidrs::parse(&["0.0.0.0/0"]).unwrap().contains([10, 0, 0, 1].into()));
        assert!(!Cidrs::parse(&["0.0.0.0/0"]).unwrap().contains(IpAddr::V6(Ipv6Addr::LOCALHOST)));
        assert!(Cidrs::default().is_empty());
    }

    #[test]
    fn refuses_what_is_no_network() {
        for text in ["", "10.0.0.0/33", "10.0.0/8", "::/129", "10.0.0.0/", "10.0.0.0/+8", "example.org", "1.2.3.4/8/9"]
        {
            assert_eq!(Cidrs::parse(&[text]), Err(Problem::Network { text: text.to_owned() }));
        }
    }
}
