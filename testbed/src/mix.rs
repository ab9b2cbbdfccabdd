//! Mixes of traffic as data: what each kind of packet looks like, how often it is sent, and what a
//! sensor has to count for it.

mod expectation;
mod imix;
mod telescope;
#[cfg(test)]
mod tests;
mod uniform;

use sensor_ebpf::generate::{FRAME_BYTES, Generator, SCHEDULE, TEMPLATE_BYTES, TEMPLATES, Template};
use serde_json::Value;

use crate::document;
use crate::frame::Built;

pub use expectation::{Expectation, Port, Version};
pub use imix::imix;
pub use telescope::{OBSERVED, telescope};
pub use uniform::{UniformLength, uniform};

/// One kind of packet.
#[derive(Clone, Debug)]
pub struct Kind {
    pub name: &'static str,
    /// How often it is sent, relative to the others.
    pub weight: u32,
    pub frame: Built,
    /// Its random fields, bits of [`sensor_ebpf::generate::mutations`].
    pub mutations: u32,
    pub expectation: Expectation,
}

/// Kinds of packets, of which the generator sends now one and now another.
#[derive(Clone, Debug)]
pub struct Mix {
    kinds: Vec<Kind>,
    /// How many IPv4 sources are drawn from; 0 means all that there can be.
    sources: u32,
}

impl Mix {
    /// A mix of these kinds.
    ///
    /// # Panics
    /// Where the generator cannot send them: too many, too long, or of a length that it does not copy.
    #[must_use]
    pub fn new(kinds: Vec<Kind>) -> Self {
        assert!((1..=TEMPLATES).contains(&kinds.len()), "{} kinds, 1 to {TEMPLATES} fit", kinds.len());
        for Kind { name, weight, frame, .. } in &kinds {
            let length = frame.bytes.len();
            let is_sendable = (14..=FRAME_BYTES).contains(&length)
                && (length.is_multiple_of(4) || length >= TEMPLATE_BYTES);
            assert!(is_sendable, "{name}: {length} bytes, not a multiple of 4, or above {FRAME_BYTES}");
            let rest = frame.bytes.get(TEMPLATE_BYTES..).unwrap_or_default();
            assert!(rest.iter().all(|byte| *byte == 0), "{name}: not zero beyond {TEMPLATE_BYTES} bytes");
            assert!(*weight > 0, "{name}: never sent");
        }
        let total: u32 = kinds.iter().map(|kind| kind.weight).sum();
        assert!(total as usize <= SCHEDULE, "weights sum up to {total}, at most {SCHEDULE} are told apart");
        Self { kinds, sources: 0 }
    }

    /// The same from so many IPv4 sources, where sources are random.
    #[must_use]
    pub fn from_sources(self, sources: u32) -> Self {
        Self { sources, ..self }
    }

    /// The same to another Ethernet address.
    #[must_use]
    pub fn to_ethernet(mut self, destination: [u8; 6]) -> Self {
        for kind in &mut self.kinds {
            kind.frame.bytes[..destination.len()].copy_from_slice(&destination);
        }
        self
    }

    #[must_use]
    pub fn kinds(&self) -> &[Kind] {
        &self.kinds
    }

    /// What a sensor has counted when it has seen this many packets of each kind: a document of
    /// [`sensor_user::document::Document`]'s shape.
    #[must_use]
    pub fn expected(&self, sent: &[u64]) -> Value {
        let mut expected = document::empty();
        for (kind, packets) in self.kinds.iter().zip(sent).filter(|(_, packets)| **packets > 0) {
            document::raise(&mut expected, "/packets", *packets);
            document::raise(&mut expected, "/bytes", *packets * kind.frame.bytes.len() as u64);
            for counter in kind.expectation.counters() {
                document::raise(&mut expected, counter, *packets);
            }
        }
        expected
    }

    /// Length of a frame before the generator has written a packet into it: that of those which come most often, for
    /// which it then has the least to do. Where some are longer than a template, the longest: a frame that has to
    /// grow is filled with zeros, and one that has to shrink is not touched.
    #[must_use]
    pub fn first_length(&self) -> usize {
        let length = |kind: &Kind| kind.frame.bytes.len();
        if let Some(longest) = self.kinds.iter().map(length).max().filter(|longest| *longest > TEMPLATE_BYTES)
        {
            return longest;
        }
        let weight = |of: usize| {
            self.kinds.iter().filter(|kind| length(kind) == of).map(|kind| kind.weight).sum::<u32>()
        };
        self.kinds.iter().map(length).max_by_key(|of| weight(*of)).unwrap_or(TEMPLATE_BYTES)
    }

    /// Writes the mix to where the generator program reads it.
    ///
    /// # Safety
    /// `generator` must be live, and no program may be running that reads it.
    pub unsafe fn write_to(&self, generator: *mut Generator) {
        for (number, kind) in self.kinds.iter().enumerate() {
            // SAFETY: the caller's promise; the index is checked.
            unsafe { (*generator).templates[number] = kind.template() };
        }
        // SAFETY: as above.
        unsafe { (*generator).sources = self.sources };
        for (place, number) in self.schedule().enumerate() {
            // SAFETY: as above.
            unsafe { (*generator).schedule[place] = number };
        }
    }

    /// The number of a kind for each place in the schedule, as many places as its weight asks for.
    fn schedule(&self) -> impl Iterator<Item = u32> {
        let kinds: Vec<u32> = (0..)
            .zip(&self.kinds)
            .flat_map(|(number, kind)| std::iter::repeat_n(number, kind.weight as usize))
            .collect();
        (0..SCHEDULE).map(move |place| kinds[place * kinds.len() / SCHEDULE])
    }
}

impl Kind {
    fn template(&self) -> Template {
        let Built { bytes, network, transport } = &self.frame;
        let mut padded = [0; TEMPLATE_BYTES];
        let begins = &bytes[..bytes.len().min(TEMPLATE_BYTES)];
        padded[..begins.len()].copy_from_slice(begins);
        // Three numbers up to FRAME_BYTES, by `Mix::new`.
        let word = |number: usize| u32::try_from(number).unwrap_or(0);
        Template {
            bytes: padded,
            length: word(bytes.len()),
            network: word(*network),
            transport: word(*transport),
            mutations: self.mutations,
        }
    }
}
