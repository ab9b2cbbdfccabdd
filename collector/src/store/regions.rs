//! Where an address is registered.

use std::net::IpAddr;

use super::Day;

/// The region of addresses of which none is known: a code that ISO 3166 leaves to its users.
pub const UNKNOWN: [u8; 2] = *b"ZZ";

/// Tells regions by address. What it says of a day must not change, or rollups of that day mean two things.
pub trait Regions: Send + Sync {
    /// Two capital letters, as in ISO 3166-1.
    fn region(&self, address: IpAddr, day: Day) -> [u8; 2];

    /// Version of the table that it tells regions of that day by, below 2^20; kept with each sum.
    fn version(&self, day: Day) -> u32;
}

/// Knows of no region.
#[derive(Clone, Copy, Debug, Default)]
pub struct UnknownRegions;

impl Regions for UnknownRegions {
    fn region(&self, _address: IpAddr, _day: Day) -> [u8; 2] {
        UNKNOWN
    }

    fn version(&self, _day: Day) -> u32 {
        0
    }
}
