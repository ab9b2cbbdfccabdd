//! The ring's protocol under a model checker: every order in which two threads can run, and everything that
//! weak memory allows, for the very functions that the program and the agent run.
//!
//! Records lie in cells that the checker guards: it fails where a record is read and written without one of
//! them happening before the other.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicU64, Ordering};
use loom::thread;
use sensor_ebpf::ring::{Consumer, Make, Producer, append, readable};

/// The two orderings that the protocol rests on, so that a model without them can be seen to fail.
#[derive(Clone, Copy)]
struct Orderings {
    publish: Ordering,
    release: Ordering,
}

const SOUND: Orderings = Orderings { publish: Ordering::Release, release: Ordering::Release };

struct Memory<const CAPACITY: usize> {
    head: AtomicU64,
    tail: AtomicU64,
    places: [UnsafeCell<u64>; CAPACITY],
    orderings: Orderings,
}

// SAFETY: what the checker is to find out.
unsafe impl<const CAPACITY: usize> Sync for Memory<CAPACITY> {}
// SAFETY: as above.
unsafe impl<const CAPACITY: usize> Send for Memory<CAPACITY> {}

/// One end. Its own position nobody else writes, so it keeps a copy: the checker forgets another thread's load of
/// a word for this thread's own.
struct End<const CAPACITY: usize> {
    memory: Arc<Memory<CAPACITY>>,
    own: u64,
}

impl<const CAPACITY: usize> Producer for End<CAPACITY> {
    type Record = u64;

    fn head(&self) -> u64 {
        self.own
    }
    /// In the kernel a branch on the value orders the stores behind it. The language has no such thing: its
    /// nearest is acquire.
    fn tail(&self) -> u64 {
        self.memory.tail.load(Ordering::Acquire)
    }
    fn write(&mut self, position: u64, record: impl Make<u64>) -> bool {
        let record = record.make();
        // SAFETY: what the checker watches.
        self.memory.places[position as usize % CAPACITY].with_mut(|place| unsafe { *place = record });
        true
    }
    fn publish(&mut self, head: u64) {
        self.own = head;
        self.memory.head.store(head, self.memory.orderings.publish);
    }
}

impl<const CAPACITY: usize> Consumer for End<CAPACITY> {
    fn head(&self) -> u64 {
        self.memory.head.load(Ordering::Acquire)
    }
    fn tail(&self) -> u64 {
        self.own
    }
    fn release(&mut self, tail: u64) {
        self.own = tail;
        self.memory.tail.store(tail, self.memory.orderings.release);
    }
}

/// Writes `records` records while another thread reads what there is, twice; then reads the rest.
fn explore<const CAPACITY: usize>(records: u64, orderings: Orderings) {
    loom::model(move || {
        let memory = Arc::new(Memory::<CAPACITY> {
            head: AtomicU64::new(0),
            tail: AtomicU64::new(0),
            places: std::array::from_fn(|_| UnsafeCell::new(0)),
            orderings,
        });
        let producer = thread::spawn({
            let mut end = End { memory: Arc::clone(&memory), own: 0 };
            move || {
                // A record is told by its number among those that found room.
                let mut written = 0;
                let mut lost = 0;
                for _ in 0..records {
                    if append(&mut end, CAPACITY as u64, written + 1) {
                        written += 1;
                    } else {
                        lost += 1;
                    }
                }
                (written, lost)
            }
        });
        let mut end = End { memory, own: 0 };
        let mut read = take(&mut end, 0);
        read = take(&mut end, read);
        let (written, lost) = producer.join().unwrap();
        read = take(&mut end, read);
        assert_eq!(read, written, "every record that found room is read, and none of them twice");
        assert_eq!(written + lost, records);
        assert!(written >= (CAPACITY as u64).min(records));
    });
}

/// Reads what there is, and gives the number of the last record.
fn take<const CAPACITY: usize>(end: &mut End<CAPACITY>, mut last: u64) -> u64 {
    let range = readable(end, CAPACITY as u64);
    for position in range.clone() {
        // SAFETY: what the checker watches.
        let record = end.memory.places[position as usize % CAPACITY].with(|place| unsafe { *place });
        assert_eq!(record, last + 1, "records come in order, whole and once");
        last = record;
    }
    if !range.is_empty() {
        end.release(range.end);
    }
    last
}

#[test]
fn a_ring_of_one() {
    explore::<1>(3, SOUND);
}

#[test]
fn a_ring_of_two() {
    explore::<2>(4, SOUND);
}

#[test]
fn a_ring_with_room_for_all() {
    explore::<4>(3, SOUND);
}

/// The checker sees what it should: a head that may be visible before its record.
#[test]
#[should_panic(expected = "Causality violation")]
fn publishing_without_order_is_found() {
    explore::<2>(2, Orderings { publish: Ordering::Relaxed, ..SOUND });
}

/// And a place that is given back while it may still be read.
#[test]
#[should_panic(expected = "Causality violation")]
fn releasing_without_order_is_found() {
    explore::<1>(2, Orderings { release: Ordering::Relaxed, ..SOUND });
}
