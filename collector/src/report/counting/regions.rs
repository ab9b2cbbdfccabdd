//! Regions as places in a list, for who adds up millions of rows by region.

use crate::store::{REGION_NUMBERS, region_code, region_number, region_of};

/// Places: of each two letters, and of what is none of them.
pub const REGIONS: usize = REGION_NUMBERS;

/// The place of a region; of what is not two letters, or unknown, the last.
#[must_use]
pub fn number(region: [u8; 2]) -> usize {
    usize::from(region_number(region)).checked_sub(1).unwrap_or(REGIONS - 1)
}

/// The region at a place.
#[must_use]
pub fn with_number(number: usize) -> [u8; 2] {
    region_of(u16::try_from(number + 1).unwrap_or(0))
}

/// Its code.
#[must_use]
pub fn code(number: usize) -> String {
    region_code(with_number(number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::UNKNOWN;

    #[test]
    fn regions_have_places() {
        for region in [*b"AA", *b"JP", *b"ZW", UNKNOWN] {
            assert_eq!(with_number(number(region)), region);
            assert!(number(region) < REGIONS);
        }
        assert_eq!(with_number(number(*b"?1")), UNKNOWN);
    }
}
