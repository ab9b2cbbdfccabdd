//! `bench nic`: an operator's own NIC, with its own traffic or with what a second port sends.
//!
//! Every program that is attached passes every packet on to the host. It hangs on a link that this process holds and
//! that is pinned nowhere: however the process ends, the kernel detaches it.

mod attached;
mod interruption;
mod meters;
mod port;
mod report;
mod sender;
mod slice;
mod variants;

use std::num::NonZeroU32;
use std::time::Duration;

use anyhow::{Result, ensure};
use clap::Args;
use ipnet::IpNet;
use sensor_user::config::Mode;

use crate::draining::Draining;
use crate::kernel::Traffic;
use crate::results::{self, Measurement};
use attached::Attached;
use interruption::Interruption;
use port::Port;
use report::Report;
use sender::Sender;
use slice::Slice;
use variants::Variant;

/// How often is looked whether something has come to its end.
const MOMENT: Duration = Duration::from_millis(20);

/// Measures on a real interface, whose packets all pass: packets per second, CPU per packet, drops
#[derive(Args)]
pub struct Arguments {
    /// The interface that packets come in by
    #[arg(short, long)]
    interface: String,
    /// An interface to send packets from, cabled to the other [default: whatever comes from outside]
    #[arg(long)]
    from: Option<String>,
    /// Allow packets to be sent from it
    #[arg(long)]
    yes_send: bool,
    /// Ethernet address that is sent to [default: 02:00:00:00:00:02, which no device has]
    #[arg(long, value_parser = sender::ethernet_address)]
    destination_mac: Option<[u8; 6]>,
    /// Packets per second that are sent [default: as many as the machine gives]
    #[arg(long)]
    rate: Option<NonZeroU32>,
    /// What the sent packets are
    #[arg(long, value_enum, default_value_t = Traffic::Uniform)]
    traffic: Traffic,
    /// CPU that sends [default: the first that this process may use]
    #[arg(long)]
    send_cpu: Option<usize>,
    /// CPU that digests are drained on [default: any]
    #[arg(long)]
    drain_cpu: Option<u32>,
    /// Destination prefixes that the sensor observes; may be repeated [default: every destination]
    #[arg(long, value_name = "PREFIX")]
    observed: Vec<IpNet>,
    /// Where the programs run
    #[arg(long, value_enum, default_value_t = Mode::Auto)]
    mode: Mode,
    /// Rounds; in each, every program is attached once, in turn
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// How long each of them is attached in a round
    #[arg(long, default_value = "1", value_parser = seconds)]
    seconds: Duration,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    results::show(&measure(arguments)?, arguments.json)
}

/// Measures each program on the interface, and leaves nothing attached.
pub fn measure(arguments: &Arguments) -> Result<Measurement> {
    let interruption = Interruption::listen()?;
    let port = Port::open(&arguments.interface)?;
    let mut sender = Sender::of(arguments, &port)?;
    let variants = Variant::all(&arguments.observed, arguments.drain_cpu)?;
    let parked = variants::bare_pass()?;
    let attached = Attached::new(&port, arguments.mode, &parked)?;
    if let Some(sender) = &mut sender {
        sender.probe(&port, &interruption)?;
    }
    let mut report = Report::new(&port, attached.mode(), sender.as_ref(), &variants)?;
    // A first round, to fill caches and branch predictors, is not counted.
    for round in 0..=arguments.rounds {
        for (place, variant) in variants.iter().enumerate() {
            let draining = variant.start()?;
            attached.show(variant.program())?;
            let slice = Slice::measure(&port, variant, sender.as_mut(), arguments.seconds, &interruption)?;
            // A sensor's rings are read to their end only when nothing more comes into them.
            attached.show(&parked)?;
            let drained = draining.map(Draining::finish).transpose()?;
            report.note(place, &slice, drained.as_ref(), round > 0);
        }
    }
    // Whoever comes after may attach a program of his own at once.
    let own = port.program()?.and_then(|program| program.identifier);
    drop(attached);
    let left = port.program()?.and_then(|program| program.identifier);
    ensure!(own.is_none() || left != own, "the program is still attached to {}", port.name());
    report.measurement(&port)
}

/// A time that is neither nothing nor forever.
fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|error| format!("{error}"))?;
    if !(0.05..=3600.0).contains(&seconds) {
        return Err("from 0.05 to 3600 seconds".into());
    }
    Ok(Duration::from_secs_f64(seconds))
}
