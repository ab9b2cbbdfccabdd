//! TCP over IPv4: scans, backscatter, and probes with other flags.

use sensor_ebpf::generate::mutations::{
    DESTINATION_PORT, IPV4_SOURCE, IPV4_TARGET, MASSCAN, MIRAI, SEQUENCE, SOURCE_PORT,
};

use super::{
    ANY_ADDRESS, ANY_SOURCE, USUAL_WINDOW, WATCHED_WINDOW, ipv4, kind, syn, to_telescope, usual_syn,
};
use crate::frame::{Built, Frame, Ipv4, Tcp};
use crate::mix::Kind;
use crate::mix::expectation::{Expectation, Port, Version};

pub fn kinds() -> Vec<Kind> {
    let mut kinds = vec![
        mirai("telnet, Mirai", 150, 23),
        mirai("telnet 2323, Mirai", 30, 2323),
        mirai("router 37215, Mirai", 20, 37215),
        mirai("ssh, Mirai", 12, 22),
        scan("telnet", 100, 23),
        scan("redis", 80, 6379),
        scan("ssh", 70, 22),
        scan("MikroTik API", 50, 8728),
        scan("SMB", 40, 445),
        scan("MS SQL", 20, 1433),
        scan("http", 40, 80),
        scan("RDP", 24, 3389),
        scan("Android debugger", 20, 5555),
        kind(
            "telnet, window 5656",
            40,
            to_telescope().tcp(&syn(23, WATCHED_WINDOW, &[])).build(),
            ANY_SOURCE,
            a_scan(23).window(WATCHED_WINDOW),
        ),
    ];
    kinds.extend(tools());
    kinds.extend(backscatter());
    kinds.extend(other_flags());
    kinds
}

fn scan(name: &'static str, weight: u32, port: u16) -> Kind {
    kind(name, weight, to_telescope().tcp(&usual_syn(port)).build(), ANY_SOURCE, a_scan(port))
}

/// The sequence number is the destination, 198.18.0.1 before it varies.
fn mirai(name: &'static str, weight: u32, port: u16) -> Kind {
    let header = Tcp { sequence: 0xc612_0001, ..syn(port, USUAL_WINDOW, &[]) };
    let mutations = IPV4_SOURCE | IPV4_TARGET | SOURCE_PORT | MIRAI;
    kind(name, weight, to_telescope().tcp(&header).build(), mutations, a_scan(port).mirai(port))
}

fn tools() -> [Kind; 2] {
    let zmap = Ipv4 { identification: 54321, ..ipv4() };
    // 0x0001 ^ 8080 ^ 0x0304: destination, port and sequence number before they vary.
    let masscan = Ipv4 { identification: 0x1c95, time_to_live: 238, ..ipv4() };
    let masscan_mutations = IPV4_SOURCE | IPV4_TARGET | SOURCE_PORT | MASSCAN;
    let frame = |header: &Ipv4, tcp: &Tcp| -> Built { Frame::ethernet().ipv4(header).tcp(tcp).build() };
    [
        kind("https, ZMap", 24, frame(&zmap, &syn(443, 65535, &[])), ANY_SOURCE, a_scan(443).zmap()),
        kind(
            "http 8080, masscan",
            24,
            frame(&masscan, &syn(8080, 1024, &[])),
            masscan_mutations,
            a_scan(8080).masscan(),
        ),
    ]
}

fn backscatter() -> [Kind; 4] {
    let answer = |name, weight, source_port, flags, class| {
        let header = Tcp { source_port, flags, ..usual_syn(40321) };
        let mutations = ANY_ADDRESS | DESTINATION_PORT | SEQUENCE;
        let expectation = Expectation::backscatter(class, flags, Port::Is(source_port));
        kind(name, weight, to_telescope().tcp(&header).build(), mutations, expectation)
    };
    [
        answer("SYN-ACK from https", 20, 443, 0x12, "backscatter_syn_ack"),
        answer("SYN-ACK from http", 14, 80, 0x12, "backscatter_syn_ack"),
        answer("RST-ACK from https", 10, 443, 0x14, "backscatter_rst"),
        answer("RST from http", 8, 80, 0x04, "backscatter_rst"),
    ]
}

fn other_flags() -> [Kind; 5] {
    let probe = |name, weight, port, flags| {
        let header = Tcp { flags, ..usual_syn(port) };
        let expectation = Expectation::other_tcp(flags, Port::Is(port));
        kind(name, weight, to_telescope().tcp(&header).build(), ANY_SOURCE, expectation)
    };
    [
        probe("ACK to http", 6, 80, 0x10),
        probe("FIN to ssh", 3, 22, 0x01),
        probe("no flags", 2, 80, 0x00),
        probe("FIN, PSH and URG", 2, 443, 0x29),
        probe("SYN and FIN", 2, 139, 0x03),
    ]
}

fn a_scan(port: u16) -> Expectation {
    Expectation::scan(Version::V4, Port::Is(port))
}
