//! The time in which traffic flows.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use testbed::{Agent, Collector, Generator, Link, Order, Pace, Sent};

use crate::interruption::Interruption;
use crate::screen::Screen;

const MOMENT: Duration = Duration::from_millis(50);

/// What is to be shown.
pub struct Live {
    pub length: Duration,
    pub pace: Pace,
    pub screen: Screen,
}

/// Raises a flag at the latest when it goes out of scope, lest a scope wait for a thread for ever.
struct StopOnDrop<'a>(&'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Live {
    /// Sends until the time is over, or somebody interrupts, and shows what the agent says meanwhile.
    pub fn run(
        mut self,
        generator: &mut Generator,
        link: &Link<'_>,
        agent: &mut Agent,
        collector: &Collector<'_>,
        interruption: &Interruption,
    ) -> Result<Sent> {
        let (stop, progress) = (AtomicBool::new(false), generator.progress());
        let order = Order { pace: self.pace, stop: Some(&stop), ..Order::packets(u64::MAX) };
        thread::scope(|scope| {
            let stop = StopOnDrop(&stop);
            let sending = scope.spawn(|| generator.send(link, &order));
            let started = Instant::now();
            while started.elapsed() < self.length && !interruption.has_come() && !sending.is_finished() {
                agent.listen()?;
                let (sent, elapsed) = (progress.packets(), started.elapsed());
                // A moment in which the store does not answer is no reason to stop.
                let stored = || collector.packets().unwrap_or_default();
                self.screen.show(agent.intervals(), sent, elapsed, self.length, stored)?;
                thread::sleep(MOMENT);
            }
            drop(stop);
            Ok(sending.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?)
        })
    }
}
