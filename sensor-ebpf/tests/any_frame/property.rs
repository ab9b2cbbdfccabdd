//! What holds for every frame there can be. The property tests and the fuzz target share this file, so
//! that what one of them finds the other one checks too.

use std::cell::RefCell;
use std::collections::HashSet;
use std::mem::offset_of;

use sensor_ebpf::abi::{CpuCounters, Outcome};
use sensor_ebpf::count::{Raise, WatchedWindows, count};
use sensor_ebpf::headers::{Frame, Header};
use sensor_ebpf::observed::{Everything, Observe};
use sensor_ebpf::packet::{Detail, Network, Packet, Transport, decode};

use model::Configuration;

// The laws themselves, as the agent checks them at every interval.
#[path = "../../../wire/src/conservation.rs"]
mod conservation;
#[path = "model.rs"]
mod model;

/// Counters in one [`CpuCounters`].
const WORDS: usize = size_of::<CpuCounters>() / size_of::<u64>();
/// The only counter that is in no law.
const BYTES: usize = offset_of!(CpuCounters, bytes) / size_of::<u64>();

macro_rules! places {
    ($($table:ident),* $(,)?) => { [$(offset_of!(CpuCounters, $table) / size_of::<u64>()),*] };
}
/// Where the large tables begin, of which the laws know the sums alone.
const TABLES: [usize; 10] = places![
    windows,
    ip_protocols,
    tcp_flags,
    icmp_v4_types,
    icmp_v6_types,
    tcp_scan_destination_ports,
    tcp_other_destination_ports,
    tcp_backscatter_source_ports,
    udp_destination_ports,
    mirai_destination_ports,
];

/// Destinations whose last byte is even are observed: both verdicts come up, in both families.
struct Even;

impl Observe for Even {
    fn ipv4(&self, destination: [u8; 4]) -> bool {
        destination[3].is_multiple_of(2)
    }
    fn ipv6(&self, destination: &[u8; 16]) -> bool {
        destination[15].is_multiple_of(2)
    }
}

/// Small windows are watched, each place by many of them.
struct SmallWindows;

impl WatchedWindows for SmallWindows {
    fn position(&self, window: u16) -> Option<usize> {
        (window < 0x1000).then(|| usize::from(window % 16))
    }
}

/// Everything observed, and half of it.
const CONFIGURATIONS: [Configuration; 2] = [
    Configuration { observed: |_| true, window: |window| SmallWindows.position(window) },
    Configuration {
        observed: |destination| destination.last().is_some_and(|last| last.is_multiple_of(2)),
        window: |window| SmallWindows.position(window),
    },
];

/// Panics where anything about this frame is not as it must be.
pub fn holds(bytes: &[u8]) {
    let [everything, half] = &CONFIGURATIONS;
    check(bytes, &Everything, everything);
    check(bytes, &Even, half);
}

fn check(bytes: &[u8], observe: &impl Observe, configuration: &Configuration) {
    let packet = decode(Frame::new(bytes), observe);
    lies_inside(bytes, &packet);
    only_observed_packets_go_on(&packet);
    COUNTERS.with_borrow_mut(|counters| {
        let mut raised = record(counters, &packet, bytes.len() as u64);
        keeps_the_laws(counters, &raised);
        for (word, _) in &raised {
            assert_eq!(std::mem::take(&mut words(counters)[*word]), sum_of(&raised, *word));
        }
        let mut expected = model::raised(bytes, configuration);
        raised.sort_unstable();
        expected.sort_unstable();
        assert_eq!(raised, expected);
    });
}

/// Checks the laws, of which each is about sums of tables and single counters of the small ones. Whoever
/// raises the same sums keeps the same laws, so each set of sums is checked once: the laws add up
/// 2.5 MiB, which would be nearly all of the time that a frame takes.
fn keeps_the_laws(counters: &CpuCounters, raised: &[(usize, u64)]) {
    let sum = |(word, by): &(usize, u64)| match TABLES.iter().rfind(|first| **first <= *word) {
        Some(table) => (*table, *by),
        None => (*word, *by),
    };
    let sums: Vec<_> = raised.iter().filter(|(word, _)| *word != BYTES).map(sum).collect();
    KEPT.with_borrow_mut(|kept| {
        // Miri looks at memory, and would take minutes for the sums.
        if !cfg!(miri) && !kept.contains(&sums) {
            let breaches = conservation::breaches(counters);
            assert!(breaches.is_empty(), "{breaches:?}");
            kept.insert(sums);
        }
    });
}

fn sum_of(raised: &[(usize, u64)], word: usize) -> u64 {
    raised.iter().filter(|(other, _)| *other == word).map(|(_, by)| by).sum()
}

/// Every header that the decoder hands out lies in the frame's own bytes.
fn lies_inside(bytes: &[u8], packet: &Packet<'_>) {
    match packet.network {
        Network::None => {}
        Network::Ipv4(header) => is_inside(bytes, header),
        Network::Ipv6(header) => is_inside(bytes, header),
    }
    match packet.transport {
        Transport::None => {}
        Transport::Tcp(header) => is_inside(bytes, header),
        Transport::Udp(header) => is_inside(bytes, header),
        Transport::Icmp(header) => is_inside(bytes, header),
        Transport::Icmpv6(header) => is_inside(bytes, header),
    }
    match packet.detail {
        Detail::None => {}
        Detail::FirstOption(header) => is_inside(bytes, header),
        Detail::QuotedIpv4(header) => is_inside(bytes, header),
        Detail::QuotedIpv6(header) => is_inside(bytes, header),
    }
}

fn is_inside<T: Header>(bytes: &[u8], header: &T) {
    let (frame, start) = (bytes.as_ptr_range(), (&raw const *header).cast::<u8>());
    assert!(frame.start <= start && start.wrapping_add(size_of::<T>()) <= frame.end);
}

/// What may be dropped, and what is looked into, is observed.
fn only_observed_packets_go_on(packet: &Packet<'_>) {
    let has_network = !matches!(packet.network, Network::None);
    let has_transport = !matches!(packet.transport, Transport::None);
    assert!(!packet.observed || has_network);
    assert!(!has_transport || packet.observed);
    assert_eq!(packet.outcome == Outcome::Unobserved, has_network && !packet.observed);
}

/// Counts, and tells which counters were raised by how much.
fn record(counters: &mut CpuCounters, packet: &Packet<'_>, bytes: u64) -> Vec<(usize, u64)> {
    let counters: *mut CpuCounters = counters;
    RAISED.take();
    // SAFETY: counters of our own, borrowed alone.
    unsafe { count::<Recorded>(counters, packet, bytes, &SmallWindows) };
    RAISED
        .take()
        .into_iter()
        .map(|(address, by)| {
            let place = address - counters.addr();
            assert!(place.is_multiple_of(8) && place / 8 < WORDS);
            (place / 8, by)
        })
        .collect()
}

/// Raises, and remembers the counter's address.
struct Recorded;

impl Raise for Recorded {
    const EXCLUSIVE: bool = true;

    unsafe fn raise(counter: *mut u64, by: u64) {
        RAISED.with_borrow_mut(|raised| raised.push((counter.addr(), by)));
        // SAFETY: the caller's promise.
        unsafe { *counter += by }
    }
}

thread_local! {
    static RAISED: RefCell<Vec<(usize, u64)>> = const { RefCell::new(Vec::new()) };
    /// What has been found to keep the laws.
    static KEPT: RefCell<HashSet<Vec<(usize, u64)>>> = RefCell::default();
    /// All zero between two checks: 2.5 MiB are too many to make anew for each frame.
    static COUNTERS: RefCell<Box<CpuCounters>> = RefCell::new(zero());
}

/// Counters that have counted nothing.
pub fn zero() -> Box<CpuCounters> {
    // SAFETY: made of integers, for which zero is a value.
    unsafe { Box::<CpuCounters>::new_zeroed().assume_init() }
}

/// Every counter, in the order of the ABI.
pub fn words(counters: &mut CpuCounters) -> &mut [u64; WORDS] {
    // SAFETY: repr(C) and u64 throughout; the ABI asserts the size field by field.
    unsafe { &mut *(&raw mut *counters).cast() }
}
