//! Observed prefixes, up to as many as fit.
//!
//! Destinations are any of 16,384 addresses, of which every second block is observed, so that at each number of
//! prefixes one half of the packets is: what differs is the search alone, which no branch predictor foresees.

use std::net::{Ipv4Addr, Ipv6Addr};

use anyhow::{Context as _, Result, ensure};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use sensor_ebpf::abi::OBSERVED_RANGES;
use sensor_user::config::Options;

use super::growth::{Growth, Kind, Work};
use super::mixes::{BITS, IPV4, IPV6, to_many_ipv4, to_many_ipv6};
use super::under_test::{Beside, Sensor, unobserved_part};
use super::{Dimension, Extent, Outcome};
use crate::results::{Better, Scale};

/// As powers of two.
const SIZES: [u8; 6] = [0, 2, 4, 6, 8, 10];
const _: () = assert!(1 << SIZES[SIZES.len() - 1] == OBSERVED_RANGES);

pub struct Prefixes {
    families: [Family; 2],
    growth: Growth,
}

struct Family {
    beside: Beside,
    sensors: Vec<Sensor>,
}

impl Prefixes {
    pub fn new(extent: Extent, cpu: usize) -> Result<Self> {
        let family = |mix: &testbed::mix::Mix, prefix: fn(u16, u8) -> Result<IpNet>| {
            let sensors = SIZES.iter().map(|power| {
                let observed = (0..1_u16 << power).map(|number| prefix(number, *power));
                let observed = Some(observed.collect::<Result<_>>()?);
                Sensor::load(Options { observed, digests: Some(false), ..Options::default() }, cpu)
            });
            let sensors = sensors.collect::<Result<_>>()?;
            anyhow::Ok(Family { beside: Beside::new(mix, extent.packets)?, sensors })
        };
        let kind = Kind {
            name: "prefixes",
            title: "Observed prefixes, above the bare drop",
            unit: "ns per packet",
            better: Better::Lower,
            work: Work::Same,
            size: "prefixes",
            sizes_scale: Scale::Logarithmic,
            scale: Scale::Linear,
        };
        Ok(Self {
            families: [family(&to_many_ipv4(), ipv4_prefix)?, family(&to_many_ipv6(), ipv6_prefix)?],
            growth: Growth::new(kind, &["IPv4", "IPv6"], &SIZES.map(|power| f64::from(1_u16 << power))),
        })
    }
}

impl Dimension for Prefixes {
    fn round(&mut self, counts: bool) -> Result<()> {
        for (line, Family { beside, sensors }) in self.families.iter_mut().enumerate() {
            let drop = beside.drop()?;
            for (place, sensor) in sensors.iter_mut().enumerate() {
                let cost = beside.sensor(sensor)? - drop;
                if counts {
                    self.growth.note(line, place, cost);
                }
            }
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Outcome> {
        let mut packets = 0;
        for Family { sensors, .. } in &self.families {
            for (sensor, power) in sensors.iter().zip(SIZES) {
                let totals = sensor.totals()?;
                let unobserved = unobserved_part(&totals);
                ensure!(
                    (0.4..0.6).contains(&unobserved),
                    "of {} prefixes one half of the packets is for, and {:.1} % were not observed",
                    1 << power,
                    unobserved * 100.0
                );
                packets += totals.packets;
            }
        }
        let checked = format!(
            "{packets} packets to any of 16,384 addresses: one half observed at each number of prefixes"
        );
        Ok(Outcome { growths: vec![self.growth], checked: vec![checked], warnings: Vec::new() })
    }
}

/// Every second block of as many as there are twice as many of: no two of them touch.
fn ipv4_prefix(number: u16, power: u8) -> Result<IpNet> {
    let first = u32::from_be_bytes(IPV4) + offset(number, power);
    Ok(Ipv4Net::new(Ipv4Addr::from_bits(first), length(32, power))?.into())
}

fn ipv6_prefix(number: u16, power: u8) -> Result<IpNet> {
    let first = u128::from_be_bytes(IPV6) + u128::from(offset(number, power));
    Ok(Ipv6Net::new(Ipv6Addr::from_bits(first), length(128, power)).context("a prefix")?.into())
}

fn offset(number: u16, power: u8) -> u32 {
    u32::from(number) << (BITS - power)
}

fn length(bits: u8, power: u8) -> u8 {
    bits - (BITS - 1 - power)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_separate_and_one_half_of_the_addresses() {
        for power in SIZES {
            for (bits, prefix) in [(32, ipv4_prefix as fn(u16, u8) -> Result<IpNet>), (128, ipv6_prefix)] {
                let prefixes: Vec<IpNet> =
                    (0..1 << power).map(|number| prefix(number, power).unwrap()).collect();
                assert_eq!(IpNet::aggregate(&prefixes).len(), 1 << power);
                let addresses: u32 =
                    prefixes.iter().map(|prefix| 1 << (bits - u32::from(prefix.prefix_len()))).sum();
                assert_eq!(addresses, 1 << (BITS - 1));
            }
        }
    }
}
