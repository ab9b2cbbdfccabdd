//! Numbers that look random and are the same each time.

/// A number of two: what SplitMix64 makes of them (Steele, Lea and Flood, 2014).
pub const fn mixed(seed: u64, number: u64) -> u64 {
    let mut mixed = seed.wrapping_add(number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// From 0, and below 1.
pub fn fraction(mixed: u64) -> f64 {
    (mixed >> 11) as f64 / (1_u64 << 53) as f64
}

/// One number after the other.
pub struct Numbers {
    seed: u64,
    next: u64,
}

impl Numbers {
    pub const fn new(seed: u64) -> Self {
        Self { seed, next: 0 }
    }

    pub const fn next(&mut self) -> u64 {
        self.next += 1;
        mixed(self.seed, self.next)
    }

    /// The low bits of the next one.
    pub fn next_u32(&mut self) -> u32 {
        u32::try_from(self.next() & 0xffff_ffff).unwrap_or_default()
    }

    pub fn next_u16(&mut self) -> u16 {
        u16::try_from(self.next() & 0xffff).unwrap_or_default()
    }

    /// Below `end`, which is not 0.
    pub const fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// In another order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = usize::try_from(self.below(last as u64 + 1)).unwrap_or_default();
            items.swap(last, other);
        }
    }
}
