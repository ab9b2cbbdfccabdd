//! From an interface's ticks to nanoseconds since 1970.

const NANOSECONDS_PER_SECOND: i128 = 1_000_000_000;

/// The clock of a pcapng interface: options `if_tsresol` and `if_tsoffset`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Clock {
    /// `if_tsresol`: bit 7 clear, ticks of 10^-n seconds; set, of 2^-n seconds; n is the lower 7 bits.
    pub(super) resolution: u8,
    /// `if_tsoffset`: seconds to add to every time.
    pub(super) offset_s: i64,
}

impl Default for Clock {
    /// What the specification gives an interface that says nothing: µs since 1970.
    fn default() -> Self {
        Self { resolution: 6, offset_s: 0 }
    }
}

impl Clock {
    /// Nanoseconds since 1970 of a packet stamped `ticks`, rounded down.
    ///
    /// No input overflows: ticks are below 2^64, so the product stays below 2^94.
    pub(super) fn unix_ns(self, ticks: u64) -> i128 {
        let exponent = u32::from(self.resolution & 0x7f);
        let since_offset = if self.resolution & 0x80 != 0 {
            (i128::from(ticks) * NANOSECONDS_PER_SECOND) >> exponent
        } else if exponent <= 9 {
            i128::from(ticks) * 10_i128.pow(9 - exponent)
        } else {
            // A divisor beyond i128 is also beyond every tick count.
            10_i128.checked_pow(exponent - 9).map_or(0, |divisor| i128::from(ticks) / divisor)
        };
        i128::from(self.offset_s) * NANOSECONDS_PER_SECOND + since_offset
    }
}
