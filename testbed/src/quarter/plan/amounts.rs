//! How many packets of a stream come on which day.

use jiff::civil::Date;

use crate::description::{Change, Description, Service, Traffic};
use crate::plan::is_up;
use crate::random;

/// By how much days differ from each other for no reason, up and down.
const UNREST: f64 = 0.06;

/// A stream's packets to one of its ports, by day.
pub struct Amounts<'a> {
    description: &'a Description,
    traffic: &'a Traffic,
    seed: u64,
}

impl<'a> Amounts<'a> {
    pub fn new(description: &'a Description, traffic: &'a Traffic, stream: usize, port: Service) -> Self {
        let seed = random::mixed(random::mixed(description.seed, stream as u64), port.port.into());
        Self { description, traffic, seed }
    }

    /// What a region, whose part is `part` of 1, sends to a sensor on each of the days. Fractions of packets are
    /// carried over to the next day, so that they come to whole ones in the end; days on which the sensor is down
    /// have none.
    pub fn by_day(&self, days: &[Date], sensor: usize, region: &str, part: f64) -> Vec<u32> {
        let name = region.bytes().fold(sensor as u64, |seed, byte| random::mixed(seed, byte.into()));
        let mut carried = random::fraction(random::mixed(self.seed, name));
        days.iter()
            .zip(0_u64..)
            .map(|(day, number)| {
                if !is_up(self.description, sensor, *day) {
                    return 0;
                }
                let unrest = 1.0 + UNREST * (2.0 * random::fraction(random::mixed(!self.seed, number)) - 1.0);
                carried += self.of_day(*day, region) * part * unrest;
                let count = carried.floor();
                carried -= count;
                // It saturates, far beyond what a capture can hold.
                count as u32
            })
            .collect()
    }

    fn of_day(&self, day: Date, region: &str) -> f64 {
        let Traffic { packets, previous, changes, .. } = self.traffic;
        if !self.description.quarter.contains(day) {
            return previous.unwrap_or(*packets);
        }
        let is_on = |change: &&Change| {
            *change.from.get_ref() <= day
                && change.to.is_none_or(|to| day < to)
                && change.regions.as_ref().is_none_or(|regions| regions.iter().any(|one| one == region))
        };
        changes.iter().filter(is_on).fold(*packets, |packets, change| packets * change.times)
    }
}
