//! Observed prefixes as the sorted, disjoint ranges that the XDP program searches.

use ipnet::IpNet;
use sensor_ebpf::abi::{Ipv4Range, Ipv6Range, OBSERVED_RANGES};

/// More ranges than the program has room for.
#[derive(Debug, thiserror::Error)]
#[error(
    "{ranges} separate IPv{version} ranges are observed, at most {OBSERVED_RANGES} fit: \
     name fewer or shorter prefixes"
)]
pub struct TooManyRanges {
    version: u8,
    ranges: usize,
}

/// What the program observes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObservedRanges {
    pub ipv4: Vec<Ipv4Range>,
    pub ipv6: Vec<Ipv6Range>,
}

impl ObservedRanges {
    /// The union of the prefixes.
    ///
    /// # Errors
    /// Where it falls into more ranges of one family than the program has room for.
    pub fn new(prefixes: &[IpNet]) -> Result<Self, TooManyRanges> {
        let (mut ipv4, mut ipv6) = (Vec::new(), Vec::new());
        // Aggregation sorts, and merges what overlaps or touches at a prefix boundary.
        for prefix in IpNet::aggregate(&prefixes.to_vec()) {
            match prefix {
                IpNet::V4(net) => {
                    ipv4.push(Ipv4Range { first: net.network().to_bits(), last: net.broadcast().to_bits() });
                }
                IpNet::V6(net) => ipv6.push(Ipv6Range {
                    first: halves(net.network().to_bits()),
                    last: halves(net.broadcast().to_bits()),
                }),
            }
        }
        ipv4.sort_by_key(|range| range.first);
        ipv6.sort_by_key(|range| range.first);
        for (version, ranges) in [(4, ipv4.len()), (6, ipv6.len())] {
            if ranges > OBSERVED_RANGES {
                return Err(TooManyRanges { version, ranges });
            }
        }
        Ok(Self { ipv4, ipv6 })
    }

    /// The ranges in the program's fixed arrays; an unused entry is an empty range.
    #[must_use]
    pub fn tables(&self) -> (Box<[Ipv4Range; OBSERVED_RANGES]>, Box<[Ipv6Range; OBSERVED_RANGES]>) {
        let mut ipv4 = Box::new([Ipv4Range { first: u32::MAX, last: 0 }; OBSERVED_RANGES]);
        let mut ipv6 = Box::new([Ipv6Range { first: [u64::MAX; 2], last: [0; 2] }; OBSERVED_RANGES]);
        ipv4.iter_mut().zip(&self.ipv4).for_each(|(entry, range)| *entry = *range);
        ipv6.iter_mut().zip(&self.ipv6).for_each(|(entry, range)| *entry = *range);
        (ipv4, ipv6)
    }
}

fn halves(address: u128) -> [u64; 2] {
    #[expect(clippy::cast_possible_truncation, reason = "the two halves are what is wanted")]
    [(address >> 64) as u64, address as u64]
}
