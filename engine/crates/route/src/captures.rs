//! Slots: what patterns matched and what `set` wrote, for the Plan's `capture` parts.
//!
//! Empty until something is written, and then without allocation: an exchange whose route captures nothing
//! pays nothing. A slot owns a copy of the text it was matched in, for the path may change after that.

use std::ops::Range;
use std::sync::Arc;

/// Names of a pattern's groups, by number; shared with the pattern.
pub(crate) type GroupNames = Arc<[Option<Box<str>>]>;

/// The written slots of one exchange.
#[derive(Debug, Clone, Default)]
pub struct Captures {
    slots: Vec<Option<Slot>>,
}

#[derive(Debug, Clone)]
struct Slot {
    text: Vec<u8>,
    groups: Groups,
    /// Groups may be asked for by number.
    numbered: bool,
}

#[derive(Debug, Clone)]
enum Groups {
    /// The text is the value (`set`).
    Whole,
    /// Ranges of the text; None is a group that took no part.
    Ranges { ranges: Vec<Option<Range<usize>>>, names: GroupNames },
}

impl Captures {
    /// Nothing written yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { slots: Vec::new() }
    }

    /// No slot is written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots.iter().all(Option::is_none)
    }

    /// Forgets every slot, keeps the room.
    pub fn clear(&mut self) {
        self.slots.clear();
    }

    /// Writes a value that has only group 0 (`set`).
    pub fn set(&mut self, slot: u16, value: Vec<u8>) {
        *self.place(slot) = Some(Slot { text: value, groups: Groups::Whole, numbered: true });
    }

    /// A group by number, 0 is the whole match. None: not written, no such group, or it took no part.
    #[must_use]
    pub fn group(&self, slot: u16, group: u16) -> Option<&[u8]> {
        let slot = self.slots.get(usize::from(slot))?.as_ref().filter(|slot| slot.numbered)?;
        match &slot.groups {
            Groups::Whole => (group == 0).then_some(slot.text.as_slice()),
            Groups::Ranges { ranges, .. } => {
                let range = ranges.get(usize::from(group))?.clone()?;
                slot.text.get(range)
            }
        }
    }

    /// A group by name. Of several with one name the first that took part.
    #[must_use]
    pub fn named(&self, slot: u16, name: &str) -> Option<&[u8]> {
        let slot = self.slots.get(usize::from(slot))?.as_ref()?;
        let Groups::Ranges { ranges, names } = &slot.groups else { return None };
        let range = names
            .iter()
            .zip(ranges)
            .filter(|(known, _)| known.as_deref() == Some(name))
            .find_map(|(_, range)| range.clone())?;
        slot.text.get(range)
    }

    /// Another pattern that writes this slot has not matched: nginx's scripts then know `$1` no more, names still.
    pub fn forget_numbers(&mut self, slot: u16) {
        if let Some(Some(slot)) = self.slots.get_mut(usize::from(slot)) {
            slot.numbered = false;
        }
    }

    /// Writes a match.
    pub(crate) fn write(&mut self, slot: u16, text: &[u8], ranges: Vec<Option<Range<usize>>>, names: GroupNames) {
        let groups = Groups::Ranges { ranges, names };
        *self.place(slot) = Some(Slot { text: text.to_vec(), groups, numbered: true });
    }

    fn place(&mut self, slot: u16) -> &mut Option<Slot> {
        let slot = usize::from(slot);
        if self.slots.len() <= slot {
            self.slots.resize(slot + 1, None);
        }
        &mut self.slots[slot]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_hold_values_and_groups() {
        let mut captures = Captures::new();
        assert!(captures.is_empty());
        captures.set(3, b"v".to_vec());
        let names: GroupNames = Arc::from([None, Some(Box::from("n"))]);
        captures.write(1, b"abc", vec![Some(0..3), Some(1..2)], names);
        assert_eq!(captures.group(3, 0), Some(&b"v"[..]));
        assert_eq!(captures.group(3, 1), None);
        assert_eq!(captures.group(1, 1), Some(&b"b"[..]));
        assert_eq!(captures.named(1, "n"), Some(&b"b"[..]));
        assert_eq!(captures.named(1, "m"), None);
        assert_eq!(captures.group(0, 0), None);
        assert_eq!(captures.group(9, 0), None);
        captures.forget_numbers(1);
        captures.forget_numbers(9);
        assert_eq!(captures.group(1, 1), None);
        assert_eq!(captures.named(1, "n"), Some(&b"b"[..]));
        captures.clear();
        assert!(captures.is_empty());
    }
}
