//! How far a day is from those before.

use std::collections::VecDeque;

use crate::report::numbers::median_of;

/// What a median absolute deviation has to be multiplied by to be a standard deviation, where values are normal.
const NORMAL: f64 = 1.4826;
/// The least deviation, as a share of the median: a series that hardly ever moves is not unusual for moving a little.
const LEAST_DEVIATION: f64 = 0.05;

/// What is usual: the median of the days before, and the median of how far they are from it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Usual {
    pub median: f64,
    pub deviation: f64,
}

impl Usual {
    /// Of some values; they are put in order. None of nothing.
    pub fn of(values: &mut [f64]) -> Option<Self> {
        let median = median_of(values)?;
        values.iter_mut().for_each(|value| *value = (*value - median).abs());
        Some(Self { median, deviation: median_of(values)? })
    }

    /// The robust z-score. The deviation is at least a twentieth of the median, and that of one packet a day.
    #[must_use]
    pub fn score(&self, value: f64) -> f64 {
        let deviation = (NORMAL * self.deviation).max(LEAST_DEVIATION * self.median).max(1.0);
        (value - self.median) / deviation
    }
}

/// The values of many series on the observed days before, the oldest first.
pub struct History {
    days: VecDeque<Vec<f64>>,
    most: usize,
}

impl History {
    #[must_use]
    pub const fn new(most: usize) -> Self {
        Self { days: VecDeque::new(), most }
    }

    /// How many days there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.days.len()
    }

    /// What is usual of one series.
    #[must_use]
    pub fn usual(&self, series: usize, room: &mut Vec<f64>) -> Option<Usual> {
        room.clear();
        room.extend(self.days.iter().map(|day| day[series]));
        Usual::of(room)
    }

    /// The sum of one series.
    #[must_use]
    pub fn sum(&self, series: usize) -> f64 {
        self.days.iter().map(|day| day[series]).sum()
    }

    /// Adds the day that was looked at, and forgets the oldest.
    pub fn push(&mut self, day: Vec<f64>) {
        if self.days.len() >= self.most {
            self.days.pop_front();
        }
        self.days.push_back(day);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_robust() {
        let usual = Usual::of(&mut [100.0, 110.0, 90.0, 105.0, 95.0, 10_000.0, 100.0]).unwrap();
        assert_eq!(usual, Usual { median: 100.0, deviation: 5.0 });
        assert!((usual.score(200.0) - 100.0 / (1.4826 * 5.0)).abs() < 1e-9);
        // A flat line: a twentieth of it, or one packet.
        let flat = Usual::of(&mut [100.0; 9]).unwrap();
        assert_eq!((flat.score(110.0), flat.score(95.0)), (2.0, -1.0));
        assert_eq!(Usual::of(&mut [0.0; 9]).unwrap().score(7.0), 7.0);
        assert_eq!(Usual::of(&mut []), None);
    }

    #[test]
    fn history_forgets() {
        let mut history = History::new(3);
        for value in 1..=5 {
            history.push(vec![f64::from(value), 0.0]);
        }
        let mut room = Vec::new();
        assert_eq!((history.len(), history.sum(0)), (3, 12.0));
        assert_eq!(history.usual(0, &mut room).unwrap(), Usual { median: 4.0, deviation: 1.0 });
    }
}
