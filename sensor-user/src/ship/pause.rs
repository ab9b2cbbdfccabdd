//! How long to wait before the next attempt.

use std::time::Duration;

/// Exponential back-off with full jitter: anything from nothing to twice as long for each failure in a row, up to the
/// longest. Sensors that lost their collector at the same moment do not come back at the same moment.
#[must_use]
pub fn after(failures: u32, first: Duration, longest: Duration, random: &mut fastrand::Rng) -> Duration {
    let ceiling = first.saturating_mul(1 << failures.saturating_sub(1).min(20)).min(longest);
    ceiling.mul_f64(random.f64())
}

/// About this long: from half of it to one and a half.
#[must_use]
pub fn about(length: Duration, random: &mut fastrand::Rng) -> Duration {
    length.mul_f64(0.5 + random.f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_the_longest_and_are_spread_over_all_of_it() {
        let mut random = fastrand::Rng::with_seed(1);
        let (first, longest) = (Duration::from_secs(1), Duration::from_secs(300));
        for (failures, most) in [(1, 1), (2, 2), (4, 8), (9, 256), (10, 300), (u32::MAX, 300)] {
            let most = Duration::from_secs(most);
            let pauses: Vec<_> = (0..1_000).map(|_| after(failures, first, longest, &mut random)).collect();
            assert!(pauses.iter().all(|pause| *pause <= most), "{failures} failures");
            assert!(pauses.iter().any(|pause| *pause < most / 10), "{failures} failures");
            assert!(pauses.iter().any(|pause| *pause > most * 9 / 10), "{failures} failures");
        }
    }

    #[test]
    fn about_an_hour_is_between_half_of_it_and_one_and_a_half() {
        let mut random = fastrand::Rng::with_seed(2);
        for _ in 0..1_000 {
            let pause = about(Duration::from_secs(3_600), &mut random);
            assert!((1_800..=5_400).contains(&pause.as_secs()), "{pause:?}");
        }
    }
}
