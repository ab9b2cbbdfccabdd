//! Which of the records that were found count.

use std::collections::{BTreeMap, BTreeSet};

use super::super::ranges::Ranges;
use super::super::record::{Head, Mark, Place};
use wire::Name;

/// The records, told apart.
#[derive(Debug, Default)]
pub struct Judged {
    /// With whether it was attempted.
    pub living: Vec<(Head, Place, bool)>,
    pub dead: Vec<(Head, Place)>,
    /// Merged intervals that were attempted, of which only parts are left.
    pub lost: BTreeSet<Name>,
}

/// Judges records, none of them void, by all marks, none of them void.
///
/// A record is dead where
/// 1. any of its sequences was stored: all of them were then, or it is what a merging that failed has left;
/// 2. a part of it was attempted: the same;
/// 3. it is a part of what was attempted, and so of what the collector may have;
/// 4. a later record has one of its sequences.
pub fn judge<'marks>(intervals: &[(Head, Place)], marks: impl Iterator<Item = &'marks Mark>) -> Judged {
    let mut stored = Ranges::default();
    let mut attempted: BTreeSet<Name> = BTreeSet::new();
    for mark in marks {
        match mark {
            Mark::Stored(name) => stored.insert(name),
            Mark::Attempted(name) => {
                attempted.insert(*name);
            }
            Mark::Void(_) => {}
        }
    }
    let part_attempted = |name: &Name| {
        let from = Name { last: 0, ..*name };
        let to = Name { first: name.last, last: u64::MAX, ..*name };
        attempted.range(from..=to).any(|part| name.covers(part) && part != name)
    };
    let whole_attempted = |name: &Name| {
        let before = Name { last: u64::MAX, ..*name };
        attempted.range(..=before).next_back().filter(|whole| whole.covers(name) && *whole != name).copied()
    };

    let mut judged = Judged::default();
    let mut later = Ranges::default();
    let mut parts: BTreeMap<Name, Vec<(Head, Place)>> = BTreeMap::new();
    let mut newest_first = intervals.to_vec();
    newest_first.sort_unstable_by_key(|(_, place)| std::cmp::Reverse(place.at));
    for (head, place) in newest_first {
        let name = head.name;
        if stored.touches(&name) || part_attempted(&name) {
            judged.dead.push((head, place));
        } else if let Some(whole) = whole_attempted(&name) {
            parts.entry(whole).or_default().push((head, place));
        } else if later.touches(&name) {
            judged.dead.push((head, place));
        } else {
            later.insert(&name);
            judged.living.push((head, place, attempted.contains(&name)));
        }
    }
    for (whole, records) in parts {
        if !later.touches(&whole) {
            judged.lost.insert(whole);
        }
        judged.dead.extend(records);
    }
    judged
}

#[cfg(test)]
mod tests;
