use proptest::prelude::{Just, ProptestConfig, Strategy, prop_assert_eq, proptest};

use super::*;
use crate::aside::sha256;

/// One call: registries, the date of their files, and from which day they are told to be in force.
type Call = (Vec<Registry>, u32, Option<u32>);

const LAST: u32 = 9;

fn files((registries, date, _): &Call) -> Vec<StoredFile> {
    let file = |registry: &Registry| {
        let sha256 = sha256(format!("{registry} {date}").as_bytes());
        StoredFile { registry: *registry, date: Day(*date), bytes: 1, sha256 }
    };
    registries.iter().map(file).collect()
}

fn take(index: &mut Index, call: &Call) -> usize {
    let new = versions(index, &files(call), call.2.map(Day)).unwrap();
    index.versions.extend_from_slice(&new);
    new.len()
}

fn in_force(index: &Index) -> Vec<Vec<String>> {
    let files = |version: &Version| version.files.iter().map(StoredFile::name).collect();
    (0..=LAST + 2).map(|day| index.in_force(Day(day)).map(files).unwrap_or_default()).collect()
}

/// Calls of which no two have other files in force from the same day on: there the last one counts.
fn calls() -> impl Strategy<Value = Vec<Call>> {
    let registries = proptest::sample::subsequence(Registry::ALL.to_vec(), 1..=3);
    let from = proptest::option::of(0..=LAST);
    proptest::collection::vec((registries, 1..=LAST, from), 1..7).prop_map(|mut calls| {
        let mut begins = BTreeMap::new();
        calls.retain(|(_, date, from)| *begins.entry(from.unwrap_or(*date)).or_insert(*date) == *date);
        calls
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_order_of_imports_does_not_matter_for_what_is_in_force(
        (calls, shuffled) in calls().prop_flat_map(|calls| (Just(calls.clone()), Just(calls).prop_shuffle()))
    ) {
        let [mut one, mut other] = [Index::default(), Index::default()];
        for (first, second) in calls.iter().zip(&shuffled) {
            take(&mut one, first);
            take(&mut other, second);
        }
        prop_assert_eq!(in_force(&one), in_force(&other));
        // Taken in again, nothing is new.
        for call in &calls {
            prop_assert_eq!(take(&mut one, call), 0);
        }
        // On its own date a file counts, unless a person has told otherwise of that day, or of one before.
        for call in &calls {
            let told = |(_, date, from): &Call| from.is_some_and(|from| from != *date && (1..=call.1).contains(&from));
            if calls.iter().any(told) || call.2.is_some_and(|from| from > call.1) {
                continue;
            }
            let force = one.in_force(Day(call.1)).unwrap();
            for file in files(call) {
                prop_assert_eq!(force.files.iter().find(|other| other.registry == file.registry), Some(&file));
            }
        }
    }
}
