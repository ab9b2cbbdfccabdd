use std::collections::{HashMap, HashSet};

use sensor_ebpf::classify::tcp_class;
use wire::law::Sums;
use wire::{Batch, Limits};

use super::*;

const ROWS: u64 = 5_000;

/// Rows of three batches, which are lawful; and what they come to.
fn made_up() -> (Vec<Row>, Totals) {
    let mut telescope = Telescope::new("made-up", 1_700_000_000 * SECOND, 60, 1_000, 7);
    let (mut all, mut all_totals) = (Vec::new(), Totals::default());
    for sequence in 1..=3 {
        let made = telescope.next(ROWS).unwrap();
        let batch = Batch::read(&made.bytes, &Limits::default()).unwrap();
        let mut totals = Totals::default();
        dimension::add_to(&mut totals, &batch.counters, &batch.header.watched_windows).unwrap();
        assert_eq!(wire::conservation::breaches(&totals), []);
        let mut sums = Sums::default();
        batch.flows().for_each(|rows| rows.unwrap().iter().for_each(|row| sums.add(&row)));
        assert_eq!(sums.breaches(&totals, FlowKey::Source, batch.header.missing()), []);
        assert_eq!(
            (batch.header.last, sums.packets(), made.packets),
            (sequence, totals.packets, totals.packets)
        );
        // What a program writes of each family is what its rows are made of.
        let written = batch.header.digests.unwrap().written;
        let packets = |family| -> u64 {
            let rows = batch.flows().flat_map(|rows| rows.unwrap().iter().collect::<Vec<_>>());
            rows.filter(|row| row.family == family).map(|row| row.packets).sum()
        };
        assert_eq!([written.ipv4, written.ipv6], Family::ALL.map(packets));
        assert_eq!([written.ipv4, written.ipv6], totals.digests);
        batch.flows().for_each(|rows| all.extend(rows.unwrap().iter()));
        all_totals.merge(&totals);
    }
    (all, all_totals)
}

#[test]
fn what_is_made_up_breaks_no_law() {
    let (rows, totals) = made_up();
    assert_eq!(rows.len() as u64, 3 * ROWS);
    let packets: u64 = rows.iter().map(|row| row.packets).sum();
    assert_eq!(packets, totals.packets);
    // Flags are of the class that they are counted in.
    let mut classes = [0; 4];
    for (flags, packets) in (0_u8..=255).zip(&totals.tcp_flags) {
        classes[tcp_class(flags) as usize] += packets;
    }
    assert_eq!(classes, totals.tcp_classes);
}

#[test]
fn what_is_made_up_is_what_a_telescope_sees() {
    let (rows, _) = made_up();
    let percent = |is: &dyn Fn(&Row) -> bool| 100 * rows.iter().filter(|row| is(row)).count() / rows.len();
    assert!((2..=4).contains(&percent(&|row| row.family == Family::Ipv6)));
    assert!((5..=7).contains(&percent(&|row| row.class.is_backscatter())));
    assert!((70..=90).contains(&percent(&|row| row.window.is_some())));
    let mut ports: HashMap<(IpAddr, u8), HashSet<u16>> = HashMap::new();
    for row in &rows {
        assert_eq!(row.source.unwrap().is_ipv6(), row.family == Family::Ipv6);
        if !row.class.is_backscatter() {
            assert_eq!(row.victim, None);
            continue;
        }
        assert_eq!((row.protocol, row.victim, row.window), (PROTOCOL_TCP, row.source, None));
        ports.entry((row.victim.unwrap(), row.protocol)).or_default().insert(row.port.unwrap());
    }
    let victims = ports.keys().filter(|(victim, _)| victim.is_ipv4()).count() as u64;
    assert!((VICTIMS / 2..=VICTIMS).contains(&victims), "{victims}");
    // An attack is against one service.
    assert!(ports.values().all(|ports| ports.len() == 1));
    for class in [TrafficClass::BackscatterSynAck, TrafficClass::BackscatterRst] {
        assert!(percent(&|row| row.class == class) >= 1);
    }
}
