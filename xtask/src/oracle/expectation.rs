//! From a packet to the counters that it should have raised.

use super::counters::Counters;
use super::packet::{Packet, TcpFacts, Transport};
use super::rules::{self, SCAN, Signatures};

/// The windows that `apus-sensor replay` watches unless told otherwise.
const WATCHED_WINDOWS: [u16; 1] = [5656];

/// What every frame raises, whatever is in it.
pub fn count_frame(counters: &mut Counters, wire_length: u64) {
    counters.add("packets", 1);
    counters.add("bytes", wire_length);
}

pub fn count(counters: &mut Counters, packet: &Packet) {
    let Packet { outcome, protocol, ip: _, transport } = packet;
    counters.add(&format!("outcomes.{outcome}"), 1);
    if let Some(protocol) = protocol {
        counters.add(&format!("ip_protocols.{protocol}"), 1);
    }
    let Signatures { mirai, zmap, masscan } = rules::signatures(packet);
    for (name, found) in [("mirai", mirai), ("zmap", zmap), ("masscan", masscan)] {
        counters.add(&format!("signatures.{name}.packets"), found.into());
    }
    match transport {
        Transport::None => {}
        Transport::Tcp(facts) => count_tcp(counters, facts, mirai),
        Transport::Udp { destination_port, .. } => {
            counters.add(&format!("udp.dst_ports.{destination_port}"), 1);
        }
        Transport::Icmp(facts) => counters.add(&format!("icmp.v4_types.{}", facts.kind), 1),
        Transport::Icmpv6(facts) => counters.add(&format!("icmp.v6_types.{}", facts.kind), 1),
    }
}

fn count_tcp(counters: &mut Counters, tcp: &TcpFacts, mirai: bool) {
    let TcpFacts { source_port, destination_port, flags, window, .. } = tcp;
    let class = rules::tcp_class(*flags);
    let (ports, port) = if class == SCAN {
        ("scan_dst_ports", destination_port)
    } else if rules::is_backscatter(class) {
        ("backscatter_src_ports", source_port)
    } else {
        ("other_dst_ports", destination_port)
    };
    counters.add(&format!("tcp.flags.0x{flags:02x}"), 1);
    counters.add(&format!("tcp.classes.{class}"), 1);
    counters.add(&format!("tcp.{ports}.{port}"), 1);
    if class == SCAN && WATCHED_WINDOWS.contains(window) {
        counters.add(&format!("signatures.window.{window}"), 1);
    }
    if mirai {
        counters.add(&format!("signatures.mirai.dst_ports.{destination_port}"), 1);
    }
}
