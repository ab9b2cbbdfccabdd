use testbed::{document, mix};

use super::*;

fn moment(total: &Value) -> Moment<'_> {
    let (elapsed, length) = (Duration::from_secs(12), Duration::from_secs(20));
    let attachment = "telescope0 (native, driver veth)";
    Moment {
        attachment,
        total,
        latest: total,
        sent: u64::from(u32::MAX),
        stored: u64::from(u32::MAX),
        elapsed,
        length,
    }
}

#[test]
fn the_table_fits_a_classic_terminal_whatever_the_numbers() {
    let mix = mix::telescope();
    for packets in [0, 1, 9_999_999] {
        let total = mix.expected(&vec![packets; mix.kinds().len()]);
        let table = moment(&total).table();
        assert!(table.len() <= 23, "{} rows", table.len());
        for line in &table {
            assert!(line.chars().count() < 80, "{line}");
        }
        assert!(moment(&total).line().len() < 80);
    }
}

#[test]
fn ports_are_sorted_by_packets_and_the_rest_is_summed() {
    let mut total = document::empty();
    for port in 1..=6_u16 {
        document::raise(&mut total, &format!("/udp/dst_ports/{port}"), u64::from(port) * 1000);
    }
    let lines = moment(&total).ports("UDP to", "/udp/dst_ports", 5);
    assert_eq!(lines.len(), 6);
    assert!(lines[1].starts_with("    6"), "{}", lines[1]);
    assert!(lines[5].starts_with("2 others") && lines[5].contains("3,000"), "{}", lines[5]);
}
