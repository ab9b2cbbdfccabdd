//! How shipping goes, for metrics and for people.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hdrhistogram::Histogram;
use jiff::Timestamp;

use super::failure::FailureKind;

/// Bounds in seconds of what is told of [`Latencies::stored`], which may be days after an outage.
const STORED_BOUNDS: [f64; 12] =
    [0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3_600.0, 21_600.0, 86_400.0];
/// The same for [`Latencies::request`].
const REQUEST_BOUNDS: [f64; 12] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0];
/// The longest time that is told apart: 100 days.
const LONGEST_MICROSECONDS: u64 = 100 * 86_400 * 1_000_000;

/// How shipping goes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ShipStatus {
    /// In words: what it does, or what is in the way.
    pub state: String,
    /// Whether the last thing heard from a collector was good.
    pub is_well: bool,
    pub last_success: Option<Timestamp>,
    pub in_flight: u64,
    pub attempts: u64,
    /// By kind, in the order of [`FailureKind::ALL`].
    pub failures: [u64; FailureKind::ALL.len()],
    /// Intervals that the collector refuses and that are still here.
    pub refused: u64,
    /// Intervals that the collector has stored, and bytes of their batches.
    pub shipped_intervals: u64,
    pub shipped_bytes: u64,
    /// Those of them that it had from an earlier attempt.
    pub already_stored: u64,
    pub latencies: Latencies,
    /// When the sensor's certificate ends.
    pub certificate_not_after: Option<Timestamp>,
}

/// How long it takes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Latencies {
    /// From the end of an interval to the answer that it is stored.
    pub stored: Latency,
    /// From the start of a request to its answer.
    pub request: Latency,
}

/// A distribution of times, within two decimal places.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Latency {
    pub count: u64,
    pub sum: Duration,
    pub p50: Duration,
    pub p90: Duration,
    pub p99: Duration,
    pub p999: Duration,
    pub max: Duration,
    /// Bounds in seconds, and how many were at most as long.
    pub buckets: Vec<(f64, u64)>,
}

/// Where lines for people go.
pub type Say = Arc<dyn Fn(&str) + Send + Sync>;

/// What the shipper writes and others read.
#[derive(Clone)]
pub struct StatusHandle {
    tally: Arc<Mutex<Tally>>,
    say: Say,
}

struct Tally {
    status: ShipStatus,
    stored: Times,
    request: Times,
}

struct Times {
    histogram: Histogram<u64>,
    sum: Duration,
}

impl Times {
    fn new() -> Self {
        // These bounds are sound, whatever the machine.
        let histogram = Histogram::new_with_bounds(1, LONGEST_MICROSECONDS, 2)
            .unwrap_or_else(|_| unreachable!("two digits between one and a larger bound"));
        Self { histogram, sum: Duration::ZERO }
    }

    fn add(&mut self, time: Duration) {
        let microseconds = u64::try_from(time.as_micros()).unwrap_or(u64::MAX).max(1);
        self.histogram.saturating_record(microseconds);
        self.sum = self.sum.saturating_add(time);
    }

    fn latency(&self, bounds: &[f64]) -> Latency {
        let Self { histogram, sum } = self;
        let quantile = |quantile| Duration::from_micros(histogram.value_at_quantile(quantile));
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "constants of our own, above zero"
        )]
        let at_most = |bound: f64| histogram.count_between(0, (bound * 1e6) as u64);
        Latency {
            count: histogram.len(),
            sum: *sum,
            p50: quantile(0.5),
            p90: quantile(0.9),
            p99: quantile(0.99),
            p999: quantile(0.999),
            max: Duration::from_micros(histogram.max()),
            buckets: bounds.iter().map(|bound| (*bound, at_most(*bound))).collect(),
        }
    }
}

impl StatusHandle {
    #[must_use]
    pub fn new(say: Say) -> Self {
        let status =
            ShipStatus { state: "nothing shipped yet".into(), is_well: true, ..ShipStatus::default() };
        let tally = Tally { status, stored: Times::new(), request: Times::new() };
        Self { tally: Arc::new(Mutex::new(tally)), say }
    }

    /// How it goes at this moment.
    #[must_use]
    pub fn status(&self) -> ShipStatus {
        let tally = self.lock();
        let stored = tally.stored.latency(&STORED_BOUNDS);
        let request = tally.request.latency(&REQUEST_BOUNDS);
        ShipStatus { latencies: Latencies { stored, request }, ..tally.status.clone() }
    }

    /// A line for people.
    pub(super) fn say(&self, line: &str) {
        (self.say)(line);
    }

    pub(super) fn set_not_after(&self, end: Timestamp) {
        self.lock().status.certificate_not_after = Some(end);
    }

    pub(super) fn begun(&self, in_flight: usize) {
        let status = &mut self.lock().status;
        status.attempts += 1;
        status.in_flight = in_flight as u64;
    }

    /// How many are under way, and how many the collector does not take.
    pub(super) fn set_queue(&self, in_flight: usize, refused: usize) {
        let status = &mut self.lock().status;
        (status.in_flight, status.refused) = (in_flight as u64, refused as u64);
    }

    pub(super) fn failed(&self, kind: FailureKind, state: Option<String>) {
        let status = &mut self.lock().status;
        let place = FailureKind::ALL.iter().position(|other| *other == kind);
        if let Some(failures) = place.and_then(|place| status.failures.get_mut(place)) {
            *failures += 1;
        }
        if let Some(state) = state {
            (status.state, status.is_well) = (state, false);
        }
    }

    pub(crate) fn shipped(&self, bytes: u64, already: bool, request: Duration, stored: Option<Duration>) {
        let mut tally = self.lock();
        let Tally { status, stored: times_stored, request: times_request } = &mut *tally;
        status.shipped_intervals += 1;
        status.shipped_bytes += bytes;
        status.already_stored += u64::from(already);
        status.last_success = Some(Timestamp::now());
        times_request.add(request);
        // One that was stored long ago says nothing of how long that took.
        stored.filter(|_| !already).into_iter().for_each(|time| times_stored.add(time));
    }

    pub(super) fn well(&self, state: String) {
        let status = &mut self.lock().status;
        (status.state, status.is_well) = (state, true);
    }

    /// Nothing is shipped any more.
    pub(super) fn ended(&self, state: String) {
        let status = &mut self.lock().status;
        (status.state, status.is_well, status.in_flight) = (state, false, 0);
    }

    fn lock(&self) -> MutexGuard<'_, Tally> {
        // Numbers that are one off are better than none.
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_by_quantile_and_by_bound() {
        let status = StatusHandle::new(Arc::new(|_| {}));
        for milliseconds in 1..=100 {
            let time = Duration::from_millis(milliseconds);
            status.shipped(10, false, time, Some(1_000 * time));
        }
        status.shipped(10, true, Duration::ZERO, Some(Duration::MAX));
        let ShipStatus { shipped_intervals, shipped_bytes, already_stored, latencies, .. } = status.status();
        assert_eq!((shipped_intervals, shipped_bytes, already_stored), (101, 1_010, 1));
        let Latencies { stored, request } = latencies;
        assert_eq!((stored.count, request.count), (100, 101));
        assert_eq!(stored.sum, Duration::from_secs(5_050));
        assert!((49..=51).contains(&stored.p50.as_secs()), "{:?}", stored.p50);
        assert!((99..=101).contains(&stored.max.as_secs()), "{:?}", stored.max);
        let ten_seconds = stored.buckets.iter().find(|(bound, _)| *bound == 10.0).unwrap();
        assert_eq!(ten_seconds.1, 10);
        assert_eq!(stored.buckets.last().unwrap().1, 100);
        assert!(stored.buckets.is_sorted_by(|a, b| a.0 < b.0 && a.1 <= b.1));
    }
}
