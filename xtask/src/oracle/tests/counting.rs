use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::oracle::counters::Counters;
use crate::oracle::expectation::{count, count_frame};
use crate::oracle::packet::{IpFacts, Packet, TcpFacts, Transport};

const TCP: TcpFacts = TcpFacts {
    source_port: 443,
    destination_port: 23,
    sequence: 7,
    header_length: 20,
    flags: 2,
    window: 1024,
};
const IPV4: IpFacts = IpFacts {
    source: IpAddr::V4(Ipv4Addr::new(198, 51, 100, 7)),
    destination: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
    time_to_live: 60,
    length: 40,
    identification: Some(1),
};
const IPV6: IpFacts = IpFacts {
    source: IpAddr::V6(Ipv6Addr::LOCALHOST),
    destination: IpAddr::V6(Ipv6Addr::LOCALHOST),
    time_to_live: 60,
    length: 20,
    identification: None,
};

fn counted(ip: IpFacts, transport: Transport) -> Counters {
    let mut counters = Counters::default();
    let outcome = if ip.is_ipv4() { "ipv4_tcp" } else { "ipv6_tcp" };
    count(&mut counters, &Packet { outcome, protocol: Some(6), ip: Some(ip), transport });
    counters
}

#[test]
fn flags_decide_the_class_and_the_class_the_port() {
    for (flags, class, port) in [
        (0x02, "scan", "scan_dst_ports.23"),
        (0xc2, "scan", "scan_dst_ports.23"),
        (0x2a, "scan", "scan_dst_ports.23"),
        (0x12, "backscatter_syn_ack", "backscatter_src_ports.443"),
        (0x17, "backscatter_syn_ack", "backscatter_src_ports.443"),
        (0x04, "backscatter_rst", "backscatter_src_ports.443"),
        (0x14, "backscatter_rst", "backscatter_src_ports.443"),
        (0x06, "backscatter_rst", "backscatter_src_ports.443"),
        (0x03, "other", "other_dst_ports.23"),
        (0x10, "other", "other_dst_ports.23"),
        (0x00, "other", "other_dst_ports.23"),
    ] {
        let counters = counted(IPV4, Transport::Tcp(TcpFacts { flags, ..TCP }));
        assert_eq!(counters.get(&format!("tcp.classes.{class}")), 1, "{flags:#04x}");
        assert_eq!(counters.get(&format!("tcp.{port}")), 1, "{flags:#04x}");
        assert_eq!(counters.get(&format!("tcp.flags.{flags:#04x}")), 1, "{flags:#04x}");
    }
}

#[test]
fn a_sequence_number_that_is_the_destination_is_mirai() {
    let tcp = TcpFacts { sequence: 0xc000_0201, ..TCP };
    let counters = counted(IPV4, Transport::Tcp(tcp));
    assert_eq!(counters.get("signatures.mirai.packets"), 1);
    assert_eq!(counters.get("signatures.mirai.dst_ports.23"), 1);
    let answer = TcpFacts { flags: 0x12, ..tcp };
    assert_eq!(counted(IPV4, Transport::Tcp(answer)).get("signatures.mirai.packets"), 0);
    assert_eq!(counted(IPV6, Transport::Tcp(tcp)).get("signatures.mirai.packets"), 0);
}

#[test]
fn the_identification_tells_zmap_and_masscan() {
    let zmap = IpFacts { identification: Some(54321), ..IPV4 };
    assert_eq!(counted(zmap, Transport::None).get("signatures.zmap.packets"), 1);
    assert_eq!(counted(IPV4, Transport::None).get("signatures.zmap.packets"), 0);
    let fragment =
        Packet { outcome: "fragment", protocol: Some(6), ip: Some(zmap), transport: Transport::None };
    let mut counters = Counters::default();
    count(&mut counters, &fragment);
    assert_eq!(counters.get("signatures.zmap.packets"), 0);
    let masscan = IpFacts { identification: Some(0x0201 ^ 23 ^ 7), ..IPV4 };
    assert_eq!(counted(masscan, Transport::Tcp(TCP)).get("signatures.masscan.packets"), 1);
    assert_eq!(counted(IPV4, Transport::Tcp(TCP)).get("signatures.masscan.packets"), 0);
}

#[test]
fn a_watched_window_counts_for_scans_of_either_version() {
    let watched = TcpFacts { window: 5656, ..TCP };
    for ip in [IPV4, IPV6] {
        assert_eq!(counted(ip, Transport::Tcp(watched)).get("signatures.window.5656"), 1);
    }
    let answer = TcpFacts { flags: 0x12, ..watched };
    assert_eq!(counted(IPV6, Transport::Tcp(answer)).get("signatures.window.5656"), 0);
}

#[test]
fn a_malformed_packet_counts_by_outcome_and_length_only() {
    let mut counters = Counters::default();
    count_frame(&mut counters, 60);
    count(&mut counters, &Packet::MALFORMED);
    let document = serde_json::json!({"packets": 1, "bytes": 60, "outcomes": {"malformed": 1}});
    assert_eq!(counters, Counters::from_document(&document).unwrap());
}
