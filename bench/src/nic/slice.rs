//! One program on the interface for a while: what came in, and what that took.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use testbed::Statistics;

use super::MOMENT;
use super::interruption::Interruption;
use super::meters::Meters;
use super::port::Port;
use super::sender::Sender;
use super::variants::Variant;

/// What there was at one moment.
struct Sample {
    at: Instant,
    interface: Statistics,
    meters: Meters,
    counted: Option<u64>,
}

impl Sample {
    fn take(port: &Port, variant: &Variant) -> Result<Self> {
        let (meters, interface) = (Meters::read()?, port.statistics()?);
        Ok(Self { at: Instant::now(), counted: variant.counted(), interface, meters })
    }
}

/// What came between two moments.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Slice {
    /// In which packets came: all of it, or as long as was sent.
    pub elapsed: Duration,
    /// By the interface's own counters.
    pub received: u64,
    pub dropped: u64,
    /// By the program, where it counts.
    pub counted: Option<u64>,
    /// By the generator, where there is one: made, and by its interface's own counter.
    pub made: u64,
    pub sent: u64,
    /// In interrupts and softirqs, of the whole machine.
    pub interrupt_ticks: u64,
}

impl Slice {
    /// Lets packets come for so long.
    pub fn measure(
        port: &Port,
        variant: &Variant,
        sender: Option<&mut Sender>,
        time: Duration,
        interruption: &Interruption,
    ) -> Result<Self> {
        let before = Sample::take(port, variant)?;
        let (mut slice, sent) = match sender {
            None => {
                wait(time, interruption)?;
                (Self::default(), None)
            }
            Some(sender) => {
                let sent_before = sender.from().statistics()?.sent;
                let sent = sender.send(port, time, interruption)?;
                let by_interface = sender.from().statistics()?.sent.saturating_sub(sent_before);
                (Self { made: sent.packets, sent: by_interface, ..Self::default() }, Some(sent.elapsed))
            }
        };
        let after = Sample::take(port, variant)?;
        slice.elapsed = sent.unwrap_or(after.at - before.at);
        slice.received = after.interface.received.saturating_sub(before.interface.received);
        slice.dropped = after.interface.received_dropped.saturating_sub(before.interface.received_dropped);
        slice.counted = after.counted.zip(before.counted).map(|(after, before)| after - before);
        slice.interrupt_ticks = after.meters.interrupt_ticks.saturating_sub(before.meters.interrupt_ticks);
        interruption.check()?;
        Ok(slice)
    }
}

fn wait(time: Duration, interruption: &Interruption) -> Result<()> {
    let deadline = Instant::now() + time;
    while let Some(left) = deadline.checked_duration_since(Instant::now()) {
        thread::sleep(MOMENT.min(left));
        interruption.check()?;
    }
    Ok(())
}
