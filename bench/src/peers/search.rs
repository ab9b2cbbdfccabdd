//! The highest rate at which a system counts what was sent.

/// The share of what was sent that has to be counted.
pub const COUNTED: f64 = 0.999;

/// By what a rate is divided where even the lowest was too much.
const FURTHER: f64 = 3.0;

/// A search by steps: a rate that was too much, and the highest that was not.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Search {
    /// Packets per second of the lowest rate at which packets were lost.
    lost_at: f64,
    /// And of the highest below it at which none were.
    counted_at: Option<f64>,
    /// What it counted per second at full rate: its best rate is often near.
    estimate: f64,
    /// Rates that were tried.
    tried: u32,
}

impl Search {
    /// Begins with what became of packets at full rate, in packets per second sent, and the share of them that was
    /// counted: who counts a third then counts perhaps everything at somewhat less than a third of the rate.
    pub fn new(full_rate: f64, share: f64) -> Self {
        if share >= COUNTED {
            return Self {
                lost_at: f64::INFINITY,
                counted_at: Some(full_rate),
                estimate: full_rate,
                tried: 0,
            };
        }
        Self { lost_at: full_rate, counted_at: None, estimate: full_rate * share, tried: 0 }
    }

    /// The rate to try next, or none where there is nothing left to find.
    pub fn next(&self) -> Option<f64> {
        let above = self.estimate * 1.2;
        match self.counted_at {
            _ if self.lost_at.is_infinite() => None,
            None if self.tried == 0 => Some(self.estimate * 0.8).filter(|rate| *rate >= 1.0),
            None => Some(self.lost_at / FURTHER).filter(|rate| *rate >= 1.0),
            Some(counted_at) if self.tried == 1 && counted_at < above && above < self.lost_at => Some(above),
            // Rates differ by factors, so that the middle is the geometric one.
            Some(counted_at) => Some((counted_at * self.lost_at).sqrt()),
        }
    }

    /// Takes in what was seen at a rate, which is the one that was reached, not the one that was tried.
    pub fn note(&mut self, rate: f64, share: f64) {
        self.tried += 1;
        if share < COUNTED {
            self.lost_at = self.lost_at.min(rate);
            // What was counted at a higher rate before was luck.
            self.counted_at = self.counted_at.filter(|counted_at| *counted_at < self.lost_at);
        } else if rate < self.lost_at {
            self.counted_at = Some(self.counted_at.map_or(rate, |before| before.max(rate)));
        }
    }

    /// The lowest rate at which packets were lost, in packets per second.
    pub fn lost_at(&self) -> f64 {
        self.lost_at
    }

    /// What the highest rate is below at most, in packets per second: the lowest rate at which packets were lost, or the
    /// full rate where none were. None where no rate was tried that could bound it.
    pub fn bound(&self) -> Option<f64> {
        if self.lost_at.is_infinite() {
            return self.counted_at;
        }
        (self.counted_at.is_some() || self.tried > 0).then_some(self.lost_at)
    }

    /// Packets per second; none where packets were lost at every rate that was tried.
    pub fn highest(&self) -> Option<f64> {
        self.counted_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A system that counts everything up to a rate, and so much where there is more.
    fn found(capacity: f64, steps: usize) -> Option<f64> {
        let share = |rate: f64| (capacity / rate).min(1.0);
        let mut search = Search::new(4e6, share(4e6));
        for _ in 0..steps {
            let Some(rate) = search.next() else {
                break;
            };
            search.note(rate, share(rate));
        }
        search.highest()
    }

    #[test]
    fn a_rate_is_found_within_a_few_percent() {
        for capacity in [3e3, 2e5, 7e5, 1.3e6, 3.9e6] {
            let highest = found(capacity, 7).unwrap();
            assert!(highest <= capacity * 1.002 && highest > capacity * 0.95, "{highest} for {capacity}");
        }
    }

    #[test]
    fn who_loses_nothing_at_full_rate_is_not_searched() {
        assert_eq!(found(5e6, 0), Some(4e6));
        assert_eq!(Search::new(4e6, 1.0).next(), None);
        assert_eq!(Search::new(4e6, 1.0).bound(), Some(4e6));
    }

    #[test]
    fn who_counts_nothing_has_no_rate() {
        let mut search = Search::new(4e6, 0.0);
        for _ in 0..30 {
            let Some(rate) = search.next() else {
                break;
            };
            search.note(rate, 0.0);
        }
        assert_eq!((search.highest(), search.next(), search.bound()), (None, None, None));
    }

    #[test]
    fn a_loss_below_what_was_counted_takes_it_back() {
        let mut search = Search::new(1e6, 0.5);
        search.note(5e5, 1.0);
        search.note(4e5, 0.9);
        assert_eq!((search.highest(), search.bound()), (None, Some(4e5)));
        assert_eq!(search.next(), Some(4e5 / FURTHER));
    }
}
