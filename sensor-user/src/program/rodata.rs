//! The configuration as the program has it, in `.rodata`.

use aya::EbpfLoader;
use sensor_ebpf::abi::{Ipv4Range, Ipv6Range, WATCHED_WINDOWS, globals};
use sensor_ebpf::evidence::EvidenceFilter;

use super::Plan;
use crate::config::{Action, Settings};
use crate::evidence;

/// What goes into the program's `.rodata`.
#[derive(Clone, Debug)]
pub struct Rodata {
    last_slot: u32,
    last_slot_shared: u32,
    multi_buffer: u32,
    ring_records: u32,
    ring_records_ipv6: u32,
    drop_observed: u32,
    observed_restricted: u32,
    observed_ipv4: Vec<[u32; 2]>,
    observed_ipv4_count: u32,
    observed_ipv6: Vec<[u64; 4]>,
    observed_ipv6_count: u32,
    watched_windows: [u32; WATCHED_WINDOWS],
    watched_window_count: u32,
    evidence: u32,
    evidence_filter: Vec<u32>,
}

/// A watched window that no packet has.
pub const NO_WINDOW: u32 = u32::MAX;

impl Rodata {
    /// The configuration in the program's terms. `windows` are in the order of their counters.
    #[must_use]
    pub fn new(settings: &Settings, plan: &Plan, windows: &[u32]) -> Self {
        let Plan { features, slots, rings, evidence_ring_bytes: _ } = plan;
        let (ipv4, ipv6) = settings.ranges.tables();
        let mut watched_windows = [NO_WINDOW; WATCHED_WINDOWS];
        watched_windows.iter_mut().zip(windows).for_each(|(place, window)| *place = *window);
        Self {
            last_slot: slots.count - 1,
            last_slot_shared: slots.last_is_shared.into(),
            multi_buffer: features.multi_buffer.into(),
            ring_records: rings.records,
            ring_records_ipv6: rings.records_ipv6,
            drop_observed: (settings.action == Action::Drop).into(),
            observed_restricted: (!settings.observed.is_empty()).into(),
            observed_ipv4: ipv4.iter().map(|Ipv4Range { first, last }| [*first, *last]).collect(),
            observed_ipv4_count: count(settings.ranges.ipv4.len()),
            observed_ipv6: ipv6
                .iter()
                .map(|Ipv6Range { first: [a, b], last: [c, d] }| [*a, *b, *c, *d])
                .collect(),
            observed_ipv6_count: count(settings.ranges.ipv6.len()),
            watched_windows,
            watched_window_count: count(windows.len()),
            evidence: settings.evidence.is_some().into(),
            evidence_filter: evidence::words(
                &settings.evidence.as_ref().map_or(EvidenceFilter::EVERYTHING, evidence::filter),
            )
            .to_vec(),
        }
    }

    pub(super) fn put_into<'a>(&'a self, loader: &mut EbpfLoader<'a>) {
        let Self {
            last_slot,
            last_slot_shared,
            multi_buffer,
            ring_records,
            ring_records_ipv6,
            drop_observed,
            observed_restricted,
            observed_ipv4,
            observed_ipv4_count,
            observed_ipv6,
            observed_ipv6_count,
            watched_windows,
            watched_window_count,
            // Which program is loaded says it; here it is for the fingerprint.
            evidence: _,
            evidence_filter,
        } = self;
        loader
            .override_global(globals::LAST_SLOT, last_slot, true)
            .override_global(globals::LAST_SLOT_SHARED, last_slot_shared, true)
            .override_global(globals::MULTI_BUFFER, multi_buffer, true)
            .override_global(globals::RING_RECORDS, ring_records, true)
            .override_global(globals::RING_RECORDS_IPV6, ring_records_ipv6, true)
            .override_global(globals::DROP_OBSERVED, drop_observed, true)
            .override_global(globals::OBSERVED_RESTRICTED, observed_restricted, true)
            .override_global(globals::OBSERVED_IPV4, observed_ipv4.as_slice(), true)
            .override_global(globals::OBSERVED_IPV4_COUNT, observed_ipv4_count, true)
            .override_global(globals::OBSERVED_IPV6, observed_ipv6.as_slice(), true)
            .override_global(globals::OBSERVED_IPV6_COUNT, observed_ipv6_count, true)
            .override_global(globals::WATCHED_WINDOWS, watched_windows, true)
            .override_global(globals::WATCHED_WINDOW_COUNT, watched_window_count, true)
            .override_global(globals::EVIDENCE_FILTER, evidence_filter.as_slice(), true);
    }

    /// A fingerprint of this configuration and of the program itself (FNV-1a, 64 bits), by which an
    /// agent knows a pinned program as the one that it would load.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        let mut fingerprint = Fnv::default();
        fingerprint.write(sensor_objects::SENSOR);
        let words = [
            self.last_slot,
            self.last_slot_shared,
            self.multi_buffer,
            self.ring_records,
            self.ring_records_ipv6,
            self.drop_observed,
            self.observed_restricted,
            self.observed_ipv4_count,
            self.observed_ipv6_count,
            self.watched_window_count,
            self.evidence,
        ];
        words
            .iter()
            .chain(&self.watched_windows)
            .chain(&self.evidence_filter)
            .for_each(|word| fingerprint.write(&word.to_le_bytes()));
        self.observed_ipv4.as_flattened().iter().for_each(|word| fingerprint.write(&word.to_le_bytes()));
        self.observed_ipv6.as_flattened().iter().for_each(|word| fingerprint.write(&word.to_le_bytes()));
        fingerprint.0
    }
}

/// Fowler, Noll and Vo's hash: the same in every build, as the standard library's is not.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
        }
    }
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
