//! Sets of addresses that may be of most of IPv4.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv6Addr};

/// Addresses of IPv6 that a set has room for: some 150 MiB. Whoever has a /64 can send from more than any memory holds.
pub const MOST_IPV6: usize = 7_000_000;

/// Distinct addresses. Of IPv4 at most some 512 MiB, and some three bytes each where they are few in their /16; of IPv6
/// no more than [`MOST_IPV6`].
#[derive(Clone, Debug)]
pub struct AddressSet {
    /// By the first half of the address.
    v4: Vec<Half>,
    v6: HashSet<Ipv6Addr>,
    most_v6: usize,
    is_full: bool,
    count: u64,
}

impl Default for AddressSet {
    fn default() -> Self {
        Self::with_most_v6(MOST_IPV6)
    }
}

/// The second halves of addresses.
#[derive(Clone, Debug)]
enum Half {
    /// In order.
    Few(Vec<u16>),
    Many(Box<[u64; WORDS]>),
}

const WORDS: usize = 1024;
/// As many take as much room as a bit for each.
const FEW: usize = 4096;

impl AddressSet {
    fn with_most_v6(most_v6: usize) -> Self {
        Self { v4: Vec::new(), v6: HashSet::new(), most_v6, is_full: false, count: 0 }
    }

    /// Whether it was not there, and is now.
    pub fn insert(&mut self, address: IpAddr) -> bool {
        let is_new = match address {
            IpAddr::V6(address) if self.v6.len() >= self.most_v6 => {
                self.is_full |= !self.v6.contains(&address);
                false
            }
            IpAddr::V6(address) => self.v6.insert(address),
            IpAddr::V4(address) => {
                if self.v4.is_empty() {
                    self.v4 = vec![Half::Few(Vec::new()); 1 << 16];
                }
                let [first, second, third, fourth] = address.octets();
                let half = &mut self.v4[usize::from(u16::from_be_bytes([first, second]))];
                half.insert(u16::from_be_bytes([third, fourth]))
            }
        };
        self.count += u64::from(is_new);
        is_new
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.count
    }

    /// Whether there was no room for some, so that there are more than are counted.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.is_full
    }

    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }
}

impl Half {
    fn insert(&mut self, low: u16) -> bool {
        let bit = |low: u16| (usize::from(low) / 64, 1_u64 << (low % 64));
        match self {
            Self::Few(few) => {
                let Err(place) = few.binary_search(&low) else { return false };
                if few.len() == FEW {
                    let mut many = Box::new([0; WORDS]);
                    for low in few.iter().chain([&low]) {
                        let (word, bit) = bit(*low);
                        many[word] |= bit;
                    }
                    *self = Self::Many(many);
                } else {
                    few.insert(place, low);
                }
                true
            }
            Self::Many(many) => {
                let (word, bit) = bit(low);
                let is_new = many[word] & bit == 0;
                many[word] |= bit;
                is_new
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn many_of_one_prefix_are_counted_once_each() {
        let mut set = AddressSet::default();
        for round in 0..2 {
            for low in 0..10_000_u32 {
                let address = Ipv4Addr::from_bits(0xc0a8_0000 + low * 3);
                assert_eq!(set.insert(address.into()), round == 0);
            }
        }
        assert_eq!((set.len(), set.is_empty()), (10_000, false));
    }

    #[test]
    fn of_ipv6_there_are_so_many_and_no_more() {
        let mut set = AddressSet::with_most_v6(3);
        let address = |low: u128| IpAddr::V6(Ipv6Addr::from_bits(low));
        assert!((0..3).all(|low| set.insert(address(low))) && !set.insert(address(1)));
        assert!(!set.is_full());
        assert!(!set.insert(address(3)) && set.is_full() && set.insert(IpAddr::V4(Ipv4Addr::LOCALHOST)));
        assert_eq!(set.len(), 4);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn it_is_a_set(addresses in proptest::collection::vec(any::<IpAddr>(), 0..200)) {
            let (mut set, mut model) = (AddressSet::default(), HashSet::new());
            for address in addresses.iter().chain(&addresses) {
                prop_assert_eq!(set.insert(*address), model.insert(*address));
            }
            prop_assert_eq!(set.len(), model.len() as u64);
        }
    }
}
