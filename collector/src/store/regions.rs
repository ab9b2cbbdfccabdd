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
    ///
    /// The address is read where it is. A copy would be written and at once read again in other pieces, which holds up
    /// the processor: longer than the look-up itself takes, where it is of IPv6.
    fn region(&self, address: &IpAddr) -> [u8; 2];

    /// Its version, below 2^20; kept with each sum.
    fn version(&self) -> u32;
}

/// A region's code as it is written.
#[must_use]
pub fn region_code(region: [u8; 2]) -> String {
    String::from_utf8_lossy(&region).into_owned()
}

/// A region by its code, in capital letters or not, whether it is one of today or not; nothing where it is not two
/// letters.
#[must_use]
pub fn read_region(code: &str) -> Option<[u8; 2]> {
    let letters = <[u8; 2]>::try_from(code.to_ascii_uppercase().into_bytes()).ok();
    letters.filter(|letters| letters.iter().all(u8::is_ascii_uppercase))
}

/// Numbers that regions have, that of none included.
pub const REGION_NUMBERS: usize = 26 * 26 + 1;

/// The number of a region: 0 of none that is known, else of its two letters.
#[must_use]
pub fn region_number(region: [u8; 2]) -> u16 {
    if region == UNKNOWN {
        return 0;
    }
    let [first, second] = region.map(|letter| u16::from(letter.to_ascii_uppercase().wrapping_sub(b'A')));
    if first < 26 && second < 26 { 1 + first * 26 + second } else { 0 }
}

/// The region with this number.
#[must_use]
pub fn region_of(number: u16) -> [u8; 2] {
    let letter = |number: u16| b'A' + u8::try_from(number % 26).unwrap_or(0);
    match number {
        1..=676 => [letter((number - 1) / 26), letter(number - 1)],
        _ => UNKNOWN,
    }
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
    fn region(&self, _address: &IpAddr) -> [u8; 2] {
        UNKNOWN
    }

    fn version(&self) -> u32 {
        0
    }
}
