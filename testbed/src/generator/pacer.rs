//! When how many packets are due.

use std::time::{Duration, Instant};

use super::Pace;

/// Packets of one run of the program: a tenth of a second at full speed, so that a stop is heard soon.
/// Fewer would be slower where each run waits for the kernel to patch the program into its dispatcher
/// and out again (`bpf_prog_change_xdp`), some 25 ms.
const MOST_AT_ONCE: u64 = 1 << 20;
/// Of how long at least the packets are sent at a time: a run of the program has costs of its own.
const TICK: Duration = Duration::from_millis(5);
/// Who is later than this, as after a Ctrl-Z, does not catch up.
const LATEST: Duration = Duration::from_secs(1);

pub struct Pacer {
    pace: Pace,
    started: Instant,
    granted: u64,
}

impl Pacer {
    pub fn new(pace: Pace) -> Self {
        Self { pace, started: Instant::now(), granted: 0 }
    }

    /// How many packets to send now, at most `most`. Waits a moment where too few are due, and says that none is.
    pub fn grant(&mut self, most: u64) -> u32 {
        let due = match self.pace {
            Pace::FullSpeed => MOST_AT_ONCE,
            Pace::PacketsPerSecond(rate) => {
                // What was granted after a stop may be ahead of the time since.
                let due = packets_in(self.started.elapsed(), rate.get()).saturating_sub(self.granted);
                if due > packets_in(LATEST, rate.get()) {
                    (self.started, self.granted) = (Instant::now(), 0);
                    packets_in(TICK, rate.get())
                } else {
                    due
                }
            }
        };
        let worthwhile = match self.pace {
            Pace::FullSpeed => 0,
            Pace::PacketsPerSecond(rate) => packets_in(TICK, rate.get()).clamp(1, most.max(1)),
        };
        if due < worthwhile {
            std::thread::sleep(TICK);
            return 0;
        }
        let granted = due.min(most).min(MOST_AT_ONCE);
        self.granted += granted;
        u32::try_from(granted).unwrap_or(u32::MAX)
    }
}

fn packets_in(time: Duration, per_second: u32) -> u64 {
    let packets = time.as_nanos() * u128::from(per_second) / Duration::from_secs(1).as_nanos();
    u64::try_from(packets).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    #[test]
    fn a_pace_is_kept_and_the_limit_too() {
        let mut pacer = Pacer::new(Pace::PacketsPerSecond(NonZeroU32::new(10_000).unwrap()));
        pacer.started -= Duration::from_millis(500);
        let first = pacer.grant(u64::MAX);
        assert!((5_000..8_000).contains(&first), "{first}");
        assert!(pacer.grant(7) <= 7);
        assert_eq!(Pacer::new(Pace::FullSpeed).grant(9), 9);
    }

    #[test]
    fn who_was_stopped_does_not_catch_up() {
        let mut pacer = Pacer::new(Pace::PacketsPerSecond(NonZeroU32::new(10_000).unwrap()));
        pacer.started -= Duration::from_mins(1);
        assert_eq!(u64::from(pacer.grant(u64::MAX)), packets_in(TICK, 10_000));
        assert!(u64::from(pacer.grant(u64::MAX)) < packets_in(LATEST, 10_000));
    }
}
