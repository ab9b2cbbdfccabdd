//! Looking at a ring and taking nothing out of it: for whoever watches beside the agent, or after it.
//!
//! A record stays where it is until the producer comes round to its place again, whether the consumer has
//! read it or not. A copy that the producer may have written over meanwhile is told by the head, as in a
//! seqlock: with head `h` the producer may be writing the record at position `h`, whose place is that of
//! `h - capacity`, and has not begun any later one.

use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicU64, Ordering, fence};

use sensor_ebpf::ring::Consumer as _;

use super::{Digest, Ring};

/// The part of a ring that is not looked at, as its records would be written over while they are copied.
const MARGIN: u64 = 8;

/// How far a look has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peeked {
    /// Where the next look begins.
    pub next: u64,
    /// Records since `from` that were written over, or left out as there were too many.
    pub missed: u64,
}

impl<D: Digest> Ring<'_, D> {
    /// Puts the records since position `from` into `copies`, in order, but at most the newest `most` of them.
    ///
    /// Nothing is written to the ring, so any number of processes may look.
    pub fn peek(&self, from: u64, most: u64, copies: &mut Vec<D>) -> Peeked {
        self.peek_meanwhile(from, most, copies, || ())
    }

    /// The position that a first look begins at, to see what comes from now on.
    #[must_use]
    pub fn newest(&self) -> u64 {
        self.head()
    }

    /// The same, with something done between copying and telling which copies are good; for tests.
    fn peek_meanwhile(&self, from: u64, most: u64, copies: &mut Vec<D>, meanwhile: impl FnOnce()) -> Peeked {
        copies.clear();
        let head = self.head();
        // A head before the last look is another ring's.
        let from = from.min(head);
        let most = most.min(self.capacity - self.capacity / MARGIN);
        let first = from.max(head.saturating_sub(most));
        copies.extend((first..head).map(|position| self.copy(position)));
        meanwhile();
        // Whatever of a later record is in a copy was written after the head that is read here.
        fence(Ordering::Acquire);
        let good = (self.head() + 1).saturating_sub(self.capacity).clamp(first, head);
        copies.drain(..usize::try_from(good - first).unwrap_or(copies.len()));
        Peeked { next: head, missed: good - from }
    }

    /// A copy of what stands in a place, word by word: the producer may be writing to it.
    fn copy(&self, position: u64) -> D {
        const WORD: usize = size_of::<u64>();
        const { assert!(size_of::<D>().is_multiple_of(WORD) && align_of::<D>() >= WORD) };
        let place = usize::try_from(position & (self.capacity - 1)).unwrap_or(0);
        let mut copy = MaybeUninit::<D>::uninit();
        // SAFETY: the place lies within the ring, and both it and the copy are whole words, all of which are
        // written. Digests are integers without padding, for which any bits are a value.
        unsafe {
            let (from, to) = (self.records.add(place).cast::<AtomicU64>(), copy.as_mut_ptr().cast::<u64>());
            for word in 0..size_of::<D>() / WORD {
                to.add(word).write((*from.add(word)).load(Ordering::Relaxed));
            }
            copy.assume_init()
        }
    }
}

#[cfg(test)]
#[path = "peek/tests.rs"]
mod tests;
