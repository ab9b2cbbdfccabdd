//! A list of prefixes and addresses.

use std::net::IpAddr;

use files::values::parse_prefix;
use ipnet::IpNet;

/// Addresses of both families.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct List {
    v4: Ranges<u32>,
    v6: Ranges<u128>,
}

/// Ranges in their order, their first and last addresses; no two have an address in common.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Ranges<A>(Vec<(A, A)>);

impl List {
    /// Reads a list: a prefix or an address on a line, and comments from `#` on.
    ///
    /// # Errors
    /// The number of the first line that is neither, and what is wrong with it.
    pub fn parse(content: &[u8]) -> Result<Self, (usize, String)> {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for (number, bytes) in (1..).zip(content.split(|byte| *byte == b'\n')) {
            // A comment may be in whatever encoding.
            let written = bytes.split(|byte| *byte == b'#').next().unwrap_or_default().trim_ascii();
            if written.is_empty() {
                continue;
            }
            let prefix =
                std::str::from_utf8(written).map_err(|_| "it is not text".into()).and_then(parse_prefix);
            match prefix.map_err(|what| (number, what))? {
                IpNet::V4(net) => v4.push((net.network().to_bits(), net.broadcast().to_bits())),
                IpNet::V6(net) => v6.push((net.network().to_bits(), net.broadcast().to_bits())),
            }
        }
        Ok(Self { v4: Ranges::new(v4), v6: Ranges::new(v6) })
    }

    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(address) => self.v4.contains(address.to_bits()),
            IpAddr::V6(address) => self.v6.contains(address.to_bits()),
        }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.v4.0.is_empty() && self.v6.0.is_empty()
    }
}

impl<A: Copy + Ord> Ranges<A> {
    fn new(mut ranges: Vec<(A, A)>) -> Self {
        ranges.sort_unstable();
        let mut apart: Vec<(A, A)> = Vec::with_capacity(ranges.len());
        for (first, last) in ranges {
            match apart.last_mut() {
                Some(before) if first <= before.1 => before.1 = before.1.max(last),
                _ => apart.push((first, last)),
            }
        }
        Self(apart)
    }

    fn contains(&self, address: A) -> bool {
        let begun = self.0.partition_point(|(first, _)| *first <= address);
        begun.checked_sub(1).and_then(|place| self.0.get(place)).is_some_and(|(_, last)| address <= *last)
    }
}
