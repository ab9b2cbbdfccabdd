//! Looks at every ring, one after the other, and takes nothing out.

use sensor_ebpf::abi::Family;
use sensor_ebpf::digest::{Ipv4Digest, Ipv6Digest};

use super::sources::Sources;
use crate::digests::{Peeked, RingDigest, RingMaps};

/// The most digests of one ring that a look takes in.
const MOST_OF_RING: u64 = 65_536;
/// The most that it takes in of all rings of a family, on hosts with many CPUs.
const MOST: u64 = 4 * MOST_OF_RING;

/// How far each ring was looked at.
pub struct Peeker {
    /// By family and CPU.
    next: [Vec<u64>; 2],
    most: u64,
    ipv4: Vec<Ipv4Digest>,
    ipv6: Vec<Ipv6Digest>,
}

impl Peeker {
    /// Begins with what comes from now on: nobody knows when that came which is there already.
    pub fn new(rings: &RingMaps) -> Self {
        let cpus = if rings.plan().is_on() { rings.plan().cpus } else { 0 };
        let ipv4 = (0..cpus).map(|cpu| rings.ring::<Ipv4Digest>(cpu).newest()).collect();
        let ipv6 = (0..cpus).map(|cpu| rings.ring::<Ipv6Digest>(cpu).newest()).collect();
        let most = (MOST / u64::from(cpus.max(1))).min(MOST_OF_RING);
        Self { next: [ipv4, ipv6], most, ipv4: Vec::new(), ipv6: Vec::new() }
    }

    /// Adds every digest since the last look.
    pub fn look(&mut self, rings: &RingMaps, sources: &mut Sources) {
        let Self { next: [next4, next6], most, ipv4, ipv6 } = self;
        look_at(rings, next4, *most, ipv4, sources);
        look_at(rings, next6, *most, ipv6, sources);
    }
}

fn look_at<D: RingDigest>(
    rings: &RingMaps,
    next: &mut [u64],
    most: u64,
    copies: &mut Vec<D>,
    sources: &mut Sources,
) {
    for (cpu, next) in (0..).zip(next) {
        let peeked: Peeked = rings.ring::<D>(cpu).peek(*next, most, copies);
        *next = peeked.next;
        sources.add(copies, peeked.missed);
    }
}

const _: () = assert!(Family::Ipv4 as usize == 0 && Family::Ipv6 as usize == 1);
