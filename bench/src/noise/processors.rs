//! What all CPUs together have done since the start of the machine, by `/proc/stat`.

use std::fs;

/// Ticks of all CPUs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Processors {
    idle: u64,
    stolen: u64,
    all: u64,
}

impl Processors {
    /// Until now; absent where the kernel does not tell.
    #[must_use]
    pub fn now() -> Option<Self> {
        Self::parse(&fs::read_to_string("/proc/stat").ok()?)
    }

    /// The first line: user, nice, system, idle, iowait, irq, softirq, steal; guests are in the first two already (proc(5)).
    fn parse(text: &str) -> Option<Self> {
        let line = text.lines().next()?.strip_prefix("cpu ")?;
        let ticks: Vec<u64> = line.split_whitespace().map(str::parse).collect::<Result<_, _>>().ok()?;
        let all = ticks.iter().take(8).sum();
        Some(Self { idle: ticks.get(3)? + ticks.get(4)?, stolen: *ticks.get(7)?, all })
    }

    /// What happened between then and now. A CPU that went away makes nothing less than nothing.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        let Self { idle, stolen, all } = *self;
        Self {
            idle: idle.saturating_sub(before.idle),
            stolen: stolen.saturating_sub(before.stolen),
            all: all.saturating_sub(before.all),
        }
    }

    /// The part of the time that was not idle.
    #[must_use]
    pub fn busy(&self) -> f64 {
        self.part(self.all.saturating_sub(self.idle))
    }

    /// The part of the time that a hypervisor gave to others.
    #[must_use]
    pub fn stolen(&self) -> f64 {
        self.part(self.stolen)
    }

    #[expect(clippy::cast_precision_loss, reason = "a share, of which only the first digits matter")]
    fn part(&self, ticks: u64) -> f64 {
        ticks as f64 / self.all.max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_of_the_time_between() {
        let before = Processors::parse("cpu  100 0 50 800 50 0 0 0 0 0\ncpu0 1 2\n").unwrap();
        let after = Processors::parse("cpu  130 0 70 1000 50 5 5 10 30 0\ncpu0 1 2\n").unwrap();
        let between = after.since(&before);
        assert_eq!(between, Processors { idle: 200, stolen: 10, all: 270 });
        assert!((between.busy() - 70.0 / 270.0).abs() < 1e-12);
        assert!((between.stolen() - 10.0 / 270.0).abs() < 1e-12);
        assert!(before.since(&after).busy().abs() < 1e-12, "time that goes backwards");
    }

    #[test]
    fn what_is_no_such_file_tells_nothing() {
        for text in ["", "cpu", "cpu 1 2 3", "cpu a b c d e f g h", "intr 1 2 3 4 5 6 7 8"] {
            assert_eq!(Processors::parse(text), None, "{text}");
        }
        assert!(Processors::now().is_some());
    }
}
