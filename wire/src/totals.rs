//! Totals: what all CPUs have counted, in the shape of one [`CpuCounters`].

use std::sync::atomic::{AtomicU64, Ordering};

use sensor_ebpf::abi::CpuCounters;

/// Counters in one [`CpuCounters`], which is nothing but counters.
const WORDS: usize = size_of::<CpuCounters>() / size_of::<u64>();

/// A copy of counters, summed over CPUs: 2.5 MiB on the heap.
pub struct Totals(Box<CpuCounters>);

impl Clone for Totals {
    /// Heap to heap: a derived clone makes the copy on the stack first, and a thread has 2 MiB of that.
    fn clone(&self) -> Self {
        let mut copy = Self::default();
        copy.words_mut().copy_from_slice(self.words());
        copy
    }
}

impl std::ops::Deref for Totals {
    type Target = CpuCounters;
    fn deref(&self) -> &CpuCounters {
        &self.0
    }
}

impl Default for Totals {
    fn default() -> Self {
        let zeroed = Box::<CpuCounters>::new_zeroed();
        // SAFETY: CpuCounters is made of integers, for which zero is a value.
        Self(unsafe { zeroed.assume_init() })
    }
}

impl Totals {
    /// Adds what stands in shared memory.
    ///
    /// # Safety
    /// `counters` must point to live counters; they may be written meanwhile.
    pub unsafe fn add(&mut self, counters: *const CpuCounters) {
        let shared = counters.cast::<AtomicU64>();
        for (index, word) in self.words_mut().iter_mut().enumerate() {
            // SAFETY: the caller's promise, and `index` is below the number of counters.
            *word += unsafe { &*shared.add(index) }.load(Ordering::Relaxed);
        }
    }

    /// Writes these totals over those in shared memory.
    ///
    /// # Safety
    /// `counters` must point to live counters that no one else writes.
    pub unsafe fn store(&self, counters: *mut CpuCounters) {
        let shared = counters.cast::<AtomicU64>();
        for (index, word) in self.words().iter().enumerate() {
            // SAFETY: the caller's promise, and `index` is below the number of counters.
            unsafe { &*shared.add(index) }.store(*word, Ordering::Relaxed);
        }
    }

    /// What has been counted since `earlier`, or `None` where a counter has shrunk, which none may.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Option<Self> {
        let mut difference = self.clone();
        for (word, before) in difference.words_mut().iter_mut().zip(earlier.words()) {
            *word = word.checked_sub(*before)?;
        }
        Some(difference)
    }

    /// Adds what was counted elsewhere.
    pub fn merge(&mut self, other: &Self) {
        for (word, more) in self.words_mut().iter_mut().zip(other.words()) {
            *word += more;
        }
    }

    /// Direct access, for counts that are not the kernel's.
    pub fn counters_mut(&mut self) -> &mut CpuCounters {
        &mut self.0
    }

    /// Every counter, in the order of the ABI.
    #[must_use]
    pub fn words(&self) -> &[u64; WORDS] {
        // SAFETY: repr(C), u64 throughout, no padding: the ABI asserts its size field by field.
        unsafe { &*(&raw const *self.0).cast() }
    }

    fn words_mut(&mut self) -> &mut [u64; WORDS] {
        // SAFETY: as in `words`.
        unsafe { &mut *(&raw mut *self.0).cast() }
    }
}
