//! Who sent the digests of the last minute: the most active sources, in bounded memory.

mod source;

use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Instant;

use super::history::SLICES;
use crate::digests::Digest;
pub use source::{Service, Source};

/// Sources that are kept from one look to the next; within a look there may be twice as many.
const MOST_SOURCES: usize = 65_536;
/// Sources that are listed: more than a screen has lines.
const LISTED: usize = 256;

/// What comes first in the list of sources.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    #[default]
    Packets,
    Latest,
}

impl Order {
    pub const fn next(self) -> Self {
        match self {
            Self::Packets => Self::Latest,
            Self::Latest => Self::Packets,
        }
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Packets => "packets",
            Self::Latest => "last seen",
        }
    }
}

/// The sources, and how much of all digests they are made of.
pub struct Sources {
    /// Hashed with a random seed, as anybody may choose addresses.
    sources: HashMap<IpAddr, Source>,
    /// Digests of each slice of the minute.
    seen: [u64; SLICES],
    missed: [u64; SLICES],
    forgotten: [bool; SLICES],
    slice: usize,
    now: Instant,
    watched_windows: Vec<u16>,
    most: usize,
}

/// A source, as it is listed.
#[derive(Clone, Debug)]
pub struct Listed {
    pub address: IpAddr,
    pub packets: u64,
    pub seconds_ago: u64,
    pub service: Service,
    /// Further services, the most frequent first.
    pub others: Vec<Service>,
    /// Whether it had more services than are kept.
    pub more: bool,
    /// Bits of [`sensor_ebpf::digest::marks`].
    pub signatures: u8,
    pub windows: Vec<u16>,
}

/// The list, and what it is made of.
#[derive(Clone, Debug, Default)]
pub struct List {
    pub listed: Vec<Listed>,
    /// Sources that are known.
    pub known: usize,
    /// Whether sources with few packets were forgotten, for want of room.
    pub forgotten: bool,
    pub seen: u64,
    pub missed: u64,
}

impl Sources {
    pub fn new(watched_windows: Vec<u16>, now: Instant) -> Self {
        Self {
            sources: HashMap::new(),
            seen: [0; SLICES],
            missed: [0; SLICES],
            forgotten: [false; SLICES],
            slice: 0,
            now,
            watched_windows,
            most: MOST_SOURCES,
        }
    }

    /// Begins a look.
    pub fn begin(&mut self, now: Instant, watched_windows: Vec<u16>) {
        self.now = now;
        self.watched_windows = watched_windows;
    }

    /// Adds digests of this look, and how many more there were.
    pub fn add<D: Digest>(&mut self, digests: &[D], missed: u64) {
        self.seen[self.slice] += digests.len() as u64;
        self.missed[self.slice] += missed;
        for digest in digests {
            let address = digest.source().into();
            let source = self.sources.entry(address).or_insert_with(|| Source::new(self.now));
            source.add(digest, self.slice, self.now, &self.watched_windows);
            if self.sources.len() > 2 * self.most {
                self.forget();
            }
        }
    }

    /// Ends a look.
    pub fn end(&mut self) {
        if self.sources.len() > self.most {
            self.forget();
        }
    }

    /// Begins a new slice of the minute in the place of the oldest.
    pub fn roll(&mut self) {
        self.slice = (self.slice + 1) % SLICES;
        (self.seen[self.slice], self.missed[self.slice]) = (0, 0);
        self.forgotten[self.slice] = false;
        let slice = self.slice;
        self.sources.retain(|_, source| source.roll(slice));
    }

    /// Forgets the half with the fewest packets: so a source that sends steadily soon stays, however many
    /// there are that send one packet and never another.
    fn forget(&mut self) {
        let mut packets: Vec<u64> = self.sources.values().map(Source::packets).collect();
        let kept = self.most / 2;
        let (more, least, _) = packets.select_nth_unstable_by_key(kept, |packets| Reverse(*packets));
        let least = *least;
        let mut equal = kept - more.iter().filter(|packets| **packets > least).count();
        self.sources.retain(|_, source| {
            let packets = source.packets();
            packets > least || packets == least && take_one(&mut equal)
        });
        self.forgotten[self.slice] = true;
    }

    /// The first sources in this order.
    pub fn list(&self, order: Order) -> List {
        let mut sources: Vec<_> =
            self.sources.iter().map(|(address, source)| (source.packets(), *address, source)).collect();
        // By address where they are equal, lest lines jump from one picture to the next.
        sources.sort_unstable_by_key(|(packets, address, source)| {
            let latest = Reverse(source.last_seen);
            match order {
                Order::Packets => (Reverse(*packets), None, *address),
                Order::Latest => (Reverse(0), Some((latest, Reverse(*packets))), *address),
            }
        });
        let listed = sources.iter().take(LISTED);
        List {
            listed: listed.map(|(_, address, source)| self.listed(*address, source)).collect(),
            known: self.sources.len(),
            forgotten: self.forgotten.contains(&true),
            seen: self.seen.iter().sum(),
            missed: self.missed.iter().sum(),
        }
    }

    fn listed(&self, address: IpAddr, source: &Source) -> Listed {
        let (service, others) = source.services();
        let windows = self.watched_windows.iter().enumerate();
        Listed {
            address,
            packets: source.packets(),
            seconds_ago: self.now.saturating_duration_since(source.last_seen).as_secs(),
            service,
            others,
            more: source.more,
            signatures: source.signatures,
            windows: windows
                .filter(|(place, _)| source.windows >> place & 1 != 0)
                .map(|(_, window)| *window)
                .collect(),
        }
    }
}

fn take_one(left: &mut usize) -> bool {
    let taken = *left > 0;
    *left -= usize::from(taken);
    taken
}

#[cfg(test)]
mod tests;
