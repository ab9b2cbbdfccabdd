//! The drain: one thread that empties the rings into flows, and hands over each interval's.
//!
//! It never waits for a disk or a network. Digests say by their bank which interval they are of, so that an
//! interval's flows are exactly the packets of its counters, whenever they are read.

mod poll;

use std::io;
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use nix::errno::Errno;
use sensor_ebpf::abi::BANKS;
use sensor_ebpf::digest::{Ipv4Digest, Ipv6Digest};

use crate::affinity;
use crate::attach::unix_nanoseconds;
use crate::digests::{RingDigest, RingMaps};
use crate::flows::{Flows, Limits};
use poll::Pauses;

/// Digests that are read from one ring at once, before the others get their turn.
const BATCH: u64 = 4_096;

/// The flows of the interval that is open, and of the one that has begun behind a cut.
pub struct Drain {
    rings: RingMaps,
    limits: Limits,
    /// The bank of the open interval.
    bank: u32,
    current: Flows,
    next: Option<Flows>,
    /// The most digests that were found waiting in one ring, since the last interval: of how many.
    fullest: (u64, u64),
}

impl Drain {
    /// Begins to read. What waits in the rings, of whichever bank, is of the interval that is open: an agent
    /// before this one that got further would have read it.
    ///
    /// `bank` is the one that packets are counted in.
    #[must_use]
    pub fn new(rings: RingMaps, limits: Limits, bank: u32) -> Self {
        let current = Flows::new(&limits, None);
        let mut drain = Self { rings, limits, bank, current, next: None, fullest: (0, 0) };
        let now = unix_nanoseconds();
        let Self { rings, current, .. } = &mut drain;
        for cpu in 0..rings.plan().cpus {
            rings.ring(cpu).drain(u64::MAX, |digests| current.add_ipv4(digests, now));
            rings.ring(cpu).drain(u64::MAX, |digests| current.add_ipv6(digests, now));
        }
        drain
    }

    /// Reads what waits in every ring, but not more than a batch of each, and says how many digests that were.
    pub fn pass(&mut self, now: u64) -> u64 {
        let fullest = self.rings.fullest();
        // By the part that is full: rings of the two IP versions are not of one size.
        if u128::from(fullest.0) * u128::from(self.fullest.1)
            >= u128::from(self.fullest.0) * u128::from(fullest.1)
        {
            self.fullest = fullest;
        }
        (0..self.rings.plan().cpus).map(|cpu| self.ring(cpu, BATCH, now)).sum()
    }

    fn ring(&mut self, cpu: u32, most: u64, now: u64) -> u64 {
        self.ring_of::<Ipv4Digest>(cpu, most, |flows, digests| flows.add_ipv4(digests, now))
            + self.ring_of::<Ipv6Digest>(cpu, most, |flows, digests| flows.add_ipv6(digests, now))
    }

    /// Reads the ring of one family, and adds each run of digests to the interval that its bank is of.
    fn ring_of<D: RingDigest>(&mut self, cpu: u32, most: u64, add: impl Fn(&mut Flows, &[D])) -> u64 {
        let Self { rings, limits, bank, current, next, .. } = self;
        rings.ring::<D>(cpu).drain(most, |digests| {
            for run in digests.chunk_by(|left, right| left.bank() == right.bank()) {
                if run[0].bank() == *bank {
                    add(current, run);
                } else {
                    add(next.get_or_insert_with(|| Flows::new(limits, Some(current))), run);
                }
            }
        })
    }

    /// Ends the interval, after a cut: when no program runs any more that counts in its bank.
    pub fn finish(&mut self, now: u64) -> Finished {
        // Everything of it lies before the heads as they are now. What comes meanwhile is of the next one.
        for cpu in 0..self.rings.plan().cpus {
            self.ring(cpu, u64::MAX, now);
        }
        self.bank = (self.bank + 1) % BANKS;
        let next = self.next.take().unwrap_or_else(|| Flows::new(&self.limits, Some(&self.current)));
        let flows = std::mem::replace(&mut self.current, next);
        Finished { flows, fullest: std::mem::take(&mut self.fullest) }
    }

    /// The rings, from an agent that dies: what it has read of the open interval is gone.
    #[must_use]
    pub fn into_rings(self) -> RingMaps {
        self.rings
    }

    /// The rings.
    #[must_use]
    pub const fn rings(&self) -> &RingMaps {
        &self.rings
    }
}

/// What an interval has come to.
pub struct Finished {
    pub flows: Flows,
    /// The most digests that were found waiting in one ring, and what it holds.
    pub fullest: (u64, u64),
}

/// The thread that drains.
pub struct DrainThread {
    orders: Sender<Sender<Finished>>,
    thread: Option<JoinHandle<()>>,
}

/// Why there is no such thread, or no longer.
#[derive(Debug, thiserror::Error)]
pub enum DrainError {
    #[error("cannot start the thread that drains digests: {0}")]
    Start(io::Error),
    #[error(
        "cannot drain on CPU {cpu}: {source}; --drain-cpu names a CPU that is up and allowed to this process"
    )]
    Cpu { cpu: u32, source: Errno },
    #[error(
        "cannot drain on CPU {0}, which is not one that this process may run on: name another with --drain-cpu"
    )]
    Absent(u32),
    #[error(
        "the rings of digests are of another size than the control record says: run `apus-sensor detach`, and again"
    )]
    Rings,
    #[error("the thread that drains digests has ended, please report this")]
    Ended,
}

impl DrainThread {
    /// Starts to drain, on this CPU where one is named.
    ///
    /// # Errors
    /// Where the kernel refuses a thread, or the CPU.
    pub fn start(rings: RingMaps, limits: Limits, bank: u32, cpu: Option<u32>) -> Result<Self, DrainError> {
        let (orders, received) = bounded::<Sender<Finished>>(1);
        let (started, start) = bounded(1);
        let thread = std::thread::Builder::new()
            .name("drain".into())
            .spawn(move || {
                // What waits in the rings is read before anybody may cut: it is of the interval that is open.
                let drain = cpu.map_or(Ok(()), pin).map(|()| Drain::new(rings, limits, bank));
                let (drain, said) = match drain {
                    Ok(drain) => (Some(drain), Ok(())),
                    Err(error) => (None, Err(error)),
                };
                // Somebody waits for it, right below.
                let _heard = started.send(said);
                if let Some(drain) = drain {
                    run(drain, &received);
                }
            })
            .map_err(DrainError::Start)?;
        start.recv().map_err(|_| DrainError::Ended)??;
        Ok(Self { orders, thread: Some(thread) })
    }

    /// Ends the interval, after a cut.
    ///
    /// # Errors
    /// Where the thread is gone.
    pub fn finish(&self) -> Result<Finished, DrainError> {
        let (reply, finished) = bounded(1);
        self.orders.send(reply).map_err(|_| DrainError::Ended)?;
        finished.recv().map_err(|_| DrainError::Ended)
    }
}

impl Drop for DrainThread {
    fn drop(&mut self) {
        // A thread that is told nothing more ends.
        let (closed, _) = bounded(0);
        self.orders = closed;
        if let Some(thread) = self.thread.take() {
            let _panicked_and_said_so = thread.join();
        }
    }
}

/// Whether this process may run on the CPU at all: to be asked before anything is attached.
///
/// # Errors
/// Where it may not.
pub fn check_cpu(cpu: Option<u32>) -> Result<(), DrainError> {
    match cpu.map(|cpu| (cpu, affinity::is_allowed(cpu))) {
        None | Some((_, Ok(true))) => Ok(()),
        Some((cpu, Ok(false))) => Err(DrainError::Absent(cpu)),
        Some((cpu, Err(source))) => Err(DrainError::Cpu { cpu, source }),
    }
}

fn pin(cpu: u32) -> Result<(), DrainError> {
    affinity::stay_on(cpu).map_err(|source| DrainError::Cpu { cpu, source })
}

fn run(mut drain: Drain, orders: &Receiver<Sender<Finished>>) {
    let mut pauses = Pauses::new(drain.rings.plan());
    loop {
        let read = drain.pass(unix_nanoseconds());
        let pause = pauses.after(read);
        let order = if pause == Duration::ZERO {
            orders.try_recv().map_err(|error| match error {
                crossbeam_channel::TryRecvError::Empty => RecvTimeoutError::Timeout,
                crossbeam_channel::TryRecvError::Disconnected => RecvTimeoutError::Disconnected,
            })
        } else {
            orders.recv_timeout(pause)
        };
        match order {
            // Whoever asked may have gone meanwhile.
            Ok(reply) => drop(reply.send(drain.finish(unix_nanoseconds()))),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}
