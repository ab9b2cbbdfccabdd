//! How the spool tells what happens to it, without a failing disk filling the log.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::status::Dropped;

/// Says a line to whoever runs the agent. Called while the spool is locked: it must not ask the spool anything.
pub type Say = Box<dyn Fn(&str) + Send + Sync>;
/// A clock that nobody sets: what has passed since some time that stays the same.
pub type Clock = Arc<dyn Fn() -> Duration + Send + Sync>;

/// What there is to tell. Of each kind there is at most one line in a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Counts, or flows, are damaged, and lost.
    Damage,
    /// Flows are dropped, or left out.
    Dropped,
    /// Counts become coarser.
    Merging,
    /// A write or an fsync failed.
    Writing,
    /// A file could not be removed.
    Removing,
    /// A file could not be read, and may be the next time.
    Reading,
    /// A thread of the agent panicked.
    Panic,
}

impl Kind {
    /// How long one line is enough.
    const fn pause(self) -> Duration {
        match self {
            // These go on for as long as the collector is away, and nothing is wrong with it.
            Self::Dropped | Self::Merging => Duration::from_hours(1),
            _ => Duration::from_mins(1),
        }
    }
}

/// What was told of a kind, and what was not.
#[derive(Clone, Copy, Debug)]
struct Told {
    at: Duration,
    untold: u64,
    dropped: Dropped,
}

pub struct Voice {
    say: Say,
    clock: Clock,
    told: Mutex<BTreeMap<Kind, Told>>,
}

impl Voice {
    pub fn new(say: Say, clock: Clock) -> Self {
        Self { say, clock, told: Mutex::default() }
    }

    fn told(&self) -> MutexGuard<'_, BTreeMap<Kind, Told>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn tell(&self, kind: Kind, what: impl Display) {
        self.tell_of(kind, Dropped::default(), what);
    }

    /// Tells of flows that were dropped; they are added up while nothing is told of them.
    pub fn tell_dropped(&self, dropped: Dropped, why: impl Display) {
        let Dropped { intervals, rows, packets } = dropped;
        let what = format!(
            "flows of {intervals} intervals, {rows} rows of {packets} packets, are dropped: {why}; their counts are kept"
        );
        self.tell_of(Kind::Dropped, dropped, what);
    }

    fn tell_of(&self, kind: Kind, dropped: Dropped, what: impl Display) {
        let now = (self.clock)();
        self.flush_at(now);
        let mut told = self.told();
        if let Some(told) = told.get_mut(&kind) {
            told.untold += 1;
            told.dropped.join(&dropped);
            return;
        }
        told.insert(kind, Told { at: now, untold: 0, dropped: Dropped::default() });
        (self.say)(&what.to_string());
    }

    /// Tells how much there was of what was not told, of each kind whose pause is over.
    pub fn flush(&self) {
        self.flush_at((self.clock)());
    }

    fn flush_at(&self, now: Duration) {
        self.told().retain(|kind, told| {
            if now.saturating_sub(told.at) < kind.pause() {
                return true;
            }
            self.tell_rest(*kind, told);
            // Where there was more, there may be more still.
            let goes_on = told.untold > 0;
            *told = Told { at: now, untold: 0, dropped: Dropped::default() };
            goes_on
        });
    }

    fn tell_rest(&self, kind: Kind, told: &Told) {
        let (untold, Dropped { intervals, rows, packets }) = (told.untold, told.dropped);
        let times = if untold == 1 { "once".into() } else { format!("{untold} times") };
        let line = match kind {
            _ if untold == 0 => return,
            Kind::Dropped => format!(
                "since then, flows of {intervals} more intervals, {rows} rows of {packets} packets, were dropped"
            ),
            Kind::Damage => format!("more damage was found, {times}"),
            Kind::Merging => format!("counts of old intervals were merged again, {times}"),
            Kind::Writing => format!("more writes failed, {times}"),
            Kind::Removing => format!("more files could not be removed, {times}"),
            Kind::Reading => format!("more reads failed, {times}"),
            Kind::Panic => format!("more threads panicked, {times}"),
        };
        (self.say)(&line);
    }
}

impl Drop for Voice {
    fn drop(&mut self) {
        for (kind, told) in std::mem::take(&mut *self.told()) {
            self.tell_rest(kind, &told);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn a_kind_is_told_once_a_while_and_then_how_often_it_was() {
        let lines = Arc::new(Mutex::new(Vec::<String>::new()));
        let seconds = Arc::new(AtomicU64::new(100));
        let (heard, clock) = (Arc::clone(&lines), Arc::clone(&seconds));
        let voice = Voice::new(
            Box::new(move |line| heard.lock().unwrap().push(line.into())),
            Arc::new(move || Duration::from_secs(clock.load(Ordering::Relaxed))),
        );
        for number in 0..1000 {
            voice.tell(Kind::Writing, format!("write {number}"));
            voice.tell_dropped(Dropped { intervals: 1, rows: 2, packets: 3 }, "for room");
        }
        let told = || std::mem::take(&mut *lines.lock().unwrap());
        let dropped =
            "flows of 1 intervals, 2 rows of 3 packets, are dropped: for room; their counts are kept";
        assert_eq!(told(), ["write 0", dropped]);
        seconds.fetch_add(59, Ordering::Relaxed);
        voice.flush();
        assert_eq!(told(), Vec::<String>::new());
        seconds.fetch_add(1, Ordering::Relaxed);
        voice.tell(Kind::Writing, "another");
        assert_eq!(told(), ["more writes failed, 999 times"]);
        seconds.fetch_add(60, Ordering::Relaxed);
        voice.flush();
        assert_eq!(told(), ["more writes failed, once"]);
        seconds.fetch_add(60, Ordering::Relaxed);
        voice.tell(Kind::Writing, "anew");
        assert_eq!(told(), ["anew"]);
        drop(voice);
        assert_eq!(
            told(),
            ["since then, flows of 999 more intervals, 1998 rows of 2997 packets, were dropped"]
        );
    }
}
