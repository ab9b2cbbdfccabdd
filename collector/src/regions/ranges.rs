//! Regions by address, for many look-ups a second.
//!
//! Where each region begins, in order, is searched from where its upper bits say: of IPv4 the upper 16, which leave
//! some eight beginnings; of IPv6 the upper 16, too, and as nearly all that is delegated begins with one of sixty such,
//! twelve more of those. What is searched is a few lines of the processor's cache.

use crate::store::UNKNOWN;

/// Numbers that addresses are: of IPv4 all 32 bits, of IPv6 the upper 64.
pub trait Number: Copy + Ord + Default {
    const BITS: u32;

    fn to_u64(self) -> u64;
    /// The number after it, unless it is the last one.
    fn next(self) -> Option<Self>;
    fn previous(self) -> Self;
}

impl Number for u32 {
    const BITS: u32 = 32;

    fn to_u64(self) -> u64 {
        self.into()
    }

    fn next(self) -> Option<Self> {
        self.checked_add(1)
    }

    fn previous(self) -> Self {
        self.saturating_sub(1)
    }
}

impl Number for u64 {
    const BITS: u32 = 64;

    fn to_u64(self) -> u64 {
        self
    }

    fn next(self) -> Option<Self> {
        self.checked_add(1)
    }

    fn previous(self) -> Self {
        self.saturating_sub(1)
    }
}

const UPPER: u32 = 16;
const MIDDLE: u32 = 12;
/// More beginnings than this under the same upper bits are told apart by the middle ones.
const MOST: usize = 64;

/// Where each region begins.
#[derive(Clone, Debug)]
pub struct Ranges<A> {
    /// In order. The first is the first of all addresses.
    starts: Vec<A>,
    regions: Vec<[u8; 2]>,
    upper: Vec<Bucket>,
    /// For upper bits with many beginnings, by the middle bits: how many begin before.
    middle: Vec<u32>,
}

/// Beginnings with the same upper bits.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    /// How many begin before.
    from: u32,
    /// Where its middle bits are, one more than that; 0 where they are not told apart.
    middle: u32,
}

impl<A: Number> Ranges<A> {
    /// Of ranges in order of which no two have an address in common: first, last, region.
    #[must_use]
    pub fn new(ranges: impl IntoIterator<Item = (A, A, [u8; 2])>) -> Self {
        let (mut starts, mut regions) = (vec![A::default()], vec![UNKNOWN]);
        let mut begin = |start: A, region: [u8; 2]| {
            if starts.last() == Some(&start) {
                starts.pop();
                regions.pop();
            }
            if regions.last() != Some(&region) {
                starts.push(start);
                regions.push(region);
            }
        };
        for (first, last, region) in ranges {
            begin(first, region);
            if let Some(after) = last.next() {
                begin(after, UNKNOWN);
            }
        }
        let mut ranges = Self { starts, regions, upper: Vec::new(), middle: Vec::new() };
        ranges.count();
        ranges
    }

    /// Counts beginnings by their upper bits, and where they are many by their middle ones.
    fn count(&mut self) {
        let number = |place: usize| u32::try_from(place).unwrap_or(u32::MAX);
        let mut from = 0;
        for upper in 0..=1_u64 << UPPER {
            let mut bucket = Bucket { from: number(from), middle: 0 };
            let begins = |start: &A| start.to_u64() >> (A::BITS - UPPER) <= upper;
            let to = from + self.starts.get(from..).unwrap_or_default().partition_point(begins);
            if to - from > MOST {
                bucket.middle = number(self.middle.len() + 1);
                for middle in 0..=1_u64 << MIDDLE {
                    let bits = upper << MIDDLE | middle;
                    let is_before = |start: &A| start.to_u64() >> (A::BITS - UPPER - MIDDLE) < bits;
                    let place = match middle >> MIDDLE {
                        0 => from + self.starts[from..to].partition_point(is_before),
                        _ => to,
                    };
                    self.middle.push(number(place));
                }
            }
            self.upper.push(bucket);
            from = to;
        }
    }

    /// The region of an address.
    #[must_use]
    pub fn region(&self, address: A) -> [u8; 2] {
        let number = address.to_u64();
        let upper = low_bits(number >> (A::BITS - UPPER), UPPER);
        let [bucket, next] = [self.upper[upper], self.upper[upper + 1]];
        let (from, to) = match bucket.middle {
            0 => (bucket.from, next.from),
            place => {
                let middle = low_bits(number >> (A::BITS - UPPER - MIDDLE), MIDDLE);
                let place = place as usize - 1 + middle;
                (self.middle[place], self.middle[place + 1])
            }
        };
        let (from, to) = (from as usize, to as usize);
        let begun = from + self.starts[from..to].partition_point(|start| *start <= address);
        // The first beginning is that of all addresses: one has begun.
        self.regions[begun - 1]
    }

    /// How many regions begin, unknown ones included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// Whether no region is known of any address.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.starts.len() == 1
    }

    /// Bytes that it has in memory.
    #[must_use]
    pub fn memory(&self) -> usize {
        let Self { starts, regions, upper, middle } = self;
        size_of_val(&**starts) + size_of_val(&**regions) + size_of_val(&**upper) + size_of_val(&**middle)
    }
}

fn low_bits(number: u64, bits: u32) -> usize {
    usize::try_from(number & ((1 << bits) - 1)).unwrap_or(0)
}

/// Ranges that have no address in common any more, in order, of some that may: what has an address in common with
/// others is the one of the highest rank's.
pub fn apart<A: Number, R: Ord + Copy>(mut ranges: Vec<(A, A, R, [u8; 2])>) -> Vec<(A, A, [u8; 2])> {
    use std::collections::BinaryHeap;
    ranges.sort_unstable_by_key(|range| range.0);
    let mut result: Vec<(A, A, [u8; 2])> = Vec::with_capacity(ranges.len());
    // Those that have begun, the highest rank first; those that have ended are left in until they come up.
    let mut begun: BinaryHeap<(R, A, [u8; 2])> = BinaryHeap::new();
    let mut cursor = Some(A::default());
    let mut give = |cursor: &mut Option<A>, begun: &mut BinaryHeap<(R, A, [u8; 2])>, until: Option<A>| {
        while let Some(from) = *cursor {
            while begun.peek().is_some_and(|(_, last, _)| *last < from) {
                begun.pop();
            }
            let Some((_, last, region)) = begun.peek().copied() else { break };
            if until.is_some_and(|until| until <= from) {
                break;
            }
            let to = until.map_or(last, |until| last.min(until.previous()));
            result.push((from, to, region));
            *cursor = to.next();
        }
        if let (Some(until), Some(_)) = (until, *cursor) {
            *cursor = (*cursor).max(Some(until));
        }
    };
    for (first, last, rank, region) in ranges {
        give(&mut cursor, &mut begun, Some(first));
        begun.push((rank, last, region));
    }
    give(&mut cursor, &mut begun, None);
    result
}
