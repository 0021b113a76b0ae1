//! Which of many prefixes a path begins with, in time that hardly depends on how many there are.
//!
//! The prefixes stand sorted in one buffer. The greatest one not above the path shares with it everything the
//! longest matching prefix has, so that one lies on its chain of parents (a parent is the longest other entry
//! it begins with):
//!
//! ```text
//!   /          parent -
//!   /api       parent /
//!   /api/v1    parent /api        path /api/v2:  greatest not above it is /api/v1, both begin with "/api/v",
//!   /app       parent /           so the first parent no longer than that: /api, then /
//! ```

/// Prefixes with what belongs to each.
#[derive(Debug)]
pub(crate) struct Prefixes<T> {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
    values: Vec<T>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    start: u32,
    length: u32,
    parent: u32,
}

const NONE: u32 = u32::MAX;

impl<T> Prefixes<T> {
    /// Of entries with one prefix the first stays.
    pub(crate) fn build(mut prefixes: Vec<(Vec<u8>, T)>) -> Self {
        prefixes.sort_by(|one, other| one.0.cmp(&other.0));
        prefixes.dedup_by(|later, first| later.0 == first.0);
        let mut built = Self { bytes: Vec::new(), entries: Vec::new(), values: Vec::with_capacity(prefixes.len()) };
        for (prefix, value) in prefixes {
            let (Ok(start), Ok(length), Ok(place)) =
                (u32::try_from(built.bytes.len()), u32::try_from(prefix.len()), u32::try_from(built.entries.len()))
            else {
                // 4 GiB of prefixes: no Plan of at most 256 MiB gets here.
                break;
            };
            let mut parent = place.checked_sub(1).unwrap_or(NONE);
            while parent != NONE && !prefix.starts_with(built.key(parent as usize)) {
                parent = built.entries[parent as usize].parent;
            }
            built.bytes.extend_from_slice(&prefix);
            built.entries.push(Entry { start, length, parent });
            built.values.push(value);
        }
        built
    }

    /// What belongs to the longest prefix of `path`.
    #[inline]
    pub(crate) fn longest(&self, path: &[u8]) -> Option<T>
    where
        T: Copy,
    {
        self.matching(path).next().copied()
    }

    /// What belongs to each prefix of `path`, the longest first.
    #[inline]
    pub(crate) fn matching<'a>(&'a self, path: &[u8]) -> impl Iterator<Item = &'a T> + use<'a, T> {
        let mut place = self.start(path);
        std::iter::from_fn(move || {
            let value = self.values.get(place as usize)?;
            place = self.entries[place as usize].parent;
            Some(value)
        })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The place of the longest prefix of `path`, or NONE.
    fn start(&self, path: &[u8]) -> u32 {
        let above = self.entries.partition_point(|entry| self.bytes_of(entry) <= path);
        let Some(greatest) = above.checked_sub(1) else { return NONE };
        let shared = self.key(greatest).iter().zip(path).take_while(|(one, other)| one == other).count();
        let mut place = u32::try_from(greatest).unwrap_or(NONE);
        while place != NONE && self.entries[place as usize].length as usize > shared {
            place = self.entries[place as usize].parent;
        }
        place
    }

    fn key(&self, place: usize) -> &[u8] {
        self.bytes_of(&self.entries[place])
    }

    fn bytes_of(&self, entry: &Entry) -> &[u8] {
        let start = entry.start as usize;
        &self.bytes[start..start + entry.length as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_every_prefix_longest_first() {
        let prefixes = ["/", "/api", "/api/v1", "/api/v1/x", "/app", "/apq", "", "/api"];
        let built = Prefixes::build(prefixes.iter().map(|prefix| (prefix.as_bytes().to_vec(), *prefix)).collect());
        for (path, expected) in [
            ("/api/v2", vec!["/api", "/", ""]),
            ("/api/v1/xy", vec!["/api/v1/x", "/api/v1", "/api", "/", ""]),
            ("/apz", vec!["/", ""]),
            ("/appp", vec!["/app", "/", ""]),
            ("", vec![""]),
            ("x", vec![""]),
            ("/ap", vec!["/", ""]),
        ] {
            assert_eq!(built.matching(path.as_bytes()).copied().collect::<Vec<_>>(), expected, "{path}");
        }
    }

    #[test]
    fn agrees_with_a_walk() {
        let words = ["a", "b", "/", "ab", "ba"];
        let mut keys: Vec<String> = vec![String::new()];
        for _ in 0..3 {
            keys.extend(keys.clone().iter().flat_map(|key| words.map(|word| format!("{key}{word}"))));
        }
        keys.sort();
        keys.dedup();
        let chosen: Vec<&String> = keys.iter().step_by(3).collect();
        let built = Prefixes::build(chosen.iter().map(|key| (key.as_bytes().to_vec(), key.len())).collect());
        for path in &keys {
            let longest = chosen.iter().filter(|key| path.starts_with(key.as_str())).map(|key| key.len()).max();
            assert_eq!(built.longest(path.as_bytes()), longest, "{path}");
        }
    }
}
