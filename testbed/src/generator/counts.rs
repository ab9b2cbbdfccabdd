//! What the generator program counts, while it counts.

use std::sync::atomic::{AtomicU64, Ordering};

use sensor_ebpf::generate::{GENERATOR_CPUS, Generated, TEMPLATES};
use sensor_user::mapping::MappedArray;

/// The entry of each CPU.
pub struct Counts(MappedArray<Generated>);

// SAFETY: behind a shared reference everything is accessed atomically.
unsafe impl Sync for Counts {}

impl Counts {
    /// Counts at zero, with random numbers that are another sequence for each CPU, and the same in
    /// every run.
    pub fn new(entries: MappedArray<Generated>) -> Self {
        let counts = Self(entries);
        for cpu in 0..GENERATOR_CPUS {
            // SAFETY: within a live entry.
            unsafe { word(&raw mut (*counts.0.entry(cpu)).random) }.store(seed(cpu), Ordering::Relaxed);
        }
        counts
    }

    /// Packets made, by template.
    pub fn by_kind(&self, kinds: usize) -> Vec<u64> {
        (0..kinds).map(|kind| (0..GENERATOR_CPUS).map(|cpu| self.sent(cpu, kind)).sum()).collect()
    }

    /// Packets made by all.
    pub fn all(&self) -> u64 {
        (0..GENERATOR_CPUS).map(|cpu| self.of(cpu)).sum()
    }

    /// Packets that one CPU has made.
    pub fn of(&self, cpu: u32) -> u64 {
        (0..TEMPLATES).map(|kind| self.sent(cpu, kind)).sum()
    }

    /// All that one CPU has counted, for [`Self::take_back`]. One copy, for it is made before each packet.
    ///
    /// # Safety
    /// The program does not run on that CPU meanwhile.
    pub unsafe fn copy(&self, cpu: u32) -> Generated {
        // SAFETY: a live entry, which by the caller's promise nobody writes.
        unsafe { self.0.entry(cpu).read_volatile() }
    }

    /// Forgets what one CPU has counted since a copy was made, while the program did not run there but once.
    pub fn take_back(&self, cpu: u32, since: &Generated) {
        let entry = self.0.entry(cpu);
        for (kind, sent) in since.sent.iter().enumerate() {
            // SAFETY: within a live entry; the index is checked.
            unsafe { word(&raw mut (*entry).sent[kind]) }.store(*sent, Ordering::Relaxed);
        }
        // SAFETY: within a live entry.
        unsafe { word(&raw mut (*entry).failed) }.store(since.failed, Ordering::Relaxed);
    }

    /// Packets that one CPU could not make.
    pub fn failed(&self, cpu: u32) -> u64 {
        // SAFETY: within a live entry.
        unsafe { word(&raw mut (*self.0.entry(cpu)).failed) }.load(Ordering::Relaxed)
    }

    fn sent(&self, cpu: u32, kind: usize) -> u64 {
        // SAFETY: within a live entry; the index is checked.
        unsafe { word(&raw mut (*self.0.entry(cpu)).sent[kind]) }.load(Ordering::Relaxed)
    }
}

/// A word in shared memory.
///
/// # Safety
/// It must be aligned, and live for as long as the reference is used.
unsafe fn word<'a>(place: *mut u64) -> &'a AtomicU64 {
    // SAFETY: the caller's promise; whoever shares the memory with the kernel accesses it atomically.
    unsafe { AtomicU64::from_ptr(place) }
}

/// The state of a CPU's random numbers: never zero, and unlike its neighbour's (splitmix64).
fn seed(cpu: u32) -> u64 {
    let mut bits = u64::from(cpu + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (bits ^ (bits >> 31)) | 1
}
