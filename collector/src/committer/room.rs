//! Room for what waits.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Of the bytes, what one sensor may have is this part.
const SENSORS_PART: u64 = 4;

/// A bounded number of bytes, and of bytes and rows of each sensor.
#[derive(Clone)]
pub struct Room {
    taken: Arc<Mutex<Taken>>,
    bytes: u64,
    rows_of_sensor: u64,
}

#[derive(Default)]
struct Taken {
    bytes: u64,
    /// Of sensors that have some.
    sensors: HashMap<String, Waiting>,
}

#[derive(Clone, Copy, Default)]
struct Waiting {
    batches: u64,
    bytes: u64,
    rows: u64,
}

/// Some of it, free again when it is dropped.
pub struct Share {
    taken: Arc<Mutex<Taken>>,
    sensor: String,
    bytes: u64,
    rows: u64,
}

fn lock(taken: &Mutex<Taken>) -> MutexGuard<'_, Taken> {
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Room {
    pub fn new(bytes: u64, rows_of_sensor: u64) -> Self {
        Self { taken: Arc::default(), bytes, rows_of_sensor }
    }

    /// Takes some, where there is so much. However large it is, it fits where nothing is taken, and a sensor's first
    /// one is not too large for its own part: whatever the limits of a batch let pass can be stored.
    pub fn take(&self, sensor: &str, bytes: u64, rows: u64) -> Option<Share> {
        let mut taken = lock(&self.taken);
        let all = taken.bytes.checked_add(bytes)?;
        if taken.bytes > 0 && all > self.bytes {
            return None;
        }
        let own = taken.sensors.get(sensor).copied().unwrap_or_default();
        let more = Waiting {
            batches: own.batches + 1,
            bytes: own.bytes.checked_add(bytes)?,
            rows: own.rows.checked_add(rows)?,
        };
        let is_too_much = more.bytes > self.bytes / SENSORS_PART || more.rows > self.rows_of_sensor;
        if own.batches > 0 && is_too_much {
            return None;
        }
        taken.bytes = all;
        taken.sensors.insert(sensor.to_owned(), more);
        Some(Share { taken: Arc::clone(&self.taken), sensor: sensor.to_owned(), bytes, rows })
    }

    /// Bytes that are taken.
    pub fn taken(&self) -> u64 {
        lock(&self.taken).bytes
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let Self { taken, sensor, bytes, rows } = self;
        let mut taken = lock(taken);
        taken.bytes -= *bytes;
        let left = taken.sensors.get_mut(sensor).map(|own| {
            own.batches -= 1;
            own.bytes -= *bytes;
            own.rows -= *rows;
            own.batches
        });
        if left == Some(0) {
            taken.sensors.remove(sensor);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_is_bounded_and_comes_back() {
        let room = Room::new(10, 1);
        let first = room.take("a", 6, 0).unwrap();
        assert!(room.take("b", 5, 0).is_none());
        let second = room.take("b", 4, 0).unwrap();
        assert!(room.take("c", 1, 0).is_none());
        drop((first, second));
        assert_eq!(room.taken(), 0);
        let large = room.take("a", 100, 0).unwrap();
        assert!(room.take("b", 1, 0).is_none());
        drop(large);
        assert!(room.take("b", 1, 0).is_some());
    }

    #[test]
    fn no_sensor_takes_what_others_need() {
        let room = Room::new(400, 1_000);
        let bytes = room.take("a", 60, 0).unwrap();
        assert!(room.take("a", 60, 0).is_none());
        let rows = room.take("b", 1, 5_000).unwrap();
        assert!(room.take("b", 1, 1).is_none());
        let others: Vec<_> = (0..5).map(|sensor| room.take(&sensor.to_string(), 60, 900).unwrap()).collect();
        drop((bytes, rows));
        assert!(room.take("a", 60, 0).is_some() && room.take("b", 1, 1).is_some());
        drop(others);
        assert!(lock(&room.taken).sensors.is_empty());
    }
}
