//! Whether two figures of the same rounds differ, or the machine alone does.

/// What rounds say of two figures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Verdict {
    /// They differ, but for this chance that it is the machine's doing.
    Apart(f64),
    /// As large a chance that rounds without any difference look like this.
    NotTold(f64),
}

/// The greatest chance of a mistake that is called a difference.
const SIGNIFICANCE: f64 = 0.05;

impl Verdict {
    #[must_use]
    pub const fn is_apart(self) -> bool {
        matches!(self, Self::Apart(_))
    }
}

/// Whether two figures of the same interleaved rounds, one of each in every round, can be told apart.
///
/// The sign test (Dixon and Mood, 'The statistical sign test', Journal of the American Statistical Association 41, 1946),
/// two-sided, at 5 %: without a difference either is the greater one in half of the rounds. Nothing is supposed of how noise
/// is distributed, what disturbs a whole round disturbs both, and one wild round is one sign and no more. Rounds in which both
/// are equal say nothing. Five rounds or fewer never suffice; of ten, nine have to agree.
#[must_use]
pub fn told_apart(first: &[f64], second: &[f64]) -> Verdict {
    let (mut greater, mut less) = (0_u32, 0_u32);
    for (first, second) in first.iter().zip(second) {
        greater += u32::from(first > second);
        less += u32::from(first < second);
    }
    let chance = (2.0 * at_most(greater.min(less), greater + less)).min(1.0);
    if chance <= SIGNIFICANCE { Verdict::Apart(chance) } else { Verdict::NotTold(chance) }
}

/// The chance that a fair coin, thrown so many times, shows heads at most `heads` times.
#[must_use]
pub fn at_most(heads: u32, throws: u32) -> f64 {
    // By logarithms: a power of two as small as that of some thousand throws is none.
    let mut chance_of = f64::from(throws) * 0.5_f64.ln();
    let mut sum = chance_of.exp();
    for number in 1..=heads {
        chance_of += (f64::from(throws - number + 1) / f64::from(number)).ln();
        sum += chance_of.exp();
    }
    sum
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Nanoseconds per packet of 'bench kernel' on a machine with noisy neighbours, 12 rounds.
    const SENSOR: [f64; 12] = [33.0, 31.1, 36.5, 32.2, 34.8, 33.9, 31.9, 35.0, 32.6, 33.3, 36.1, 32.9];
    const SENSOR_AND_DIGEST: [f64; 12] =
        [46.2, 40.9, 53.8, 44.7, 49.9, 47.1, 43.3, 48.2, 45.5, 46.0, 50.7, 44.9];
    /// The sensor once more, in the same rounds.
    const SENSOR_AGAIN: [f64; 12] = [32.7, 31.6, 35.9, 33.0, 34.1, 34.2, 31.5, 35.4, 32.1, 33.8, 35.5, 33.2];

    #[test]
    fn a_digest_is_told_from_none_and_the_same_program_is_not_told_from_itself() {
        let Verdict::Apart(chance) = told_apart(&SENSOR, &SENSOR_AND_DIGEST) else {
            panic!("13 ns in every round are not told");
        };
        assert!((chance - 2.0 / 4096.0).abs() < 1e-12, "{chance}");
        assert!(!told_apart(&SENSOR, &SENSOR_AGAIN).is_apart());
    }

    #[test]
    fn the_table_of_the_test() {
        // Of ten rounds one may be against it, and two may not; five that agree are too few.
        let against = |rounds: usize, against: usize| -> Verdict {
            let first: Vec<f64> = (0..rounds).map(|round| if round < against { 2.0 } else { 0.0 }).collect();
            told_apart(&first, &vec![1.0; rounds])
        };
        assert!(against(10, 1).is_apart() && !against(10, 2).is_apart());
        assert!(against(6, 0).is_apart() && !against(5, 0).is_apart() && !against(0, 0).is_apart());
        assert!(against(21, 5).is_apart() && !against(21, 6).is_apart());
    }

    fn rounds() -> impl Strategy<Value = Vec<(f64, f64)>> {
        prop::collection::vec((1.0..100.0, 1.0..100.0), 0..60)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn who_is_first_does_not_matter_nor_does_the_unit(rounds in rounds()) {
            let (first, second): (Vec<f64>, Vec<f64>) = rounds.into_iter().unzip();
            let verdict = told_apart(&first, &second);
            prop_assert_eq!(verdict, told_apart(&second, &first));
            let doubled = |figures: &[f64]| figures.iter().map(|figure| figure * 2.0).collect::<Vec<_>>();
            prop_assert_eq!(verdict, told_apart(&doubled(&first), &doubled(&second)));
            let (Verdict::Apart(chance) | Verdict::NotTold(chance)) = verdict;
            prop_assert!((0.0..=1.0).contains(&chance));
            prop_assert_eq!(verdict.is_apart(), chance <= SIGNIFICANCE);
        }

        #[test]
        fn what_is_greater_in_every_round_is_told_from_six_on(rounds in rounds(), more in 0.001..10.0_f64) {
            let first: Vec<f64> = rounds.iter().map(|round| round.0).collect();
            let second: Vec<f64> = first.iter().map(|figure| figure + more).collect();
            prop_assert_eq!(told_apart(&first, &second).is_apart(), first.len() >= 6);
            prop_assert!(!told_apart(&first, &first).is_apart());
        }
    }
}
