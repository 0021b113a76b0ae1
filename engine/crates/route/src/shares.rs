//! Which share of all keys a key falls into (nginx `split_clients`): the same one as there, by MurmurHash2.

/// Shares of the range of the hash.
#[derive(Debug)]
pub struct Shares {
    /// The first hash above each share.
    ends: Vec<u32>,
}

impl Shares {
    /// Shares in 1/100 of a percent, in order.
    #[must_use]
    pub fn new(basis_points: impl Iterator<Item = u32>) -> Self {
        let mut end = 0u64;
        let ends = basis_points.map(|share| {
            // Rounded down each by itself, as nginx does: the borders are the same.
            end += u64::from(share) * u64::from(u32::MAX) / 10_000;
            u32::try_from(end).unwrap_or(u32::MAX)
        });
        Self { ends: ends.collect() }
    }

    /// The share the key falls into; none when it lies behind them all.
    #[must_use]
    pub fn find(&self, key: &[u8]) -> Option<usize> {
        let hash = murmur2(key);
        let share = self.ends.partition_point(|end| *end <= hash);
        (share < self.ends.len()).then_some(share)
    }
}

/// MurmurHash2 of 32 bits, with the seed 0.
#[must_use]
pub fn murmur2(key: &[u8]) -> u32 {
    const MIX: u32 = 0x5bd1_e995;
    // It is the low half of the length that counts in nginx.
    #[allow(clippy::cast_possible_truncation)]
    let mut hash = key.len() as u32;
    let mut words = key.chunks_exact(4);
    for word in words.by_ref() {
        let word = u32::from_le_bytes([word[0], word[1], word[2], word[3]]).wrapping_mul(MIX);
        hash = hash.wrapping_mul(MIX) ^ (word ^ (word >> 24)).wrapping_mul(MIX);
    }
    let rest = words.remainder();
    if !rest.is_empty() {
        hash ^= rest.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte));
        hash = hash.wrapping_mul(MIX);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(MIX);
    hash ^ (hash >> 15)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_murmur_hash_2() {
        // Made by Austin Appleby's MurmurHash2 with the seed 0.
        for (key, hash) in [
            ("", 0),
            ("a", 0x9268_5f5e),
            ("ab", 0x1aa1_4063),
            ("abc", 0x1357_7c9b),
            ("abcd", 0x2687_3021),
            ("abcde", 0x5f09_a8de),
            ("127.0.0.1", 0xb613_1d91),
            ("some longer key, with words", 0x1b3d_b4f4),
        ] {
            assert_eq!(murmur2(key.as_bytes()), hash, "{key}");
        }
    }

    #[test]
    fn shares_have_nginx_borders() {
        let shares = Shares::new([50, 5_000].into_iter());
        assert_eq!(shares.ends, [21_474_836, 21_474_836 + 2_147_483_647]);
        let counts = (0..100_000).fold([0u32; 3], |mut counts, key| {
            counts[shares.find(format!("client{key}").as_bytes()).unwrap_or(2)] += 1;
            counts
        });
        assert!(counts[0].abs_diff(500) < 100 && counts[1].abs_diff(50_000) < 1_000, "{counts:?}");
        assert_eq!(Shares::new([10_000].into_iter()).find(b"any"), Some(0));
        assert_eq!(Shares::new(std::iter::empty()).find(b"any"), None);
    }
}
