//! In which order systems have their turn: a machine that drifts, or a neighbour that leaves caches as it does, must not
//! always meet the same ones.

/// The order of so many systems in a round, of which the first is 0.
///
/// Rounds come in pairs, of which the second has the order of the first backwards: over both, no system stands earlier
/// than another, so that a machine that drifts evenly favours none. Each pair begins elsewhere, a golden section of all the
/// systems further on: beginnings are spread out evenly, however few rounds there are. The same in every run.
pub fn turns(round: u32, systems: usize) -> Vec<usize> {
    /// 2³² over the golden ratio.
    const SECTION: u32 = 0x9E37_79B9;
    let part = u64::from((round / 2).wrapping_mul(SECTION));
    let first = ((part * systems as u64) >> u32::BITS) as usize;
    let forwards = (first..systems).chain(0..first);
    if round.is_multiple_of(2) { forwards.collect() } else { forwards.rev().collect() }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Where each of so many systems stands in a round.
    fn places(round: u32, systems: usize) -> Vec<usize> {
        let turns = turns(round, systems);
        (0..systems).map(|system| turns.iter().position(|turn| *turn == system).unwrap()).collect()
    }

    #[test]
    fn all_systems_are_in_each_round() {
        for systems in 0..40 {
            for round in 0..40 {
                let mut turns = turns(round, systems);
                turns.sort_unstable();
                assert!(turns.into_iter().eq(0..systems), "round {round} of {systems}");
            }
        }
    }

    #[test]
    fn over_a_pair_of_rounds_no_system_stands_earlier_than_another() {
        for pair in 0..20 {
            let both = places(2 * pair, 16).into_iter().zip(places(2 * pair + 1, 16));
            assert!(both.map(|(one, other)| one + other).all(|sum| sum == 15), "pair {pair}");
        }
    }

    #[test]
    fn each_system_stands_at_varied_places_and_each_round_begins_elsewhere() {
        for systems in 10..40 {
            let rounds: Vec<Vec<usize>> = (0..10).map(|round| places(round, systems)).collect();
            for system in 0..systems {
                let at: BTreeSet<usize> = rounds.iter().map(|places| places[system]).collect();
                assert!(at.len() >= 5, "system {system} of {systems} at {at:?}");
            }
            let first: Vec<usize> = (0..10).map(|round| turns(round, systems)[0]).collect();
            assert!(first.windows(2).all(|pair| pair[0] != pair[1]), "{first:?} of {systems}");
            assert!(BTreeSet::from_iter(&first).len() >= 8, "{first:?} of {systems}");
        }
    }
}
