use std::time::Duration;

use jiff::Timestamp;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use sensor_ebpf::abi::{Outcome, TrafficClass};
use sensor_ebpf::digest::marks;

use super::*;
use crate::counters::Totals;
use crate::top::model::{Digests, Interface};
use crate::top::sources::{List, Listed, Service};

const WIDEST_ADDRESS: &str = "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff";

fn model() -> Model {
    let mut totals = Totals::default();
    let counters = totals.counters_mut();
    counters.packets = 48_123_456;
    counters.outcomes[Outcome::Ipv4Tcp as usize] = 40_000_000;
    counters.outcomes[Outcome::Unobserved as usize] = 8_123_456;
    counters.tcp_classes = [30_000_000, 1_234_567, 9_999, 0];
    counters.signatures[0] = 765_432;
    counters.windows[0] = 4_321;
    for port in 1..=200_usize {
        counters.tcp_scan_destination_ports[65_535 - port] = 1_000_000 / port as u64;
    }
    counters.udp_destination_ports[5060] = 17;
    counters.tcp_backscatter_source_ports[443] = 1_000;
    let tables = |seconds| Tables::new(seconds, &totals, &[5656, 65535]);
    Model {
        now: Timestamp::from_second(1_700_000_000).unwrap(),
        age: Duration::from_secs(93_784),
        interfaces: vec![Interface { name: "telescope0".into(), mode: "native" }],
        drops: false,
        agent_runs: true,
        rates: Rates {
            packets: 50_602.0,
            bytes: 3.2e6,
            observed: 49_321.4,
            digests: 49_321.4,
            digests_lost: 0.0,
        },
        packets: 48_123_456,
        digests: Digests { on: true, waiting: 20_000, room: 524_288, lost: 0, lost_in_minute: 0 },
        minute: tables(54.2),
        refresh: tables(1.0),
        all: tables(93_784.0),
        sources: sources(),
    }
}

fn service(class: TrafficClass, protocol: u8, port: u16) -> Service {
    Service { class, protocol, port }
}

fn sources() -> List {
    let scan = |port| service(TrafficClass::Scan, 6, port);
    let mut listed = vec![
        Listed {
            address: WIDEST_ADDRESS.parse().unwrap(),
            packets: 1_234_567,
            seconds_ago: 0,
            service: service(TrafficClass::Scan, 17, 65535),
            others: vec![scan(23), scan(2323)],
            more: true,
            signatures: marks::MASSCAN,
            windows: vec![5656],
        },
        Listed {
            address: [203, 0, 113, 7].into(),
            packets: 9_999,
            seconds_ago: 59,
            service: service(TrafficClass::BackscatterSynAck, 6, 443),
            others: vec![],
            more: false,
            signatures: 0,
            windows: vec![],
        },
        Listed {
            address: [203, 0, 113, 9].into(),
            packets: 12,
            seconds_ago: 3,
            service: service(TrafficClass::Scan, 1, 8 << 8),
            others: vec![],
            more: false,
            signatures: marks::MIRAI,
            windows: vec![],
        },
    ];
    let one = listed[1].clone();
    listed.extend((0..200).map(|number| Listed { address: [192, 0, 2, number].into(), ..one.clone() }));
    List { listed, known: 12_345, forgotten: false, seen: 750, missed: 250 }
}

/// The lines of the picture, without the spaces behind them.
fn picture(model: &Model, look: &Look, width: u16, height: u16) -> Vec<String> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(model, look, frame)).unwrap();
    let buffer = terminal.backend().buffer();
    let rows = buffer.content().chunks(width.into());
    rows.map(|row| row.iter().map(|cell| cell.symbol()).collect::<String>().trim_end().to_owned()).collect()
}

#[test]
fn everything_fits_the_smallest_terminal() {
    let expected = r"
Apus sensor on telescope0 (native)                      agent runs  22:13:20 UTC
packets 50,602/s  bytes 3.20M/s  observed 49,321/s  48.1M in 1 d 2 h
digests 49,321/s  lost 0/s, 0 in all  fullest ring 3 % of 524,288
── packets of the last 54 s ────────────────────────────────────────────────────
TCP SCANS TO    UDP TO          ANSWERS FROM    TCP, SIGNATURE  OUTCOME
65534     1.00M 5060         17 443       1,000 scan      30.0M IPv4 TCP   40.0M
65533      500k                                 SYN-ACK   1.23M IPv4 UDP       0
65532      333k                                 RST       9,999 IPv4 rest      0
65531      250k                                 other         0 IPv6           0
65530      200k                                 Mirai      765k fragment       0
65529      166k                                 ZMap          0 malformed      0
65528      142k                                 masscan       0 not IP         0
others    3.28M                                 others    4,321 unobserved 8.12M
── sources: 12,345, from 75 % of the digests of the last 54 s ──────────────────
SOURCE                                PACKETS CLASS    PORTS       TOOL     SEEN
2001:db8:ffff:ffff:ffff:ffff:ffff:ffff  1.23M scan     udp 65535+  masscan+  now
203.0.113.7                             9,999 SYN-ACK  443                   59s
203.0.113.9                                12 scan     icmp 8      mirai      3s
192.0.2.0                               9,999 SYN-ACK  443                   59s
192.0.2.1                               9,999 SYN-ACK  443                   59s
192.0.2.2                               9,999 SYN-ACK  443                   59s
192.0.2.3                               9,999 SYN-ACK  443                   59s
192.0.2.4                               9,999 SYN-ACK  443                   59s
q quit   p pause   Tab minute, second, all   s sources by packets";
    let expected: Vec<&str> = expected.lines().skip(1).collect();
    assert_eq!(picture(&model(), &Look::default(), 80, 24), expected);
}

#[test]
fn a_large_terminal_has_whole_numbers_and_more_of_everything() {
    let picture = picture(&model(), &Look::default(), 160, 50);
    let text = picture.join("\n");
    for words in [
        "1,000,000",
        "win 65535",
        "backscatter_syn_ack",
        "udp 65535 23 2323+",
        "masscan w5656",
        "181 others",
        "1,234,567",
        "192.0.2.18",
        WIDEST_ADDRESS,
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(picture.last().unwrap().starts_with("q quit"));
    assert!(picture.iter().all(|line| !line.is_empty()), "{text}");
}

#[test]
fn what_is_wrong_is_said() {
    let mut model = model();
    model.agent_runs = false;
    model.interfaces.clear();
    model.digests.waiting = model.digests.room;
    let text = picture(&model, &Look::default(), 80, 24).join("\n");
    for words in
        ["no agent runs: counting goes on", "no interface", "a ring is full and nobody drains it", "100 %"]
    {
        assert!(text.contains(words), "{words}: {text}");
    }
    model.digests = Digests::default();
    model.sources = List::default();
    let text = picture(&model, &Look::default(), 80, 24).join("\n");
    for words in ["digests are off", "sources: none", "q quit"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(!text.contains("ring is full"));
}

#[test]
fn the_share_of_digests_is_all_of_them_only_where_none_was_missed() {
    let mut model = model();
    for (seen, missed, words) in [
        (10, 0, "from 100 % of"),
        (1_000_000, 1, "from 99 % of"),
        (1, 1_000_000, "from 1 % of"),
        (0, 0, "sources: no digest in"),
    ] {
        (model.sources.seen, model.sources.missed) = (seen, missed);
        let text = picture(&model, &Look::default(), 80, 24).join("\n");
        assert!(text.contains(words), "{words}: {text}");
    }
    model.sources = List { seen: 10, forgotten: true, ..sources() };
    assert!(picture(&model, &Look::default(), 80, 24).join("\n").contains("sources: more than 12,345,"));
}

#[test]
fn the_tables_are_of_the_time_that_is_chosen() {
    let model = model();
    let text = |span| picture(&model, &Look { span, ..Look::default() }, 80, 24).join("\n");
    assert!(text(Span::Refresh).contains("packets per second, of the last 1.0 s"));
    assert!(text(Span::All).contains("packets in all, of 1 d 2 h"));
}

#[test]
fn many_interfaces_are_as_many_as_there_is_room_for() {
    let mut model = model();
    model.interfaces = vec![model.interfaces[0].clone(); 9];
    let lines = picture(&model, &Look { paused: true, ..Look::default() }, 80, 24);
    assert!(lines[0].starts_with("Apus sensor on telescope0 (native) and 8 more "), "{}", lines[0]);
    assert!(lines[0].ends_with("PAUSED  agent runs  22:13:20 UTC"), "{}", lines[0]);
}

/// However small it is made: cut off, but drawn.
#[test]
fn no_size_of_a_terminal_is_too_small() {
    for (width, height) in [(1, 1), (10, 3), (79, 12), (80, 23), (300, 100)] {
        assert_eq!(picture(&model(), &Look::default(), width, height).len(), usize::from(height));
    }
}
