//! Which sizes are visited.

use std::iter::successors;

/// One, and each time as many times more as the factor, below the most; and the most.
pub fn up_to(most: u32, factor: u32) -> Vec<u32> {
    let below = successors(Some(1_u32), |size| size.checked_mul(factor)).take_while(|size| *size < most);
    below.chain([most]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_grow_by_the_factor_and_end_with_the_most() {
        assert_eq!(up_to(1, 2), [1]);
        assert_eq!(up_to(2, 2), [1, 2]);
        assert_eq!(up_to(6, 2), [1, 2, 4, 6]);
        assert_eq!(up_to(64, 2), [1, 2, 4, 8, 16, 32, 64]);
        assert_eq!(up_to(10, 10), [1, 10]);
        assert_eq!(up_to(25_000, 10), [1, 10, 100, 1_000, 10_000, 25_000]);
        assert_eq!(up_to(u32::MAX, 10).len(), 11);
    }
}
