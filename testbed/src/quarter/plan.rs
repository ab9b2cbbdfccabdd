//! All packets of a quarter and of the one before, decided before any is sent: what everything else is compared with.

mod amounts;
mod sources;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use jiff::civil::Date;

use crate::description::{Description, Service, Traffic};
use amounts::Amounts;
use sources::{Pool, Pools};

/// One packet that is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Its day, as a place in [`Plan::days`].
    pub day: u16,
    /// As places in the description.
    pub sensor: u8,
    pub stream: u16,
    pub port: Service,
    pub region: [u8; 2],
    pub source: u32,
}

/// A quarter with its packets.
pub struct Plan {
    pub description: Description,
    /// Those of the quarter before, then the quarter's.
    pub days: Vec<Date>,
    /// By stream, region, port, sensor, day.
    pub packets: Vec<Packet>,
}

impl Plan {
    /// # Errors
    /// Where the description wants more sources than a region has.
    pub fn new(description: Description) -> Result<Self> {
        let days = description.quarter.days();
        let mut packets = Vec::new();
        let mut pools = Pools::default();
        for (stream, traffic) in description.traffic.iter().enumerate() {
            let traffic = traffic.get_ref();
            for (region, part) in parts(&description, traffic) {
                let code = [region.as_bytes()[0], region.as_bytes()[1]];
                let pool = pools.take(region, traffic, days.len())?;
                for port in &traffic.ports {
                    let amounts = Amounts::new(&description, traffic, stream, *port);
                    for sensor in 0..description.sensors.len() {
                        let of = Packet {
                            day: 0,
                            sensor: u8::try_from(sensor)?,
                            stream: u16::try_from(stream)?,
                            port: *port,
                            region: code,
                            source: 0,
                        };
                        for (day, count) in (0..).zip(amounts.by_day(&days, sensor, region, part)) {
                            send(&mut packets, Packet { day, ..of }, count, &pool)?;
                        }
                    }
                }
            }
        }
        Ok(Self { description, days, packets })
    }

    pub fn stream(&self, packet: &Packet) -> &Traffic {
        self.description.traffic[usize::from(packet.stream)].get_ref()
    }

    pub fn sensor(&self, packet: &Packet) -> &str {
        &self.description.sensors[usize::from(packet.sensor)].get_ref().name
    }

    pub fn day(&self, packet: &Packet) -> Date {
        self.days[usize::from(packet.day)]
    }

    /// Whether a packet is of the quarter itself.
    pub fn is_now(&self, packet: &Packet) -> bool {
        self.description.quarter.contains(self.day(packet))
    }

    /// Packets by what they are told apart by; those without are left out.
    pub fn count<K: Ord>(&self, key: impl Fn(&Packet) -> Option<K>) -> BTreeMap<K, u64> {
        let mut counts = BTreeMap::new();
        for key in self.packets.iter().filter_map(key) {
            *counts.entry(key).or_default() += 1;
        }
        counts
    }

    /// Different sources by the same.
    pub fn sources<K: Ord>(&self, key: impl Fn(&Packet) -> Option<K>) -> BTreeMap<K, BTreeSet<u32>> {
        let mut sources: BTreeMap<K, BTreeSet<u32>> = BTreeMap::new();
        for packet in &self.packets {
            if let Some(key) = key(packet) {
                sources.entry(key).or_default().insert(packet.source);
            }
        }
        sources
    }

    /// Days on which a sensor is up.
    pub fn is_up(&self, sensor: usize, day: Date) -> bool {
        is_up(&self.description, sensor, day)
    }
}

pub fn is_up(description: &Description, sensor: usize, day: Date) -> bool {
    !description.sensors[sensor].get_ref().down.iter().any(|down| (down.from..down.to).contains(&day))
}

/// Regions and what part of a stream's packets is theirs, of 1.
fn parts<'a>(description: &'a Description, traffic: &'a Traffic) -> Vec<(&'a str, f64)> {
    let parts = traffic.regions.as_ref().unwrap_or(&description.background);
    let all: f64 = parts.values().sum();
    parts.iter().map(|(region, part)| (region.get_ref().as_str(), part / all)).collect()
}

/// A day's packets at one sensor. Its sources go on where those of the sensor before it ended, so that the more packets
/// there are, the more sources are seen.
fn send(packets: &mut Vec<Packet>, of: Packet, count: u32, pool: &Pool) -> Result<()> {
    for number in 0..count {
        let place = u32::from(of.sensor) * count + number;
        packets.push(Packet { source: pool.source(u32::from(of.day), place)?, ..of });
    }
    Ok(())
}
