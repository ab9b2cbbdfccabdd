//! Whether what gives the intervals does its part.

use std::time::Instant;

use super::options::Pace;
use super::pause;

/// How the source has fared. A disk that is full or broken fails one interval after the other: it rests as a whole.
#[derive(Debug, Default)]
pub struct Supply {
    /// Failures in a row.
    failures: u32,
    rests_until: Option<Instant>,
    told: bool,
}

impl Supply {
    /// Until when it is left alone, where it is.
    #[must_use]
    pub fn rests_until(&self, now: Instant) -> Option<Instant> {
        self.rests_until.filter(|until| *until > now)
    }

    /// Notes a failure, which may be known of this interval already. Says whether it is to be told.
    pub fn failed(&mut self, is_known: bool, now: Instant, pace: &Pace, random: &mut fastrand::Rng) -> bool {
        self.failures = self.failures.saturating_add(1);
        let pause = pause::after(self.failures, pace.first_pause, pace.longest_pause, random);
        self.rests_until = Some(now + pause);
        let is_news = !self.told && !is_known;
        self.told |= is_news;
        is_news
    }

    /// Notes that it works. Says whether that is to be told, after a failure that was.
    pub const fn works(&mut self) -> bool {
        (self.failures, self.rests_until) = (0, None);
        std::mem::replace(&mut self.told, false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_change_is_told_once() {
        let (pace, now) = (Pace::default(), Instant::now());
        let mut random = fastrand::Rng::with_seed(1);
        let mut supply = Supply::default();
        assert!(!supply.works());
        assert!(supply.failed(false, now, &pace, &mut random));
        assert!(!supply.failed(false, now, &pace, &mut random));
        assert!(supply.works() && !supply.works());
        assert!(!supply.failed(true, now, &pace, &mut random), "of this interval that is known");
        assert!(!supply.works(), "nobody knows that it did not");
    }

    #[test]
    fn pauses_grow_until_it_works() {
        let (pace, now) = (Pace::default(), Instant::now());
        let mut random = fastrand::Rng::with_seed(1);
        let mut supply = Supply::default();
        let longest = (0..40).filter_map(|_| {
            supply.failed(false, now, &pace, &mut random);
            supply.rests_until(now)
        });
        let longest = longest.max().unwrap();
        assert!(longest > now + pace.longest_pause / 2 && longest <= now + pace.longest_pause);
        supply.works();
        assert_eq!(supply.rests_until(now), None);
        supply.failed(false, now, &pace, &mut random);
        assert!(supply.rests_until(now).is_none_or(|until| until <= now + pace.first_pause));
    }
}
