//! From a packet to the counters that it should have raised.

use super::counters::Counters;
use super::packet::{Ipv4Facts, Packet, TcpFacts, Transport};

/// The windows that `apus-sensor replay` watches unless told otherwise.
const WATCHED_WINDOWS: [u16; 1] = [5656];
const ZMAP_IDENTIFICATION: u16 = 54321;

const FIN: u8 = 0x01;
const SYN: u8 = 0x02;
const RST: u8 = 0x04;
const ACK: u8 = 0x10;

/// What every frame raises, whatever is in it.
pub fn count_frame(counters: &mut Counters, wire_length: u64) {
    counters.add("packets", 1);
    counters.add("bytes", wire_length);
}

pub fn count(counters: &mut Counters, packet: &Packet) {
    let Packet { outcome, protocol, ipv4, transport } = packet;
    counters.add(&format!("outcomes.{outcome}"), 1);
    if let Some(protocol) = protocol {
        counters.add(&format!("ip_protocols.{protocol}"), 1);
    }
    if ipv4.is_some_and(|facts| facts.identification == ZMAP_IDENTIFICATION) {
        counters.add("signatures.zmap.packets", 1);
    }
    match transport {
        Transport::None => {}
        Transport::Tcp(facts) => count_tcp(counters, facts, ipv4.as_ref()),
        Transport::Udp { destination_port } => {
            counters.add(&format!("udp.dst_ports.{destination_port}"), 1);
        }
        Transport::Icmp { kind } => counters.add(&format!("icmp.v4_types.{kind}"), 1),
        Transport::Icmpv6 { kind } => counters.add(&format!("icmp.v6_types.{kind}"), 1),
    }
}

fn count_tcp(counters: &mut Counters, tcp: &TcpFacts, ipv4: Option<&Ipv4Facts>) {
    let TcpFacts { source_port, destination_port, flags, .. } = tcp;
    let (class, ports, port) = if flags & SYN != 0 && flags & (ACK | RST | FIN) == 0 {
        ("scan", "scan_dst_ports", destination_port)
    } else if flags & SYN != 0 && flags & ACK != 0 {
        ("backscatter_syn_ack", "backscatter_src_ports", source_port)
    } else if flags & RST != 0 {
        ("backscatter_rst", "backscatter_src_ports", source_port)
    } else {
        ("other", "other_dst_ports", destination_port)
    };
    counters.add(&format!("tcp.flags.0x{flags:02x}"), 1);
    counters.add(&format!("tcp.classes.{class}"), 1);
    counters.add(&format!("tcp.{ports}.{port}"), 1);
    if class == "scan" {
        count_scan_signatures(counters, tcp, ipv4);
    }
}

fn count_scan_signatures(counters: &mut Counters, tcp: &TcpFacts, ipv4: Option<&Ipv4Facts>) {
    let TcpFacts { destination_port, sequence, window, .. } = tcp;
    if WATCHED_WINDOWS.contains(window) {
        counters.add(&format!("signatures.window.{window}"), 1);
    }
    let Some(Ipv4Facts { identification, destination }) = ipv4 else {
        return;
    };
    let address = destination.to_bits();
    if address == *sequence {
        counters.add("signatures.mirai.packets", 1);
        counters.add(&format!("signatures.mirai.dst_ports.{destination_port}"), 1);
    }
    if u32::from(*identification) == (address ^ sequence ^ u32::from(*destination_port)) & 0xffff {
        counters.add("signatures.masscan.packets", 1);
    }
}
