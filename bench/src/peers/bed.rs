//! Where systems are measured, one at a time: started, sent to, asked what they have counted, and ended.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use sensor_user::interface::Interface;
use tempfile::TempDir;
use testbed::mix::Mix;
use testbed::{Bpffs, Generator, Link, Namespace, Order, Pace, Sent};

use super::packages::Packages;
use super::processes;
use super::system::{Counted, Place, System};
use super::traffic::tcp_of;

/// How long a system may take to get through what it has in its buffers.
const LONGEST_DRAIN: Duration = Duration::from_secs(10);
/// Who uses less of a processor than so much, in so long, has nothing left to do.
const IDLE: (Duration, Duration) = (Duration::from_millis(3), Duration::from_millis(150));

/// What stays the same for all systems and all traffic: their interface, and what they run with.
pub struct Bed<'a> {
    pub link: &'a Link<'a>,
    pub bpffs: &'a Bpffs,
    pub packages: &'a Packages,
    /// Whether somebody wants all of it to end.
    pub interrupted: &'a AtomicBool,
    /// The CPU that sends, and receives.
    pub send_cpu: usize,
    /// The CPU that systems' programs run on.
    pub run_cpu: usize,
    /// All that this process may use, those two too.
    pub cpus: &'a [usize],
}

/// What is sent to one system at a time.
#[derive(Clone, Copy, Debug)]
pub struct Lot {
    /// Packets per second; none for as many as one CPU can send.
    pub rate: Option<f64>,
    pub time: Duration,
}

/// What became of one lot of packets.
#[derive(Clone, Copy, Debug)]
pub struct Visit {
    /// Packets per second that were sent.
    pub rate: f64,
    /// How much of what was sent, of that which it was asked to count, it has counted.
    pub share: f64,
    /// The same of what it counted in time: who has piled packets up in memory has not kept up with them.
    pub share_in_time: f64,
    /// Processor time in the kernel per packet sent: of the generator and of whatever receives, in nanoseconds.
    pub kernel: f64,
    /// Processor time of the system's own processes per packet counted, in nanoseconds; none where it has none.
    pub process: Option<f64>,
    /// The most memory of the system's own processes, in bytes; none where it has none.
    pub memory: Option<f64>,
    /// The part of the packets that it has counted whose digests were lost; none where it makes none.
    pub digests_lost: Option<f64>,
}

/// A generator, and what it sends.
pub struct Sending {
    mix: Mix,
    generator: Generator,
}

impl Sending {
    pub fn new(mix: Mix) -> Result<Self> {
        Ok(Self { generator: Generator::new(&mix)?, mix })
    }
}

impl Bed<'_> {
    /// Starts a system, sends so many packets to it, and ends it.
    ///
    /// # Errors
    /// Where it does not start, fails, or does not say what it has counted; and where all is to end.
    pub fn visit(&self, system: &System, sending: &mut Sending, lot: Lot) -> Result<Visit> {
        let visited = self.visit_running(system, sending, lot);
        // What it has left attached would take the next system's packets.
        let bare = self.take_off();
        let visit = visited?;
        bare.with_context(|| format!("the XDP program that {} has left cannot be taken off", system.name))?;
        Ok(visit)
    }

    /// Leaves no XDP program on the interface of systems.
    fn take_off(&self) -> Result<()> {
        let end = &self.link.telescope;
        let attached = || -> Result<bool> {
            let link =
                end.namespace.within(|| Interface::find(&end.interface).and_then(|found| found.link()))??;
            Ok(link.xdp.is_some())
        };
        if attached()? {
            end.namespace.run("ip", &["link", "set", "dev", &end.interface, "xdp", "off"])?;
            ensure!(!attached()?, "it is still attached");
        }
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "rates and shares, of which only the first digits matter")]
    fn visit_running(&self, system: &System, sending: &mut Sending, lot: Lot) -> Result<Visit> {
        let namespace = self.link.telescope.namespace;
        let folder = TempDir::with_prefix("apus-peer-")?;
        let place = Place { bed: self, folder: folder.path() };
        let running = system.start(&place)?;
        // Tables are laid out, after it has said that it is ready.
        self.wait_until_idle(namespace, Duration::from_millis(1), running.polls())?;
        let running_processes = processes::inside(namespace)?;
        let (used, receiving) =
            (processes::processor_time(&running_processes), processes::receiving_thread(self.send_cpu));
        let sent = self.send(&mut sending.generator, lot)?;
        let busy_after = self.wait_until_idle(namespace, running.settles_in(), running.polls())?;
        // Some start a child when they have something to do.
        let running_processes = processes::inside(namespace)?;
        let process_time = processes::processor_time(&running_processes).saturating_sub(used);
        let kernel_time =
            sent.processor_time + processes::receiving_thread(self.send_cpu).saturating_sub(receiving);
        let memory = processes::most_memory(&running_processes);
        let Counted { packets: counted, digests_lost } = running.stop()?;
        ensure!(!self.interrupted.load(Ordering::Relaxed), "interrupted");
        let wanted = if system.only_tcp { tcp_of(&sending.mix, &sent.by_kind) } else { sent.packets };
        ensure!(counted <= wanted, "it counted {counted} packets, and {wanted} were sent");
        let share = counted as f64 / wanted.max(1) as f64;
        let nanoseconds = |time: Duration, packets: u64| time.as_nanos() as f64 / packets.max(1) as f64;
        let has_processes = !running_processes.is_empty();
        Ok(Visit {
            rate: sent.packets as f64 / sent.elapsed.as_secs_f64(),
            share,
            share_in_time: share * part_in_time(sent.elapsed, busy_after),
            kernel: nanoseconds(kernel_time, sent.packets),
            process: has_processes.then(|| nanoseconds(process_time, counted)).filter(|_| counted > 0),
            memory: has_processes.then_some(memory as f64),
            digests_lost: digests_lost.map(|lost| lost as f64 / counted.max(1) as f64),
        })
    }

    /// Sends a lot; at full rate for a time, at another a number of packets.
    fn send(&self, generator: &mut Generator, lot: Lot) -> Result<Sent> {
        let (over, sent) = (AtomicBool::new(false), AtomicBool::new(false));
        let (pace, packets) = match lot.rate {
            None => (Pace::FullSpeed, u64::MAX >> 1),
            Some(rate) => (pace(rate), packets_in(rate, lot.time)),
        };
        let order = Order { packets, pace, cpus: &[self.send_cpu], stop: Some(&over) };
        thread::scope(|scope| {
            scope.spawn(|| {
                let started = Instant::now();
                // A pace is kept for as long as it takes, or not at all: twice the time is enough for either.
                let most = if lot.rate.is_some() { lot.time * 2 } else { lot.time };
                while started.elapsed() < most
                    && !sent.load(Ordering::Relaxed)
                    && !self.interrupted.load(Ordering::Relaxed)
                {
                    thread::sleep(Duration::from_millis(5));
                }
                over.store(true, Ordering::Relaxed);
            });
            let offered = generator.offer(self.link, &order);
            sent.store(true, Ordering::Relaxed);
            Ok(offered?)
        })
    }

    /// Gives a system time for what it still has in its buffers, and says for how long it went on working.
    fn wait_until_idle(&self, namespace: &Namespace, settles_in: Duration, polls: bool) -> Result<Duration> {
        let started = Instant::now();
        let mut idle_since = None;
        let mut before = processes::processor_time(&processes::inside(namespace)?);
        while started.elapsed() < LONGEST_DRAIN && !self.interrupted.load(Ordering::Relaxed) {
            if settles_in.is_zero() || (polls && started.elapsed() >= settles_in) {
                break;
            }
            thread::sleep(IDLE.1);
            let now = processes::processor_time(&processes::inside(namespace)?);
            if !polls && now.saturating_sub(before) < IDLE.0 {
                idle_since.get_or_insert(started.elapsed());
                if started.elapsed() >= settles_in {
                    break;
                }
            }
            before = now;
        }
        Ok(if polls || settles_in.is_zero() { Duration::ZERO } else { idle_since.unwrap_or(LONGEST_DRAIN) })
    }
}

/// Who is idle within a tenth of the time that was sent for, and a moment, has kept up. Of who is not, the part counts
/// that it got through by then, had it worked evenly.
fn part_in_time(sending: Duration, busy_after: Duration) -> f64 {
    let moment = 2 * IDLE.1;
    if busy_after <= sending / 10 + moment {
        return 1.0;
    }
    let late = busy_after - moment;
    sending.as_secs_f64() / (sending + late).as_secs_f64()
}

/// A rate as the generator takes it.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rate above 1, far below the limit"
)]
fn pace(rate: f64) -> Pace {
    Pace::PacketsPerSecond(NonZeroU32::new(rate as u32).unwrap_or(NonZeroU32::MIN))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of packets")]
fn packets_in(rate: f64, time: Duration) -> u64 {
    (rate * time.as_secs_f64()) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_works_on_for_as_long_again_has_done_half_in_time() {
        let second = Duration::from_secs(1);
        assert!((part_in_time(second, Duration::ZERO) - 1.0).abs() < f64::EPSILON);
        assert!((part_in_time(second, Duration::from_millis(390)) - 1.0).abs() < f64::EPSILON);
        let half = part_in_time(second, second + 2 * IDLE.1);
        assert!((half - 0.5).abs() < 1e-9, "{half}");
    }

    #[test]
    fn a_rate_below_one_is_still_a_pace() {
        assert_eq!(pace(0.2), Pace::PacketsPerSecond(NonZeroU32::MIN));
        assert_eq!(packets_in(1e6, Duration::from_millis(2500)), 2_500_000);
    }
}
