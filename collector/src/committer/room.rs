//! Room for bytes that wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A bounded number of bytes.
#[derive(Clone)]
pub struct Room {
    taken: Arc<AtomicU64>,
    size: u64,
}

/// Some of them, free again when it is dropped.
pub struct Share {
    taken: Arc<AtomicU64>,
    bytes: u64,
}

impl Room {
    pub fn new(size: u64) -> Self {
        Self { taken: Arc::default(), size }
    }

    /// Takes some, where there are so many; and more than there ever are where none is taken, so that whatever the
    /// limits of a batch let pass can be stored.
    pub fn take(&self, bytes: u64) -> Option<Share> {
        let more = |taken: u64| {
            let all = taken.checked_add(bytes)?;
            (taken == 0 || all <= self.size).then_some(all)
        };
        self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
        Some(Share { taken: Arc::clone(&self.taken), bytes })
    }

    pub fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.taken.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_is_bounded_and_comes_back() {
        let room = Room::new(10);
        let first = room.take(6).unwrap();
        assert!(room.take(5).is_none());
        let second = room.take(4).unwrap();
        assert!(room.take(1).is_none());
        drop((first, second));
        assert_eq!(room.taken(), 0);
        let large = room.take(100).unwrap();
        assert!(room.take(1).is_none());
        drop(large);
        assert!(room.take(1).is_some());
    }
}
