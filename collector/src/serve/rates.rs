//! How much one sensor may send in the long run, and at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::config::LimitSettings;

/// Sensors beyond which those that have not sent for long are forgotten.
const MANY: usize = 10_000;

/// Every sensor's buckets.
#[derive(Debug)]
pub struct Rates {
    batches: Rate,
    bytes: Rate,
    sensors: Mutex<HashMap<Arc<str>, Buckets>>,
}

#[derive(Clone, Copy, Debug)]
struct Rate {
    per_second: f64,
    at_once: f64,
}

#[derive(Clone, Copy, Debug)]
struct Buckets {
    filled: Instant,
    batches: f64,
    bytes: f64,
}

impl Rates {
    #[expect(clippy::cast_precision_loss, reason = "limits, not counts: a byte in petabytes is nothing")]
    pub fn new(limits: &LimitSettings) -> Self {
        let (batches, at_once) = (f64::from(limits.batches_per_second), f64::from(limits.batches_at_once));
        Self {
            batches: Rate { per_second: batches, at_once },
            bytes: Rate { per_second: limits.bytes_per_second as f64, at_once: limits.bytes_at_once as f64 },
            sensors: Mutex::default(),
        }
    }

    /// Takes a batch out of a sensor's buckets, or says how long it is until there will be as much.
    #[expect(clippy::cast_precision_loss, reason = "limits, not counts: a byte in petabytes is nothing")]
    pub fn take(&self, sensor: &Arc<str>, bytes: u64, now: Instant) -> Result<(), Duration> {
        let bytes = bytes as f64;
        let mut sensors = self.sensors.lock().unwrap_or_else(PoisonError::into_inner);
        if sensors.len() >= MANY && !sensors.contains_key(sensor) {
            sensors.retain(|_, buckets| {
                let filled = self.fill(*buckets, now);
                filled.batches < self.batches.at_once || filled.bytes < self.bytes.at_once
            });
        }
        let full = Buckets { filled: now, batches: self.batches.at_once, bytes: self.bytes.at_once };
        let buckets = sensors.entry(Arc::clone(sensor)).or_insert(full);
        *buckets = self.fill(*buckets, now);
        let wait = ((1.0 - buckets.batches) / self.batches.per_second)
            .max((bytes - buckets.bytes) / self.bytes.per_second);
        if wait > 0.0 {
            return Err(Duration::try_from_secs_f64(wait).unwrap_or(Duration::MAX));
        }
        buckets.batches -= 1.0;
        buckets.bytes -= bytes;
        Ok(())
    }

    fn fill(&self, buckets: Buckets, now: Instant) -> Buckets {
        let seconds = now.saturating_duration_since(buckets.filled).as_secs_f64();
        let more = |there: f64, rate: Rate| (there + seconds * rate.per_second).min(rate.at_once);
        Buckets {
            filled: now,
            batches: more(buckets.batches, self.batches),
            bytes: more(buckets.bytes, self.bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Options;

    #[test]
    fn a_pause_fills_the_buckets_and_no_further() {
        let mut limits = Options::default().resolve().unwrap().limits;
        (limits.batches_per_second, limits.batches_at_once) = (2, 4);
        let rates = Rates::new(&limits);
        let (sensor, now) = (Arc::from("a"), Instant::now());
        assert_eq!((0..9).filter(|_| rates.take(&sensor, 1, now).is_ok()).count(), 4);
        assert_eq!(rates.take(&sensor, 1, now), Err(Duration::from_millis(500)));
        assert!(rates.take(&Arc::from("b"), 1, now).is_ok(), "another sensor is not affected");
        let later = now + Duration::from_secs(60);
        assert_eq!((0..9).filter(|_| rates.take(&sensor, 1, later).is_ok()).count(), 4);
    }

    #[test]
    fn bytes_are_limited_as_batches_are() {
        let mut limits = Options::default().resolve().unwrap().limits;
        (limits.bytes_per_second, limits.bytes_at_once) = (10, 100);
        let rates = Rates::new(&limits);
        let (sensor, now) = (Arc::from("a"), Instant::now());
        assert_eq!(rates.take(&sensor, 90, now), Ok(()));
        assert_eq!(rates.take(&sensor, 90, now), Err(Duration::from_secs(8)));
    }
}
