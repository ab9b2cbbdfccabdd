//! Rows as tshark prints them, written `field=value`, and what is to be made of them.

mod clock;
mod counting;
mod flows;
mod keys;
mod link;
mod network;
mod parts;
mod quoted;
mod second_look;
mod transport;
mod verdict;

use super::link::{link, raw_link};
use super::network::decide;
use super::packet::{IpFacts, Packet, Step};
use super::row::{Field, Row};

/// A line of tshark's, from the fields that have a value.
fn line(printed: &str) -> String {
    let mut columns = vec![""; Field::NAMES.len()];
    for pair in printed.split_whitespace() {
        let (name, value) = pair.split_once('=').unwrap();
        let column = Field::NAMES.iter().position(|known| *known == name);
        columns[column.unwrap_or_else(|| panic!("{name} is not asked for"))] = value;
    }
    columns.join("\t")
}

fn step(printed: &str) -> Step {
    let line = line(printed);
    let row = Row::parse(&line).unwrap();
    decide(&row, link(&row).unwrap()).unwrap()
}

/// Of a packet of a capture of raw IP.
fn raw_step(printed: &str) -> Step {
    let line = line(printed);
    let row = Row::parse(&line).unwrap();
    decide(&row, raw_link(&row).unwrap()).unwrap()
}

fn packet(printed: &str) -> Packet {
    match step(printed) {
        Step::Decided(packet) => packet,
        undecided => panic!("{undecided:?}"),
    }
}

/// The IP header of [`ipv6`], with a payload of this length.
fn ipv6_facts(payload: u16) -> IpFacts {
    IpFacts {
        source: "2001:db8::1".parse().unwrap(),
        destination: "2001:db8::2".parse().unwrap(),
        time_to_live: 60,
        length: payload,
        identification: None,
    }
}

fn outcome(printed: &str) -> &'static str {
    packet(printed).outcome
}

/// An Ethernet frame that holds an IPv4 packet of `total` bytes with the protocol `protocol`.
fn ipv4(captured: u32, total: u32, protocol: u8) -> String {
    format!(
        "frame.cap_len={captured} frame.encap_type=1 frame.protocols=eth:ethertype:ip eth.type=0x0800 \
         ip.version=4 ip.hdr_len=20 ip.len={total} ip.id=0xd431 ip.frag_offset=0 ip.ttl=50 \
         ip.proto={protocol} ip.src=198.51.100.7 ip.dst=10.0.0.2 "
    )
}

/// An Ethernet frame that holds an IPv6 packet.
fn ipv6(captured: u32, payload: u32, next_header: u8) -> String {
    format!(
        "frame.cap_len={captured} frame.encap_type=1 frame.protocols=eth:ethertype:ipv6 eth.type=0x86dd \
         ip.version=6 ipv6.plen={payload} ipv6.nxt={next_header} ipv6.hlim=60 \
         ipv6.src=2001:db8::1 ipv6.dst=2001:db8::2 "
    )
}

const SYN: &str = "tcp.srcport=1000 tcp.dstport=23 tcp.seq_raw=167772162 tcp.hdr_len=20 tcp.flags=0x0002 \
                   tcp.window_size_value=5656 ";
