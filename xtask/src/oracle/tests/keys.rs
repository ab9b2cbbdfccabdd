//! By which key packets, as tshark prints them, are told apart.

use super::*;
use crate::oracle::flows::{BY_SOURCE, BY_TUPLE, Flows};
use crate::oracle::second_look::Which;

/// The packet's rows by source and by tuple, as `column=text` of what is not absent.
fn rows(printed: &str) -> [String; 2] {
    let mut flows = Flows::default();
    flows.add(Which { number: 1, time: 5 }, &packet(printed));
    let tables = flows.tables([0, 9]);
    [(&BY_SOURCE, tables.by_source), (&BY_TUPLE, tables.by_tuple)].map(|(schema, table)| {
        let (key, values) = table.first_key_value().unwrap();
        let columns = schema.keys.iter().chain(schema.values).zip(key.iter().chain(values));
        let present = columns.filter(|(_, text)| !text.is_empty());
        present.map(|(column, text)| format!("{column}={text} ")).collect()
    })
}

fn holds(row: &str, columns: &str) {
    for column in columns.split_whitespace() {
        assert!(row.split(' ').any(|has| has == column), "no {column} in {row}");
    }
}

fn lacks(row: &str, columns: &str) {
    for column in columns.split_whitespace() {
        assert!(!row.contains(&format!("{column}=")), "{column} in {row}");
    }
}

#[test]
fn a_scan() {
    let [by_source, by_tuple] = rows(&(ipv4(54, 40, 6) + SYN));
    holds(&by_source, "ip_version=4 src_ip=198.51.100.7 protocol=6 class=scan port=23 window=5656 bytes=40");
    holds(
        &by_source,
        "mirai=true zmap=true masscan=false ttl_min=50 ttl_max=50 targets=1 targets_counted=exact",
    );
    lacks(&by_source, "victim_ip icmp_type icmp_code quoted_protocol");
    holds(&by_tuple, "src_ip=198.51.100.7 dst_ip=10.0.0.2 src_port=1000 dst_port=23 protocol=6 ttl=50");
    holds(&by_tuple, "tcp_flags=2 ip_len=40 class=scan tcp_synlen=20 tcp_synwinlen=5656 packet_cnt=1");
    holds(&by_tuple, "is_mirai=true is_zmap=true is_masscan=false time=5 last_seen=5 interval_end=9");
}

#[test]
fn backscatter_comes_from_the_victim_and_its_port() {
    let [by_source, by_tuple] = rows(&(ipv4(54, 40, 6) + &SYN.replace("0x0002", "0x0014")));
    holds(&by_source, "class=backscatter_rst port=1000 victim_ip=198.51.100.7 mirai=false");
    lacks(&by_source, "window");
    holds(&by_tuple, "src_port=1000 dst_port=23 tcp_flags=20 tcp_synlen=0 tcp_synwinlen=0");
    let udp = ipv4(42, 28, 17) + "udp.srcport=53 udp.dstport=99 udp.length=8";
    holds(&rows(&udp)[0], "class=backscatter port=53 victim_ip=198.51.100.7");
    let [by_source, _] = rows(&udp.replace("srcport=53", "srcport=54"));
    holds(&by_source, "class=scan port=99");
    lacks(&by_source, "victim_ip window");
}

#[test]
fn icmp_has_type_and_code_and_classes_of_its_own() {
    for (kind, class) in [
        (8, "scan"),
        (0, "backscatter"),
        (14, "backscatter"),
        (16, "backscatter"),
        (18, "backscatter"),
        (3, "backscatter"),
        (13, "other"),
        (17, "other"),
    ] {
        let [by_source, by_tuple] = rows(&(ipv4(42, 28, 1) + &format!("icmp.type={kind} icmp.code=7")));
        holds(&by_source, &format!("class={class} icmp_type={kind} icmp_code=7"));
        holds(&by_tuple, &format!("class={class} src_port={kind} dst_port=7 tcp_flags=0"));
        lacks(&by_source, "port");
    }
    for (kind, class) in [(128, "scan"), (129, "backscatter"), (4, "backscatter"), (5, "other"), (0, "other")]
    {
        let [by_source, _] = rows(&(ipv6(62, 8, 58) + &format!("icmpv6.type={kind} icmpv6.code=0")));
        holds(&by_source, &format!("class={class} bytes=48 ip_version=6"));
    }
}

#[test]
fn an_error_tells_of_the_quoted_victim_or_of_none() {
    let error = (ipv4(62, 48, 1) + "icmp.type=3 icmp.code=3")
        .replace("ip.version=4", "ip.version=4,4")
        .replace("ip.hdr_len=20", "ip.hdr_len=20,20")
        .replace("ip.proto=1", "ip.proto=1,17")
        .replace("ip.dst=10.0.0.2", "ip.dst=10.0.0.2,203.0.113.9");
    holds(&rows(&error)[0], "victim_ip=203.0.113.9 quoted_protocol=17");
    lacks(&rows(&error.replace("203.0.113.9", "0.0.0.0"))[0], "victim_ip quoted_protocol");
    lacks(&rows(&error.replace("4,4", "4,5"))[0], "victim_ip quoted_protocol");
    // An answer that is no error comes from the victim.
    holds(&rows(&error.replace("type=3", "type=0"))[0], "victim_ip=198.51.100.7");
}

#[test]
fn a_fragment_has_its_protocol_and_no_signature() {
    let printed = ipv4(54, 40, 6).replace("ip.frag_offset=0", "ip.frag_offset=1");
    let [by_source, by_tuple] = rows(&printed);
    holds(&by_source, "class=fragment protocol=6 zmap=false");
    lacks(&by_source, "port window victim_ip");
    holds(&by_tuple, "class=fragment src_port=0 dst_port=0");
}

#[test]
fn packets_without_ip_are_of_no_flow() {
    let mut flows = Flows::default();
    for packet in [Packet::MALFORMED, Packet::NON_IP] {
        flows.add(Which { number: 1, time: 5 }, &packet);
    }
    assert_eq!(flows.tables([0, 9]).rows(), 0);
}
