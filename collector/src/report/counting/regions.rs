//! Regions as places in a list, for who adds up millions of rows by region.

use crate::report::section::region_code;
use crate::store::UNKNOWN;

/// Letters of a region's code, and what is none of them.
pub const REGIONS: usize = 26 * 26 + 1;

/// The place of a region; of what is not two letters, or unknown, the last.
#[must_use]
pub fn number(region: [u8; 2]) -> usize {
    let [first, second] = region.map(|letter| usize::from(letter.wrapping_sub(b'A')));
    let is_known = first < 26 && second < 26 && region != UNKNOWN;
    if is_known { first * 26 + second } else { REGIONS - 1 }
}

/// The region at a place.
#[must_use]
pub fn with_number(number: usize) -> [u8; 2] {
    let letter = |number: usize| b'A' + u8::try_from(number % 26).unwrap_or(0);
    if number < REGIONS - 1 { [letter(number / 26), letter(number)] } else { UNKNOWN }
}

/// Its code.
#[must_use]
pub fn code(number: usize) -> String {
    region_code(with_number(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_have_places() {
        for region in [*b"AA", *b"JP", *b"ZW", UNKNOWN] {
            assert_eq!(with_number(number(region)), region);
            assert!(number(region) < REGIONS);
        }
        assert_eq!(with_number(number(*b"?1")), UNKNOWN);
    }
}
