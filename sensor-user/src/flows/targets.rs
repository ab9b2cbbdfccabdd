//! How many distinct observed addresses a flow has knocked at.
//!
//! Up to 14 are kept, and counted exactly. For more there is a block of 256 bytes: where at most 2,048
//! addresses of that IP version are observed, a bit for each of them, exact again; else a HyperLogLog
//! sketch (Flajolet et al. 2007) of 256 registers, whose standard error is 1.04/√256 = 6.5 %.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;

use wire::Counted;

use super::huge;
use super::table::prefetch;
use crate::digests::Address;
use crate::prefixes::ObservedRanges;

/// Addresses that are kept as they are.
const KEPT: usize = 14;
/// Bytes of a block for more, and its bits.
const BLOCK: usize = 256;
const BITS: u64 = 8 * BLOCK as u64;

/// The targets of one flow.
#[derive(Clone, Copy, Debug)]
pub struct Targets<A> {
    state: State,
    first: A,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    One,
    /// In the list with this number.
    Kept(u32),
    /// In the block with this number.
    Block(u32),
    Full,
}

/// Where targets are kept that do not fit into a flow itself.
pub struct TargetStore<A> {
    lists: Vec<List<A>>,
    unused_lists: Vec<u32>,
    blocks: Vec<[u8; BLOCK]>,
    most_blocks: usize,
    numbering: Numbering<A>,
}

#[derive(Clone, Copy)]
struct List<A> {
    length: usize,
    addresses: [A; KEPT],
}

/// A number for each observed address, where they are few.
#[derive(Clone)]
pub struct Numbering<A> {
    /// First and last address of each range, and the number of the first.
    ranges: Arc<[(A, A, u64)]>,
    hash: RandomState,
}

impl<A: Address> Numbering<A> {
    /// Numbers the observed addresses, where there are few enough for a bit each.
    #[must_use]
    pub fn new(observed: &ObservedRanges) -> Self {
        let mut ranges = Vec::new();
        let mut next = 0_u128;
        for (first, last) in A::observed(observed) {
            ranges.push((first, last, u64::try_from(next).unwrap_or(u64::MAX)));
            next = next.saturating_add(last.behind(first)).saturating_add(1);
        }
        if next > BITS.into() {
            ranges.clear();
        }
        Self { ranges: ranges.into(), hash: RandomState::new() }
    }

    fn is_exact(&self) -> bool {
        !self.ranges.is_empty()
    }

    fn hash(&self, address: A) -> u64 {
        self.hash.hash_one(address.words())
    }

    /// The address's bit. One that is not observed was, before the configuration changed under a full ring:
    /// it gets some bit.
    fn bit(&self, address: A) -> u64 {
        let after = self.ranges.partition_point(|(first, _, _)| *first <= address);
        match after.checked_sub(1).and_then(|place| self.ranges.get(place)) {
            Some((first, last, number)) if address <= *last => {
                number + u64::try_from(address.behind(*first)).unwrap_or(0)
            }
            _ => self.hash(address) % BITS,
        }
    }

    fn mark(&self, block: &mut [u8; BLOCK], address: A) {
        if self.is_exact() {
            let bit = self.bit(address);
            block[usize::try_from(bit / 8).unwrap_or(0) % BLOCK] |= 1 << (bit % 8);
        } else {
            let hash = self.hash(address);
            let rank = (hash << 8).leading_zeros().min(56) + 1;
            let register = &mut block[usize::try_from(hash >> 56).unwrap_or(0) % BLOCK];
            *register = (*register).max(u8::try_from(rank).unwrap_or(u8::MAX));
        }
    }

    fn count(&self, block: &[u8; BLOCK]) -> (u64, Counted) {
        if self.is_exact() {
            return (block.iter().map(|byte| u64::from(byte.count_ones())).sum(), Counted::Exactly);
        }
        (estimate(block), Counted::Estimated)
    }
}

/// The estimate of Flajolet et al., figure 3; linear counting where it is small. Hashes have 64 bits, so the
/// correction for many is not needed.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "an estimate, above zero and far below 2^52"
)]
fn estimate(registers: &[u8; BLOCK]) -> u64 {
    const REGISTERS: f64 = BLOCK as f64;
    const ALPHA: f64 = 0.7213 / (1.0 + 1.079 / REGISTERS);
    let sum: f64 = registers.iter().map(|rank| 0.5_f64.powi((*rank).into())).sum();
    let raw = ALPHA * REGISTERS * REGISTERS / sum;
    let empty = registers.iter().filter(|rank| **rank == 0).count();
    let estimate =
        if raw <= 2.5 * REGISTERS && empty > 0 { REGISTERS * (REGISTERS / empty as f64).ln() } else { raw };
    estimate.round() as u64
}

impl<A: Address> TargetStore<A> {
    /// Bytes of a list of few, and of a block for many.
    pub const LIST: usize = size_of::<List<A>>();
    pub const BLOCK: usize = BLOCK;

    /// An empty store with room for so many blocks.
    #[must_use]
    pub fn new(most_blocks: usize, numbering: Numbering<A>) -> Self {
        Self { lists: Vec::new(), unused_lists: Vec::new(), blocks: Vec::new(), most_blocks, numbering }
    }

    /// Bytes that it takes.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.lists.capacity() * size_of::<List<A>>()
            + self.unused_lists.capacity() * size_of::<u32>()
            + self.blocks.capacity() * BLOCK
    }

    fn new_list(&mut self, list: List<A>) -> u32 {
        if let Some(number) = self.unused_lists.pop() {
            self.lists[number as usize] = list;
            return number;
        }
        if self.lists.len() == self.lists.capacity() {
            self.lists.reserve(1);
            huge::advise(&self.lists);
        }
        self.lists.push(list);
        u32::try_from(self.lists.len() - 1).unwrap_or(u32::MAX)
    }

    fn new_block(&mut self, list: &List<A>, address: A) -> Option<u32> {
        if self.blocks.len() >= self.most_blocks {
            return None;
        }
        let mut block = [0; BLOCK];
        for address in list.addresses[..list.length].iter().copied().chain([address]) {
            self.numbering.mark(&mut block, address);
        }
        self.blocks.push(block);
        u32::try_from(self.blocks.len() - 1).ok()
    }
}

impl<A: Address> Targets<A> {
    /// A flow's first target.
    #[inline]
    #[must_use]
    pub const fn first(address: A) -> Self {
        Self { state: State::One, first: address }
    }

    /// Fetches where a further target would go.
    #[inline]
    pub fn fetch(&self, store: &TargetStore<A>) {
        match self.state {
            State::One | State::Full => {}
            State::Kept(number) => prefetch(&raw const store.lists[number as usize]),
            State::Block(number) => prefetch(&raw const store.blocks[number as usize]),
        }
    }

    /// Adds a target.
    #[inline]
    pub fn add(&mut self, address: A, store: &mut TargetStore<A>) {
        if self.state == State::One && self.first == address {
            return;
        }
        self.add_another(address, store);
    }

    fn add_another(&mut self, address: A, store: &mut TargetStore<A>) {
        match self.state {
            State::One => {
                let mut addresses = [self.first; KEPT];
                addresses[1] = address;
                self.state = State::Kept(store.new_list(List { length: 2, addresses }));
            }
            State::Kept(number) => {
                let list = &mut store.lists[number as usize];
                if list.addresses[..list.length].contains(&address) {
                    return;
                }
                if list.length < KEPT {
                    list.addresses[list.length] = address;
                    list.length += 1;
                    return;
                }
                let list = *list;
                self.state = store.new_block(&list, address).map_or(State::Full, State::Block);
                store.unused_lists.push(number);
            }
            State::Block(number) => {
                let TargetStore { blocks, numbering, .. } = store;
                numbering.mark(&mut blocks[number as usize], address);
            }
            State::Full => {}
        }
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self, store: &TargetStore<A>) -> (u64, Counted) {
        match self.state {
            State::One => (1, Counted::Exactly),
            State::Kept(number) => (store.lists[number as usize].length as u64, Counted::Exactly),
            State::Block(number) => store.numbering.count(&store.blocks[number as usize]),
            State::Full => (KEPT as u64 + 1, Counted::AtLeast),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observed(prefixes: &[&str]) -> ObservedRanges {
        let prefixes: Vec<_> = prefixes.iter().map(|prefix| prefix.parse().unwrap()).collect();
        ObservedRanges::new(&prefixes).unwrap()
    }

    fn counted(observed: &ObservedRanges, most_blocks: usize, targets: &[u32]) -> (u64, Counted) {
        let mut store = TargetStore::<[u8; 4]>::new(most_blocks, Numbering::new(observed));
        let mut flow = Targets::first(targets[0].to_be_bytes());
        for target in &targets[1..] {
            flow.add(target.to_be_bytes(), &mut store);
        }
        flow.count(&store)
    }

    #[test]
    fn few_are_exact_whatever_their_order() {
        let everything = observed(&[]);
        for length in 1..=14_u32 {
            let targets: Vec<u32> = (0..length * 5).map(|number| 7 + number % length).collect();
            assert_eq!(counted(&everything, 1, &targets), (length.into(), Counted::Exactly));
        }
    }

    #[test]
    fn many_of_a_small_telescope_are_exact() {
        let small = observed(&["192.0.2.0/24", "198.51.100.0/22", "203.0.113.7/32"]);
        let base = u32::from_be_bytes([192, 0, 2, 0]);
        let mut targets: Vec<u32> = (0..256).map(|number| base + number).collect();
        targets.extend((0..1024).map(|number| u32::from_be_bytes([198, 51, 100, 0]) + number));
        targets.push(u32::from_be_bytes([203, 0, 113, 7]));
        let twice: Vec<u32> = targets.iter().chain(&targets).copied().collect();
        assert_eq!(counted(&small, 1, &twice), (1281, Counted::Exactly));
    }

    #[test]
    fn many_of_a_large_telescope_are_estimated() {
        let large = observed(&["10.0.0.0/8"]);
        for number in [100_u32, 1_000, 10_000, 300_000] {
            let targets: Vec<u32> = (0..number).map(|target| 0x0a00_0000 + target * 7).collect();
            let (estimate, how) = counted(&large, 1, &targets);
            // Five standard errors: seeds are random, and a test that fails once in a million runs will do.
            let error = (estimate.abs_diff(number.into()) as f64) / f64::from(number);
            assert!(error < 5.0 * 0.065, "{number}: {estimate}");
            assert_eq!(how, Counted::Estimated);
        }
    }

    #[test]
    fn without_room_it_is_said_that_there_are_more() {
        let targets: Vec<u32> = (0..100).collect();
        assert_eq!(counted(&observed(&[]), 0, &targets), (15, Counted::AtLeast));
    }
}
