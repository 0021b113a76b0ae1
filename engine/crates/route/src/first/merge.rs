//! Candidates of several buckets in the order of the rules.

/// Buckets asked at once without allocation; more are rare (prefixes of prefixes of prefixes).
const INLINE: usize = 8;

/// Sorted lists, read together.
pub(crate) struct Merge<'a> {
    inline: [&'a [u32]; INLINE],
    count: usize,
    /// Holds all of them once there are too many.
    spilled: Vec<&'a [u32]>,
}

impl<'a> Merge<'a> {
    pub(crate) const fn new() -> Self {
        Self { inline: [&[]; INLINE], count: 0, spilled: Vec::new() }
    }

    #[inline]
    pub(crate) fn add(&mut self, list: &'a [u32]) {
        if list.is_empty() {
            return;
        }
        if let Some(place) = self.inline.get_mut(self.count) {
            *place = list;
            self.count += 1;
            return;
        }
        if self.spilled.is_empty() {
            self.spilled.extend(self.inline);
        }
        self.spilled.push(list);
    }
}

impl Iterator for Merge<'_> {
    type Item = u32;

    /// The least of what is left; a rule that stands in several lists comes once.
    #[inline]
    fn next(&mut self) -> Option<u32> {
        let lists = if self.spilled.is_empty() { &mut self.inline[..self.count] } else { &mut self.spilled[..] };
        let least = lists.iter().filter_map(|list| list.first()).min().copied()?;
        for list in lists {
            if list.first() == Some(&least) {
                *list = &list[1..];
            }
        }
        Some(least)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_in_order_each_once() {
        for lists in [vec![], vec![vec![3, 9]], vec![vec![1, 5], vec![], vec![2, 5]], vec![vec![7, 8]; 20]] {
            let mut merge = Merge::new();
            lists.iter().for_each(|list| merge.add(list));
            let mut expected: Vec<u32> = lists.concat();
            expected.sort_unstable();
            expected.dedup();
            assert_eq!(merge.collect::<Vec<_>>(), expected);
        }
    }
}
