//! Which addresses send a stream's packets.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};

use crate::description::Traffic;
use crate::registry::{self, Allocation};

/// One source in so many is replaced each day.
const REPLACED: u32 = 4;

/// How many addresses of each region are taken.
#[derive(Default)]
pub struct Pools {
    taken: BTreeMap<String, u32>,
}

/// The addresses of a stream in a region.
pub struct Pool {
    allocation: Allocation,
    is_group: bool,
    first: u32,
    at_a_time: u32,
    replaced: u32,
}

impl Pools {
    /// Addresses that no other stream has.
    ///
    /// # Errors
    /// Where the region is none.
    pub fn take(&mut self, region: &str, traffic: &Traffic, days: usize) -> Result<Pool> {
        let allocation = registry::of(region).with_context(|| format!("{region} has no addresses"))?;
        let at_a_time = traffic.sources;
        let is_group = traffic.group.is_some();
        let taken = self.taken.entry(region.to_owned()).or_default();
        let first = if is_group { 0 } else { *taken };
        let replaced = if traffic.lasting { 0 } else { at_a_time.div_ceil(REPLACED) };
        if !is_group {
            *taken += at_a_time + replaced * u32::try_from(days)?;
        }
        Ok(Pool { allocation, is_group, first, at_a_time, replaced })
    }
}

impl Pool {
    /// The source of a day's packet.
    ///
    /// # Errors
    /// Where the region has too few addresses.
    pub fn source(&self, day: u32, packet: u32) -> Result<u32> {
        let Self { allocation, is_group, first, at_a_time, replaced } = *self;
        let number = first + day * replaced + packet % at_a_time;
        if is_group { Ok(allocation.group_source(number)) } else { allocation.source(number) }
    }
}
