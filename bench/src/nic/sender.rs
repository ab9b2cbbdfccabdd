//! A second port that sends: only where that was asked for, and only to addresses that are for tests.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use testbed::{Generator, Order, Pace, Sent};

use super::interruption::Interruption;
use super::port::Port;
use super::{Arguments, MOMENT};
use crate::affinity;

/// How long packets may be on their way, at most, after the last was sent.
const LONGEST_FLIGHT: Duration = Duration::from_millis(500);

/// How many packets have to arrive before more are sent, and how fast these are sent.
const PROBE: u64 = 256;
const PROBE_PACE: Pace = Pace::PacketsPerSecond(NonZeroU32::MIN.saturating_add(9_999));

/// The generator at its interface.
pub struct Sender {
    generator: Generator,
    from: Port,
    cpu: usize,
    pace: Pace,
}

impl Sender {
    /// The sender that these arguments ask for, if they do and may.
    pub fn of(arguments: &Arguments, to: &Port) -> Result<Option<Self>> {
        let Some(from) = &arguments.from else {
            ensure!(
                !arguments.yes_send,
                "--yes-send allows --from to send, and there is none: name an interface"
            );
            return Ok(None);
        };
        ensure!(
            arguments.yes_send,
            "{from} would send packets at {}, to 198.18.0.0/24 (RFC 2544): give --yes-send as well where the two are \
             cabled to each other and to nothing else",
            arguments.rate.map_or_else(|| "full speed".into(), |rate| format!("{rate} packets/s")),
        );
        let from = Port::up(from)?;
        if from.index() == to.index() {
            bail!("{} cannot send to itself: --from has to be another interface", to.name());
        }
        for port in [&from, to] {
            if let Some(master) = port.master()? {
                bail!(
                    "{0} is a port of {master}, which would pass packets on to its others: \
                     `ip link set dev {0} nomaster` first, or take another interface",
                    port.name()
                );
            }
        }
        if let (Some(_), Some(version)) = (arguments.destination_mac, to.forwards()?) {
            bail!(
                "{0} passes packets on to other hosts, and with --destination-mac it might pass on these: \
                 `echo 0 > /proc/sys/net/{version}/conf/{0}/forwarding` first",
                to.name()
            );
        }
        let mut mix = arguments.traffic.mix();
        if let Some(address) = arguments.destination_mac {
            mix = mix.to_ethernet(address);
        }
        let pace = arguments.rate.map_or(Pace::FullSpeed, Pace::PacketsPerSecond);
        let cpu = match arguments.send_cpu {
            Some(cpu) => cpu,
            None => affinity::allowed()?[0],
        };
        Ok(Some(Self { generator: Generator::new(&mix)?, from, cpu, pace }))
    }

    /// Sends a few packets first, which have to arrive.
    pub fn probe(&mut self, to: &Port, interruption: &Interruption) -> Result<()> {
        let before = to.statistics()?.received;
        let few = Order { packets: PROBE, pace: PROBE_PACE, cpus: &[self.cpu], stop: None };
        let sent = self.generator.send_out(self.from.index(), &few);
        let sent = sent.with_context(|| format!("{} does not send", self.from.name()))?.packets;
        let deadline = Instant::now() + LONGEST_FLIGHT;
        loop {
            interruption.check()?;
            let arrived = to.statistics()?.received.saturating_sub(before);
            if arrived >= sent {
                return Ok(());
            }
            ensure!(
                Instant::now() < deadline,
                "of {sent} packets that {from} sent, {arrived} came in by {to}: are the two cabled to each other, and does \
                 the driver of {from} send what a program redirects to it? Some do so only with a program of their own or, \
                 as veth, with GRO at the far end",
                from = self.from.name(),
                to = to.name()
            );
            thread::sleep(MOMENT);
        }
    }

    pub fn from(&self) -> &Port {
        &self.from
    }

    /// Sends for so long, and waits until nothing more arrives.
    pub fn send(&mut self, to: &Port, time: Duration, interruption: &Interruption) -> Result<Sent> {
        let Self { generator, from, cpu, pace } = self;
        let (stop, cpus) = (AtomicBool::new(false), [*cpu]);
        let order = Order { packets: u64::MAX >> 1, pace: *pace, cpus: &cpus, stop: Some(&stop) };
        let sent = thread::scope(|scope| {
            let (index, order) = (from.index(), &order);
            let sending = scope.spawn(move || generator.send_out(index, order));
            let deadline = Instant::now() + time;
            let mut interrupted = Ok(());
            while Instant::now() < deadline && interrupted.is_ok() && !sending.is_finished() {
                thread::sleep(MOMENT.min(deadline.saturating_duration_since(Instant::now())));
                interrupted = interruption.check();
            }
            stop.store(true, Ordering::Relaxed);
            let sent = sending.join().map_err(|_| anyhow!("the generator panicked"))?;
            interrupted?;
            sent.with_context(|| format!("{} does not send", from.name()))
        })?;
        let (mut last, deadline) = (to.statistics()?, Instant::now() + LONGEST_FLIGHT);
        while Instant::now() < deadline {
            thread::sleep(MOMENT);
            let now = to.statistics()?;
            if now.received == last.received {
                break;
            }
            last = now;
        }
        Ok(sent)
    }
}

/// An Ethernet address of one device.
pub fn ethernet_address(text: &str) -> Result<[u8; 6], String> {
    let mut address = [0; 6];
    let parts: Vec<&str> = text.split(':').collect();
    // A sign would be read as part of a number.
    let is_byte = |part: &&str| part.len() == 2 && part.bytes().all(|digit| digit.is_ascii_hexdigit());
    if parts.len() != address.len() || !parts.iter().all(is_byte) {
        return Err("six bytes in hexadecimal, as in 02:00:00:00:00:02".into());
    }
    for (byte, part) in address.iter_mut().zip(parts) {
        *byte = u8::from_str_radix(part, 16).map_err(|error| format!("{part}: {error}"))?;
    }
    if address[0] & 1 != 0 {
        return Err("an address of many devices, to which nothing is sent".into());
    }
    Ok(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ethernet_address_is_that_of_one_device() {
        assert_eq!(ethernet_address("02:00:00:00:00:ff"), Ok([2, 0, 0, 0, 0, 255]));
        for wrong in ["", "02:00:00:00:00", "02:00:00:00:00:0", "02:00:00:00:00:xx", "+2:00:00:00:00:00"] {
            assert!(ethernet_address(wrong).is_err(), "{wrong}");
        }
        assert!(ethernet_address("ff:ff:ff:ff:ff:ff").unwrap_err().contains("many"));
        assert!(ethernet_address("01:00:5e:00:00:01").unwrap_err().contains("many"));
    }
}
