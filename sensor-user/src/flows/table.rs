//! The flow table: open hashing over a dense list of flows.
//!
//! A slot of the index is one word, half of it a flow's number and half of it bits of its hash, so that a probe
//! seldom touches a flow that is not the one looked for, and growing the index touches no flow at all. Flows
//! lie in a list in the order of their first packets. Digests are taken in batches: the slots of a whole batch
//! are fetched, then its flows, then its sets of targets, so that the memory's latency is paid once a batch and
//! not three times a digest.

use std::hash::{BuildHasher as _, RandomState};

use super::huge;
use super::key::{AddressOf, Flow, Words as _};
use super::targets::{Numbering, TargetStore};
use crate::digests::Digest as _;

/// Digests that are under way at once.
const LANES: usize = 32;
/// Slots of an empty index.
const FEWEST_SLOTS: usize = 1 << 10;

/// One flow.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub struct Entry<F: Flow> {
    pub key: F::Key,
    pub packets: u64,
    /// Of the IP packets, by their own headers.
    pub bytes: u64,
    /// In nanoseconds since the Unix epoch.
    pub first_seen: u64,
    pub last_seen: u64,
    pub detail: F::Detail,
    pub time_to_live_minimum: u8,
    pub time_to_live_maximum: u8,
}

/// Flows by key.
pub struct Table<F: Flow> {
    /// The lower half is a flow's number and one, or zero where the slot is free; the upper half is [`tag`].
    index: Vec<u64>,
    /// Bits of a tag that are not the slot's number.
    shift: u32,
    flows: Vec<Entry<F>>,
    store: TargetStore<AddressOf<F>>,
    seeds: [u64; 2],
}

impl<F: Flow> Table<F> {
    /// An empty table, with room for so many flows to begin with, and so many large sets of targets at most.
    #[must_use]
    pub fn new(expected: usize, most_blocks: usize, numbering: Numbering<AddressOf<F>>) -> Self {
        let slots = (expected.saturating_mul(3) / 2).next_power_of_two().max(FEWEST_SLOTS);
        // Whoever does not know these cannot choose addresses that collide.
        let random = RandomState::new();
        let (index, flows) = (vec![0; slots], Vec::with_capacity(expected));
        huge::advise(&index);
        huge::advise(&flows);
        Self {
            index,
            shift: shift(slots),
            flows,
            store: TargetStore::new(most_blocks, numbering),
            seeds: [random.hash_one(1) | 1, random.hash_one(2) | 1],
        }
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.flows.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.flows.is_empty()
    }

    /// The flows, in the order of their first packets.
    #[must_use]
    pub fn flows(&self) -> &[Entry<F>] {
        &self.flows
    }

    #[must_use]
    pub const fn store(&self) -> &TargetStore<AddressOf<F>> {
        &self.store
    }

    /// Bytes that it takes, as far as it has ever been filled.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.index.capacity() * size_of::<u64>()
            + self.flows.len() * size_of::<Entry<F>>()
            + self.store.memory()
    }

    /// Adds digests, all seen at `now`. One of a flow that is not there yet, when `room` is used up, is given to
    /// `beyond` instead.
    pub fn add(
        &mut self,
        digests: &[F::Digest],
        now: u64,
        room: &mut u32,
        mut beyond: impl FnMut(&F::Digest),
    ) {
        for batch in digests.chunks(LANES) {
            let mut keys = [F::key(&batch[0]); LANES];
            let mut hashes = [0_u32; LANES];
            for ((digest, key), hash) in batch.iter().zip(&mut keys).zip(&mut hashes) {
                *key = F::key(digest);
                *hash = self.hash(key);
                prefetch(&raw const self.index[self.slot(*hash)]);
            }
            for hash in &hashes[..batch.len()] {
                let word = self.index[self.slot(*hash)];
                if let Some(flow) = number(word).and_then(|number| self.flows.get(number)) {
                    prefetch(flow);
                }
            }
            let mut found = [None; LANES];
            for (((digest, key), hash), found) in batch.iter().zip(&keys).zip(&hashes).zip(&mut found) {
                match self.find(key, *hash) {
                    Ok(number) => {
                        self.add_sums(number, digest, now);
                        F::fetch(&self.flows[number].detail, &self.store);
                        *found = Some(number);
                    }
                    Err(_) if *room == 0 => beyond(digest),
                    Err(slot) => {
                        *room -= 1;
                        self.insert(slot, *hash, *key, digest, now);
                    }
                }
            }
            for (digest, found) in batch.iter().zip(&found) {
                if let Some(number) = *found {
                    F::again(&mut self.flows[number].detail, digest, &mut self.store);
                }
            }
        }
    }

    /// Adds one digest to the flow with this key, if it is there or `room` says that it may be.
    pub fn add_as(&mut self, key: F::Key, digest: &F::Digest, now: u64, room: bool) -> bool {
        let hash = self.hash(&key);
        match self.find(&key, hash) {
            Ok(number) => {
                self.add_sums(number, digest, now);
                F::again(&mut self.flows[number].detail, digest, &mut self.store);
            }
            Err(_) if !room => return false,
            Err(slot) => self.insert(slot, hash, key, digest, now),
        }
        true
    }

    #[inline]
    fn add_sums(&mut self, number: usize, digest: &F::Digest, now: u64) {
        let flow = &mut self.flows[number];
        let time_to_live = digest.facts().time_to_live;
        flow.packets += 1;
        flow.bytes += digest.bytes();
        flow.first_seen = flow.first_seen.min(now);
        flow.last_seen = flow.last_seen.max(now);
        flow.time_to_live_minimum = flow.time_to_live_minimum.min(time_to_live);
        flow.time_to_live_maximum = flow.time_to_live_maximum.max(time_to_live);
    }

    fn insert(&mut self, slot: usize, hash: u32, key: F::Key, digest: &F::Digest, now: u64) {
        let time_to_live = digest.facts().time_to_live;
        if self.flows.len() == self.flows.capacity() {
            self.flows.reserve(1);
            huge::advise(&self.flows);
        }
        self.flows.push(Entry {
            key,
            packets: 1,
            bytes: digest.bytes(),
            first_seen: now,
            last_seen: now,
            detail: F::first(digest),
            time_to_live_minimum: time_to_live,
            time_to_live_maximum: time_to_live,
        });
        self.index[slot] = u64::from(hash) << 32 | self.flows.len() as u64;
        // Two slots of three at most are in use.
        if self.flows.len() * 3 > self.index.len() * 2 {
            self.grow();
        }
    }

    /// The number of the flow with this key, or else the free slot where it belongs.
    #[inline]
    fn find(&self, key: &F::Key, hash: u32) -> Result<usize, usize> {
        let mut slot = self.slot(hash);
        loop {
            let word = self.index[slot];
            let Some(number) = number(word) else {
                return Err(slot);
            };
            if tag(word) == hash && self.flows[number].key == *key {
                return Ok(number);
            }
            slot = (slot + 1) & (self.index.len() - 1);
        }
    }

    fn grow(&mut self) {
        let slots = self.index.len() * 2;
        let index = std::mem::replace(&mut self.index, vec![0; slots]);
        huge::advise(&self.index);
        self.shift = shift(slots);
        for word in index {
            if number(word).is_some() {
                let mut slot = self.slot(tag(word));
                while self.index[slot] != 0 {
                    slot = (slot + 1) & (slots - 1);
                }
                self.index[slot] = word;
            }
        }
    }

    #[inline]
    fn slot(&self, hash: u32) -> usize {
        (hash >> self.shift) as usize
    }

    /// Multiplies and folds, word by word, as wyhash does.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "the two halves of the product")]
    fn hash(&self, key: &F::Key) -> u32 {
        let [mut hash, seed] = self.seeds;
        for word in key.words() {
            let product = u128::from(hash ^ word) * u128::from(seed);
            hash = (product as u64) ^ ((product >> 64) as u64);
        }
        let product = u128::from(hash) * u128::from(seed);
        (((product as u64) ^ ((product >> 64) as u64)) >> 32) as u32
    }
}

/// The hash of the flow behind a slot.
#[inline]
const fn tag(word: u64) -> u32 {
    (word >> 32) as u32
}

/// The number of the flow behind a slot.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "the lower half")]
const fn number(word: u64) -> Option<usize> {
    (word as u32 as usize).checked_sub(1)
}

const fn shift(slots: usize) -> u32 {
    u32::BITS - slots.trailing_zeros()
}

/// Asks for a cache line before it is needed.
#[inline(always)]
pub fn prefetch<T>(place: *const T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a hint, which no address makes fail.
    unsafe {
        std::arch::x86_64::_mm_prefetch(place.cast(), std::arch::x86_64::_MM_HINT_T0);
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: a hint, which no address makes fail.
    unsafe {
        std::arch::asm!("prfm pldl1keep, [{0}]", in(reg) place, options(nostack, readonly, preserves_flags));
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let _no_such_hint = place;
}
