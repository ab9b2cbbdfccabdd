use proptest::prelude::{Just, ProptestConfig, Strategy, prop_assert, prop_assert_eq, proptest};

use super::*;
use crate::aside::sha256;

/// One call: registries, the date of their files, and from which day they are told to be in force; and where it is not
/// told, how many days older the file of each registry may be than that of the one before.
type Call = (Vec<Registry>, u32, Option<u32>, u32);

const LAST: u32 = 9;

fn files((registries, date, from, older): &Call) -> Vec<StoredFile> {
    let older = if from.is_some() { 0 } else { *older };
    let file = |(registry, place): (&Registry, u32)| {
        let date = date.saturating_sub(place * older).max(1);
        let sha256 = sha256(format!("{registry} {date}").as_bytes());
        StoredFile { registry: *registry, date: Day(date), bytes: 1, sha256 }
    };
    registries.iter().zip(0..).map(file).collect()
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
    proptest::collection::vec((registries, 1..=LAST, from, 0_u32..3), 1..7).prop_map(
        |mut calls: Vec<Call>| {
            let mut begins = BTreeMap::new();
            calls.retain(|call| {
                let of_file = |file: StoredFile| {
                    let from = call.2.map_or(file.date, Day);
                    *begins.entry(from).or_insert(file.date) == file.date
                };
                files(call).into_iter().all(of_file)
            });
            calls
        },
    )
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
        // Every file is in a version, and on its own date it counts, unless a person has told otherwise of that day, or of
        // one before.
        for (call, file) in calls.iter().flat_map(|call| files(call).into_iter().map(move |file| (call, file))) {
            prop_assert!(one.files().any(|other| *other == file));
            let Day(date) = file.date;
            let told = |(_, date_of, from, _): &Call| {
                from.is_some_and(|from| from != *date_of && (1..=date).contains(&from))
            };
            if calls.iter().any(told) || call.2.is_some_and(|from| from > date) {
                continue;
            }
            let force = one.in_force(file.date).unwrap();
            prop_assert_eq!(force.files.iter().find(|other| other.registry == file.registry), Some(&file));
        }
    }
}
