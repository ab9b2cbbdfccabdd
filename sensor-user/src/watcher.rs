//! Reading the program's counters so that they stand still.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use aya::Ebpf;
use sensor_ebpf::abi::{BANKS, Control, CpuCounters, maps};

use crate::conservation::{Breach, breaches};
use crate::counters::Totals;
use crate::mapping::{MappedArray, MappingError};

/// How long a cut waits for programs that still run, should the kernel's own way of waiting be absent.
const LONGEST_SETTLING: Duration = Duration::from_secs(1);

/// The counters of a program in the kernel, attached or not.
pub struct Watcher {
    counters: MappedArray<CpuCounters>,
    control: MappedArray<Control>,
}

/// Totals at one instant: every packet is wholly in them or wholly in what comes after.
pub struct Cut {
    pub totals: Totals,
    /// Laws that do not hold, though everything stood still.
    pub breaches: Vec<Breach>,
}

impl Watcher {
    /// Maps the counters of a loaded object.
    ///
    /// # Errors
    /// Where the maps are absent or of another layout.
    pub fn new(ebpf: &Ebpf) -> Result<Self, MappingError> {
        Ok(Self {
            counters: MappedArray::of(maps::COUNTERS, ebpf)?,
            control: MappedArray::of(maps::CONTROL, ebpf)?,
        })
    }

    /// From mappings that are there already.
    #[must_use]
    pub fn from_mappings(counters: MappedArray<CpuCounters>, control: MappedArray<Control>) -> Self {
        Self { counters, control }
    }

    /// The control record, shared with the kernel and with other processes.
    #[must_use]
    pub fn control(&self) -> *mut Control {
        self.control.entry(0)
    }

    /// Slots that packets are counted in.
    #[must_use]
    pub fn slots(&self) -> u32 {
        self.counters.entries() / BANKS
    }

    /// What has been counted so far, while counting goes on: sums may differ by the packets under way.
    #[must_use]
    pub fn glance(&self) -> Totals {
        let mut totals = Totals::default();
        (0..BANKS).for_each(|bank| self.add_bank(&mut totals, bank));
        totals
    }

    /// Cuts the stream of packets in two, and counts what came before the cut.
    ///
    /// Packets are counted in the active bank. The other one stands still, so it is read first; then the
    /// banks change places, and the one that was active is read when no program runs on it any more.
    /// Only one process may cut: the one that holds the lock of the pinned set, or owns the program.
    #[must_use]
    pub fn cut(&self) -> Cut {
        let before = self.active_bank().load(Ordering::Relaxed) % BANKS;
        let after = 1 - before;
        let mut still = Totals::default();
        self.add_bank(&mut still, after);
        self.active_bank().store(after, Ordering::SeqCst);
        let deadline = Instant::now() + LONGEST_SETTLING;
        wait_for_running_programs();
        loop {
            let mut totals = still.clone();
            self.add_bank(&mut totals, before);
            let breaches = breaches(&totals);
            if breaches.is_empty() || Instant::now() >= deadline {
                return Cut { totals, breaches };
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn active_bank(&self) -> &AtomicU32 {
        // SAFETY: the mapping lives as long as this borrow, and everyone accesses the field atomically.
        unsafe { AtomicU32::from_ptr(&raw mut (*self.control()).active_bank) }
    }

    fn add_bank(&self, totals: &mut Totals, bank: u32) {
        for slot in 0..self.slots() {
            // SAFETY: an entry of the mapping.
            unsafe { totals.add(self.counters.entry(slot * BANKS + bank)) };
        }
    }
}

/// Returns when every XDP program that was running has come to its end.
///
/// `MEMBARRIER_CMD_GLOBAL` is the kernel's `synchronize_rcu`, and a program runs within one RCU
/// section. Where it is absent (nohz_full) the caller sees by the counters themselves.
fn wait_for_running_programs() {
    const MEMBARRIER_CMD_GLOBAL: libc::c_int = 1;
    // SAFETY: takes two integers, touches no memory of ours.
    if unsafe { libc::syscall(libc::SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0) } != 0 {
        std::thread::sleep(Duration::from_millis(10));
    }
}
