//! Any packets, any order of draining, cutting and dying, any size of ring: every digest is read once or counted as
//! missing, and flows are what the packets of their interval were.
//!
//! All on the host: the rules are those of the program, the rings lie in this process's memory.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::collections::BTreeMap;
use std::sync::LazyLock;

use proptest::prelude::*;
use sensor_ebpf::abi::{Family, Outcome};
use sensor_ebpf::classify::traffic_class;
use sensor_ebpf::count::{Exclusive, WatchedWindows, count, count_digest};
use sensor_ebpf::digest::{Ipv4Digest, Ipv6Digest, marks};
use sensor_ebpf::headers::Frame;
use sensor_ebpf::observed::Everything;
use sensor_ebpf::packet::{Network, decode};
use sensor_user::config::FlowKey;
use sensor_user::counters::Totals;
use sensor_user::digests::RingMaps;
use sensor_user::drain::Drain;
use sensor_user::flows::Settled;
use sensor_user::flows::law::Since;
use sensor_user::flows::{Flows, Limits, Row};
use sensor_user::prefixes::ObservedRanges;
use sensor_user::program::Rings;
use testbed::mix;

/// Two CPUs, with rings that fill up soon.
const CPUS: u32 = 2;

/// The frames of the telescope's mix, one of each kind.
static FRAMES: LazyLock<Vec<Vec<u8>>> =
    LazyLock::new(|| mix::telescope().kinds().iter().map(|kind| kind.frame.bytes.clone()).collect());

/// What happens next.
#[derive(Clone, Debug)]
enum Event {
    /// Packets come in on a CPU: which frame, and from which of a few sources.
    Packets(u32, Vec<(usize, u8)>),
    /// The drain makes a pass.
    Pass,
    /// The interval ends: packets come between the banks' change and the drain's last look.
    Cut(Vec<(usize, u8)>),
    /// The agent is killed, and another one starts.
    Kill,
    /// It is killed between the banks' change and its last look, while packets come.
    KillInCut(Vec<(usize, u8)>),
}

fn packets() -> impl Strategy<Value = Vec<(usize, u8)>> {
    prop::collection::vec((0..FRAMES.len(), 0..6_u8), 0..80)
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => (0..CPUS, packets()).prop_map(|(cpu, packets)| Event::Packets(cpu, packets)),
        3 => Just(Event::Pass),
        2 => packets().prop_map(Event::Cut),
        1 => Just(Event::Kill),
        1 => packets().prop_map(Event::KillInCut),
    ]
}

struct NoWindows;

impl WatchedWindows for NoWindows {
    fn position(&self, _window: u16) -> Option<usize> {
        None
    }
}

/// The program, its counters and its rings.
struct Host {
    bank: u32,
    /// What each bank has counted of its interval, and the digests written meanwhile that nobody has seen die.
    counted: [Totals; 2],
    drain: Option<Drain>,
    limits: Limits,
    since: Since,
    /// What the flows of each bank's interval should be, as far as nobody died: packets by description.
    expected: [Flows; 2],
}

impl Host {
    fn new(records: u32, key: FlowKey, max_flows: u32) -> Self {
        let observed = ObservedRanges::new(&[]).unwrap();
        let limits = Limits::of(key, max_flows, &observed);
        let plan = Rings { cpus: CPUS, records, records_ipv6: (records / 8).max(1) };
        let rings = RingMaps::in_process(plan).unwrap();
        Self {
            bank: 0,
            counted: Default::default(),
            drain: Some(Drain::new(rings, limits.clone(), 0)),
            expected: [Flows::new(&limits, None), Flows::new(&limits, None)],
            limits,
            since: Since::ItsBeginning,
        }
    }

    /// What the program does with a packet.
    fn packet(&mut self, cpu: u32, (number, source): (usize, u8)) {
        let mut bytes = FRAMES[number].clone();
        set_source(&mut bytes, source);
        let packet = decode(Frame::new(&bytes), &Everything);
        let bank = self.bank as usize;
        let counters = self.counted[bank].counters_mut();
        // SAFETY: counters of our own, with no other writer.
        let signatures = unsafe { count::<Exclusive>(counters, &packet, bytes.len() as u64, &NoWindows) };
        if matches!(packet.outcome, Outcome::Malformed | Outcome::NonIp | Outcome::Unobserved) {
            return;
        }
        let class = traffic_class(&packet);
        let marks = if bank == 0 { signatures } else { signatures | marks::BANK };
        let rings = self.drain.as_ref().unwrap().rings();
        let (family, written) = match packet.network {
            Network::Ipv4(ipv4) => {
                let digest = Ipv4Digest::new(ipv4, &packet, class, marks);
                let written = rings.ring::<Ipv4Digest>(cpu).append(digest);
                if written {
                    self.expected[bank].add_ipv4(&[digest], 0);
                }
                (Family::Ipv4, written)
            }
            Network::Ipv6(ipv6) => {
                let digest = Ipv6Digest::new(ipv6, &packet, class, marks);
                let written = rings.ring::<Ipv6Digest>(cpu).append(digest);
                if written {
                    self.expected[bank].add_ipv6(&[digest], 0);
                }
                (Family::Ipv6, written)
            }
            Network::None => return,
        };
        // SAFETY: as above.
        unsafe { count_digest::<Exclusive>(counters, family, written) };
    }

    fn cut(&mut self, meanwhile: &[(usize, u8)]) {
        let ended = self.bank as usize;
        self.bank = 1 - self.bank;
        for (place, packet) in meanwhile.iter().enumerate() {
            self.packet(u32::try_from(place).unwrap() % CPUS, *packet);
            if place % 16 == 15 {
                self.drain.as_mut().unwrap().pass(0);
            }
        }
        let finished = self.drain.as_mut().unwrap().finish(0);
        let counted = std::mem::take(&mut self.counted[ended]);
        let since = std::mem::replace(&mut self.since, Since::ItsBeginning);
        let Settled { digests, breaches, flows } = Settled::new(&finished.flows, &counted, since);
        assert!(breaches.is_empty(), "{breaches:?}");
        let expected = std::mem::replace(&mut self.expected[ended], Flows::new(&self.limits, None));
        assert_eq!(digests.off, 0);
        assert_eq!(flows.packets + flows.overflow_packets, digests.written.sum() - digests.unread.sum());
        if since == Since::ItsBeginning {
            assert_eq!(digests.unread.sum(), 0, "nobody died, and digests are missing");
            // The same digests in another order are the same flows, where none is beyond the limit.
            if flows.overflow_packets == 0 {
                assert_eq!(described(&finished.flows), described(&expected));
            }
        }
    }

    /// The interval goes on, for nobody has reported it: in the other bank.
    fn kill_in_cut(&mut self, meanwhile: &[(usize, u8)]) {
        let ended = self.bank as usize;
        self.bank = 1 - self.bank;
        for (place, packet) in meanwhile.iter().enumerate() {
            self.packet(u32::try_from(place).unwrap() % CPUS, *packet);
            if place % 24 == 23 {
                self.drain.as_mut().unwrap().pass(0);
            }
        }
        self.kill();
        let before = std::mem::take(&mut self.counted[ended]);
        self.counted[1 - ended].merge(&before);
        // What the flows should be is not told of an interval in which somebody died.
        self.expected[ended] = Flows::new(&self.limits, None);
    }

    fn kill(&mut self) {
        let rings = self.drain.take().unwrap().into_rings();
        self.since = Since::Later;
        self.drain = Some(Drain::new(rings, self.limits.clone(), self.bank));
    }
}

/// Gives the packet one of a few sources, in either IP version: behind an Ethernet header without tags.
fn set_source(bytes: &mut [u8], source: u8) {
    match bytes.get(12..14) {
        Some([0x08, 0x00]) if bytes.len() > 29 => bytes[29] = source,
        Some([0x86, 0xdd]) if bytes.len() > 37 => bytes[37] = source,
        _ => {}
    }
}

fn described(flows: &Flows) -> BTreeMap<String, u64> {
    let mut rows = BTreeMap::new();
    flows.for_each(|row| {
        let packets = row.packets;
        // What depends on the order of packets is of the first one alone.
        let row = Row { syn_length: 0, syn_window: 0, ..row };
        assert!(rows.insert(format!("{row:?}"), packets).is_none(), "two flows of one key: {row:?}");
    });
    rows
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn conservation_holds_whatever_happens(
        events in prop::collection::vec(event(), 1..40),
        records in prop_oneof![Just(1_u32), Just(2), Just(64), Just(1024), Just(16_384)],
        by_tuple in any::<bool>(),
        max_flows in prop_oneof![Just(1_u32), Just(20), Just(100_000)],
    ) {
        let key = if by_tuple { FlowKey::FlowTuple } else { FlowKey::Source };
        let mut host = Host::new(records, key, max_flows);
        for event in events {
            match event {
                Event::Packets(cpu, packets) => packets.into_iter().for_each(|packet| host.packet(cpu, packet)),
                Event::Pass => drop(host.drain.as_mut().unwrap().pass(0)),
                Event::Cut(meanwhile) => host.cut(&meanwhile),
                Event::Kill => host.kill(),
                Event::KillInCut(meanwhile) => host.kill_in_cut(&meanwhile),
            }
        }
        // An interval that nobody died in has to follow before all is told.
        host.cut(&[]);
        host.cut(&[]);
    }
}
