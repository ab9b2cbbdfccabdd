//! How much is written at most: pure functions of a clock that is handed in.

use std::io;
use std::time::Duration;

/// How long a file system's room, or a failure, is believed.
const BELIEVED: Duration = Duration::from_secs(1);

/// At most so many packets in each second of the clock.
#[derive(Debug)]
pub struct Rate {
    per_second: u32,
    second: u64,
    taken: u32,
}

impl Rate {
    #[must_use]
    pub const fn new(per_second: u32) -> Self {
        Self { per_second, second: 0, taken: 0 }
    }

    /// Takes one packet's place, where there is one.
    pub fn take(&mut self, now: Duration) -> bool {
        if self.is_spent(now) {
            return false;
        }
        self.taken += 1;
        true
    }

    /// Whether nothing more may be written in this second.
    pub fn is_spent(&mut self, now: Duration) -> bool {
        if self.second != now.as_secs() {
            (self.second, self.taken) = (now.as_secs(), 0);
        }
        self.taken >= self.per_second
    }
}

/// Room that is left to others on the file system.
#[derive(Debug)]
pub struct Space {
    minimum_free: u64,
    asked: Option<Duration>,
    is_short: bool,
}

impl Space {
    #[must_use]
    pub const fn new(minimum_free: u64) -> Self {
        Self { minimum_free, asked: None, is_short: false }
    }

    /// Whether there is too little. `free` is asked once a second. A file system that does not tell is
    /// not taken for full: writing to it says what is wrong.
    pub fn is_short(&mut self, now: Duration, free: impl FnOnce() -> io::Result<u64>) -> bool {
        if is_over(self.asked, now) {
            self.asked = Some(now);
            self.is_short = free().is_ok_and(|free| free < self.minimum_free);
        }
        self.is_short
    }
}

/// A pause after a failure, so that what fails is not tried for every packet.
#[derive(Debug, Default)]
pub struct Pause {
    failed: Option<Duration>,
}

impl Pause {
    pub const fn begin(&mut self, now: Duration) {
        self.failed = Some(now);
    }

    #[must_use]
    pub fn is_on(&self, now: Duration) -> bool {
        self.failed.is_some() && !is_over(self.failed, now)
    }
}

fn is_over(since: Option<Duration>, now: Duration) -> bool {
    since.is_none_or(|since| now.saturating_sub(since) >= BELIEVED)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_second_has_more_than_its_share(per_second in 1_u32..50, steps in prop::collection::vec(0_u64..300, 1..500)) {
            let mut rate = Rate::new(per_second);
            let mut now = Duration::from_secs(7);
            let mut seconds = std::collections::BTreeMap::<u64, (u32, u32)>::new();
            for step in steps {
                now += Duration::from_millis(step);
                let (asked, taken) = seconds.entry(now.as_secs()).or_default();
                *asked += 1;
                *taken += u32::from(rate.take(now));
                prop_assert_eq!(rate.is_spent(now), *taken == per_second);
            }
            for (asked, taken) in seconds.values() {
                prop_assert_eq!(*taken, (*asked).min(per_second));
            }
        }
    }

    #[test]
    fn room_is_asked_for_once_a_second() {
        let mut space = Space::new(100);
        let at = Duration::from_millis;
        assert!(space.is_short(at(0), || Ok(99)));
        assert!(space.is_short(at(999), || unreachable!("asked twice in a second")));
        assert!(!space.is_short(at(1_000), || Ok(100)));
        assert!(!space.is_short(at(2_500), || Err(io::ErrorKind::Other.into())));
    }

    #[test]
    fn a_failure_is_tried_again_after_a_second() {
        let mut pause = Pause::default();
        assert!(!pause.is_on(Duration::ZERO));
        pause.begin(Duration::from_secs(5));
        assert!(pause.is_on(Duration::from_millis(5_999)) && !pause.is_on(Duration::from_secs(6)));
    }
}
