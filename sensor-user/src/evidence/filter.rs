//! The filter as the program has it.

use ipnet::IpNet;
use sensor_ebpf::abi::{EVIDENCE_PORTS, EVIDENCE_RANGES};
use sensor_ebpf::evidence::EvidenceFilter;

use super::EvidenceSettings;
use crate::prefixes::ObservedRanges;

/// Words of 32 bits that the filter consists of.
const WORDS: usize = size_of::<EvidenceFilter>() / size_of::<u32>();

/// The filter in the program's terms. More than it has room for is refused by the settings.
#[must_use]
pub fn filter(settings: &EvidenceSettings) -> EvidenceFilter {
    let EvidenceSettings { signatures, classes, ports, sources, snap_length, .. } = settings;
    let mut filter = EvidenceFilter {
        signatures: signatures.iter().fold(0, |mask, signature| mask | 1 << *signature as u32),
        classes: classes.iter().fold(0, |mask, class| mask | 1 << *class as u32),
        port_count: count(ports.len().min(EVIDENCE_PORTS)),
        sources_restricted: (!sources.is_empty()).into(),
        snap_length: *snap_length,
        ..EvidenceFilter::EVERYTHING
    };
    filter.ports.iter_mut().zip(ports).for_each(|(place, port)| *place = (*port).into());
    let ranges = ranges(sources);
    filter.ipv4_count = count(ranges.ipv4.len().min(EVIDENCE_RANGES));
    filter.ipv6_count = count(ranges.ipv6.len().min(EVIDENCE_RANGES));
    filter.ipv4.iter_mut().zip(ranges.ipv4).for_each(|(place, range)| *place = range);
    filter.ipv6.iter_mut().zip(ranges.ipv6).for_each(|(place, range)| *place = range);
    filter
}

/// The filter as words, for `.rodata` and its fingerprint.
#[must_use]
pub fn words(filter: &EvidenceFilter) -> [u32; WORDS] {
    // SAFETY: repr(C), of integers alone, without padding: the ABI asserts its size field by field.
    unsafe { std::ptr::from_ref(filter).cast::<[u32; WORDS]>().read() }
}

fn ranges(sources: &[IpNet]) -> ObservedRanges {
    // It refuses more ranges than the settings let pass.
    ObservedRanges::new(sources).unwrap_or_default()
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
