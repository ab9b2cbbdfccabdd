//! Memory for batches that are on their way: so much for all, and for each sensor one batch of the greatest size.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes that are counted as one.
const UNIT: u64 = 1024;

/// What there is.
#[derive(Debug)]
pub struct Budget {
    all: Arc<Semaphore>,
    units: usize,
    shares: Arc<Shares>,
    share: u64,
}

#[derive(Debug, Default)]
struct Shares(Mutex<HashMap<Arc<str>, Taken>>);

/// What one sensor has.
#[derive(Debug)]
struct Taken {
    bytes: u64,
    turn: Arc<Semaphore>,
}

/// Room for one batch, until it is dropped.
#[derive(Debug)]
pub struct Room {
    _permit: OwnedSemaphorePermit,
    _share: Share,
    turn: Arc<Semaphore>,
}

#[derive(Debug)]
struct Share {
    shares: Arc<Shares>,
    sensor: Arc<str>,
    bytes: u64,
}

/// Why there is no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    /// All sensors together take it.
    All,
    /// This sensor has its share.
    Sensor,
}

impl Budget {
    pub fn new(bytes: u64, share: u64) -> Self {
        let units = usize::try_from(bytes / UNIT).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS);
        let units = units.max(1);
        Self { all: Arc::new(Semaphore::new(units)), units, shares: Arc::default(), share }
    }

    /// Bytes that are taken, in whole units.
    pub fn taken(&self) -> u64 {
        (self.units - self.all.available_permits().min(self.units)) as u64 * UNIT
    }

    /// Takes room for a batch.
    pub fn take(&self, sensor: &Arc<str>, bytes: u64) -> Result<Room, Full> {
        // An empty one takes a place as well.
        let bytes = bytes.max(1);
        let (share, turn) = {
            let mut shares = self.shares.0.lock().unwrap_or_else(PoisonError::into_inner);
            let taken = shares.entry(Arc::clone(sensor));
            let taken = taken.or_insert_with(|| Taken { bytes: 0, turn: Arc::new(Semaphore::new(1)) });
            if taken.bytes.saturating_add(bytes) > self.share {
                return Err(Full::Sensor);
            }
            taken.bytes += bytes;
            let share = Share { shares: Arc::clone(&self.shares), sensor: Arc::clone(sensor), bytes };
            (share, Arc::clone(&taken.turn))
        };
        let units = u32::try_from(bytes.div_ceil(UNIT)).map_err(|_| Full::All)?;
        match Arc::clone(&self.all).try_acquire_many_owned(units) {
            Ok(permit) => Ok(Room { _permit: permit, _share: share, turn }),
            Err(_) => Err(Full::All),
        }
    }
}

impl Room {
    /// One permit for all batches of this sensor, so that none looks like many.
    pub fn turn(&self) -> Arc<Semaphore> {
        Arc::clone(&self.turn)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut shares = self.shares.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(taken) = shares.get_mut(&self.sensor) {
            taken.bytes = taken.bytes.saturating_sub(self.bytes);
            if taken.bytes == 0 {
                shares.remove(&self.sensor);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_sensor_takes_anothers_room_and_all_of_it_comes_back() {
        let budget = Budget::new(8 << 20, 4 << 20);
        let (one, other, third) = (Arc::from("one"), Arc::from("other"), Arc::from("third"));
        let first = budget.take(&one, 3 << 20).unwrap();
        assert_eq!(budget.take(&one, 2 << 20).unwrap_err(), Full::Sensor);
        let second = budget.take(&other, 4 << 20).unwrap();
        assert_eq!(budget.take(&third, 2 << 20).unwrap_err(), Full::All);
        assert_eq!(budget.taken(), 7 << 20);
        drop((first, second));
        assert_eq!(budget.taken(), 0);
        let _all = (budget.take(&one, 4 << 20).unwrap(), budget.take(&third, 4 << 20).unwrap());
    }
}
