//! The ring between the program and the agent: one producer, one consumer, no lock.
//!
//! Both ends are written against a trait for the memory, so that what runs in the kernel, what runs in
//! the agent, and what a model checker explores are the same few lines. Positions count records since the
//! ring was made, and never wrap: 2^64 records at a billion a second are 584 years. A record's place is
//! its position modulo the capacity. The argument is in `docs/digests.md`.

use core::mem::{offset_of, size_of};

/// The positions of one CPU's rings, by [`crate::abi::Family`]. Each end has cache lines of its own.
#[repr(C, align(128))]
pub struct RingPositions {
    /// One behind the last record published. The producer's.
    pub heads: [u64; 2],
    pub spare: [u64; 6],
    /// The first record not read yet. The consumer's.
    pub tails: [u64; 2],
    pub spare_of_consumer: [u64; 6],
}

const _: () = {
    assert!(size_of::<RingPositions>() == 128);
    assert!(offset_of!(RingPositions, tails) == 64);
};

/// The producer's view of a ring's memory.
pub trait Producer {
    type Record;

    /// Its own position: nobody else writes it.
    fn head(&self) -> u64;

    /// The consumer's position. Nothing that this producer writes may become visible before this is read:
    /// a branch on the value is enough, for no machine makes a store visible that it may still take back.
    fn tail(&self) -> u64;

    /// Makes a record and writes it to its place; says whether there is such a place.
    fn write(&mut self, position: u64, record: impl Make<Self::Record>) -> bool;

    /// Makes `head` visible, after every record before it.
    fn publish(&mut self, head: u64);
}

/// What makes a record, asked once its place is known: what is read for it before that would have to wait on the stack
/// while the place is looked up, for a program in the kernel has registers for a part of it only.
///
/// A trait, and no closure, because only a function can be told to be inlined always.
pub trait Make<Record> {
    fn make(self) -> Record;
}

/// A record that there is already.
impl<Record> Make<Record> for Record {
    #[inline(always)]
    fn make(self) -> Record {
        self
    }
}

/// Appends one record, or says that there is no room.
#[inline(always)]
pub fn append<P: Producer>(ring: &mut P, capacity: u64, record: impl Make<P::Record>) -> bool {
    let head = ring.head();
    if head.wrapping_sub(ring.tail()) >= capacity || !ring.write(head, record) {
        return false;
    }
    ring.publish(head.wrapping_add(1));
    true
}

/// The consumer's view of a ring's memory.
pub trait Consumer {
    /// The producer's position: with it, every record before it is visible.
    fn head(&self) -> u64;

    /// Its own position: nobody else writes it.
    fn tail(&self) -> u64;

    /// Gives the places of all records before `tail` back to the producer, after they have been read.
    fn release(&mut self, tail: u64);
}

/// The positions of the next records to read, at most `most`.
#[inline]
pub fn readable<C: Consumer>(ring: &C, most: u64) -> core::ops::Range<u64> {
    let tail = ring.tail();
    let head = ring.head();
    // A head before the tail is not this protocol's: there is nothing to read.
    let waiting = head.saturating_sub(tail);
    tail..tail + if waiting < most { waiting } else { most }
}
