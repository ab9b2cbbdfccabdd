//! Reads digests while they are written, as the agent does, and drops them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Result, anyhow};
use sensor_ebpf::digest::{Ipv4Digest, Ipv6Digest};
use sensor_user::digests::RingMaps;

/// How long to wait where there is nothing: a part of what a ring takes.
const MOMENT: Duration = Duration::from_micros(200);

/// A thread that reads rings.
pub struct Reader {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<(RingMaps, u64)>,
}

impl Reader {
    pub fn start(rings: RingMaps) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            let mut digests = 0;
            loop {
                // What was written before the word to stop is read.
                let is_last = stopped.load(Ordering::Acquire);
                let read = drain(&rings);
                digests += read;
                if is_last {
                    return (rings, digests);
                }
                if read == 0 {
                    thread::sleep(MOMENT);
                }
            }
        });
        Self { stop, thread }
    }

    /// Reads what is left; gives the rings back, and says how many digests there were.
    pub fn stop(self) -> Result<(RingMaps, u64)> {
        self.stop.store(true, Ordering::Release);
        self.thread.join().map_err(|_| anyhow!("the reader of the rings panicked"))
    }
}

fn drain(rings: &RingMaps) -> u64 {
    let of_cpu = |cpu| {
        rings.ring::<Ipv4Digest>(cpu).drain(u64::MAX, |_| {})
            + rings.ring::<Ipv6Digest>(cpu).drain(u64::MAX, |_| {})
    };
    (0..rings.plan().cpus).map(of_cpu).sum()
}
