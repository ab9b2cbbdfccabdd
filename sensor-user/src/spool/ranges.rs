//! A set of sequences.

use std::collections::BTreeMap;

use wire::Name;

/// Sequences of epochs, as ranges that do not overlap.
#[derive(Debug, Default)]
pub struct Ranges {
    /// The last sequence by epoch and first.
    ranges: BTreeMap<(u64, u64), u64>,
}

impl Ranges {
    /// Whether any sequence of the name is in the set.
    pub fn touches(&self, name: &Name) -> bool {
        self.ranges
            .range(..=(name.epoch, name.last))
            .next_back()
            .is_some_and(|(&(epoch, _), &last)| epoch == name.epoch && last >= name.first)
    }

    pub fn insert(&mut self, name: &Name) {
        let Name { epoch, mut first, mut last } = *name;
        while let Some((&(found_epoch, found_first), &found_last)) =
            self.ranges.range(..=(epoch, last.saturating_add(1))).next_back()
            && found_epoch == epoch
            && found_last.saturating_add(1) >= first
        {
            self.ranges.remove(&(epoch, found_first));
            first = first.min(found_first);
            last = last.max(found_last);
        }
        self.ranges.insert((epoch, first), last);
    }
}

impl FromIterator<Name> for Ranges {
    fn from_iter<T: IntoIterator<Item = Name>>(names: T) -> Self {
        let mut ranges = Self::default();
        names.into_iter().for_each(|name| ranges.insert(&name));
        ranges
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_a_set(names in prop::collection::vec((0..2_u64, 0..30_u64, 0..6_u64), 0..12), asked in (0..2_u64, 0..40_u64, 0..6_u64)) {
            let name = |(epoch, first, more): (u64, u64, u64)| Name { epoch, first, last: first + more };
            let ranges: Ranges = names.iter().copied().map(name).collect();
            let plain: BTreeSet<(u64, u64)> = names
                .iter()
                .copied()
                .flat_map(|given| { let name = name(given); (name.first..=name.last).map(move |at| (name.epoch, at)) })
                .collect();
            let asked = name(asked);
            let expected = (asked.first..=asked.last).any(|at| plain.contains(&(asked.epoch, at)));
            prop_assert_eq!(ranges.touches(&asked), expected);
        }
    }
}
