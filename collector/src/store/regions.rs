//! Where an address is registered.

use std::net::IpAddr;
use std::sync::Arc;

use super::Day;

/// The region of addresses of which none is known: a code that ISO 3166 leaves to its users.
pub const UNKNOWN: [u8; 2] = *b"ZZ";

/// Tells regions by day. The table of a day may become another one; sums bear the version by which they were told.
pub trait Regions: Send + Sync {
    /// The table that is in force on a day.
    ///
    /// # Errors
    /// Why it cannot be had now, and what to do about it. Nothing of that day can be stored meanwhile: it would be told
    /// of no region for good.
    fn table(&self, day: Day) -> Result<Arc<dyn RegionTable>, String>;
}

/// Tells regions by address, always the same.
pub trait RegionTable: Send + Sync {
    /// Two capital letters, as in ISO 3166-1.
    fn region(&self, address: IpAddr) -> [u8; 2];

    /// Its version, below 2^20; kept with each sum.
    fn version(&self) -> u32;
}

/// Knows of no region.
#[derive(Clone, Copy, Debug, Default)]
pub struct UnknownRegions;

impl Regions for UnknownRegions {
    fn table(&self, _day: Day) -> Result<Arc<dyn RegionTable>, String> {
        Ok(Arc::new(Self))
    }
}

impl RegionTable for UnknownRegions {
    fn region(&self, _address: IpAddr) -> [u8; 2] {
        UNKNOWN
    }

    fn version(&self) -> u32 {
        0
    }
}
