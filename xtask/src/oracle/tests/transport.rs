use super::*;
use crate::oracle::packet::{IcmpFacts, Place, Transport};

#[test]
fn tcp_needs_its_whole_header() {
    assert_eq!(outcome(&(ipv4(53, 39, 6) + SYN)), "malformed");
    assert_eq!(outcome(&(ipv4(54, 40, 6) + SYN)), "ipv4_tcp");
    let longer = SYN.replace("tcp.hdr_len=20", "tcp.hdr_len=60");
    assert_eq!(outcome(&(ipv4(104, 50, 6) + &longer)), "malformed");
    assert_eq!(outcome(&(ipv4(104, 80, 6) + &longer)), "ipv4_tcp");
    let shorter = "tcp.srcport=1000 tcp.dstport=23 tcp.seq_raw=167772162 tcp.hdr_len=16";
    assert_eq!(outcome(&(ipv4(54, 40, 6) + shorter)), "malformed");
}

#[test]
fn tcp_flags_are_eight_of_tsharks_twelve() {
    let printed = ipv4(54, 40, 6) + &SYN.replace("0x0002", "0x0fff");
    let Transport::Tcp(facts) = packet(&printed).transport else {
        panic!("no TCP");
    };
    assert_eq!(facts.flags, 0xff);
    assert_eq!((facts.source_port, facts.destination_port), (1000, 23));
    assert_eq!((facts.sequence, facts.window), (0x0a00_0002, 5656));
}

#[test]
fn udp_may_be_longer_than_its_packet_and_never_shorter_than_its_header() {
    let udp = |length: u32| ipv4(46, 32, 17) + &format!("udp.srcport=99 udp.dstport=53 udp.length={length}");
    assert_eq!(packet(&udp(999)).transport, Transport::Udp { source_port: 99, destination_port: 53 });
    for length in [0, 7] {
        assert_eq!(outcome(&udp(length)), "malformed", "{length}");
    }
    assert_eq!(outcome(&(ipv4(41, 27, 17) + "udp.dstport=53 udp.length=12")), "malformed");
}

#[test]
fn icmp_needs_eight_bytes_and_icmpv6_four() {
    assert_eq!(outcome(&ipv4(38, 24, 1)), "malformed");
    let quoting = ipv4(82, 68, 1) + SYN + "icmp.type=8 icmp.code=1";
    let facts = IcmpFacts { kind: 8, code: 1, quoted: None };
    assert_eq!(packet(&quoting).transport, Transport::Icmp(facts));
    let four = ipv6(58, 4, 58) + "icmpv6.type=128 icmpv6.code=1";
    let facts = IcmpFacts { kind: 128, ..facts };
    assert_eq!(packet(&four).transport, Transport::Icmpv6(facts));
    assert_eq!(outcome(&ipv6(57, 3, 58)), "malformed");
}

#[test]
fn the_other_versions_icmp_is_not_looked_into() {
    let printed = ipv4(42, 28, 58) + "icmpv6.type=128";
    assert_eq!((packet(&printed).outcome, packet(&printed).transport), ("ipv4_other", Transport::None));
    let printed = ipv6(62, 8, 1) + "icmp.type=8";
    assert_eq!((packet(&printed).outcome, packet(&printed).transport), ("ipv6_other", Transport::None));
}

#[test]
fn a_header_that_tshark_did_not_reach_is_looked_at_again() {
    // Destination options that say they are longer than they are: tshark stops there.
    let printed = ipv6(82, 28, 60) + "ipv6.dstopts.nxt=6 ipv6.dstopts.len=0";
    let place = Place { ip: ipv6_facts(28), protocol: 6, offset: 62, end: 82, walked: 1 };
    assert_eq!(step(&printed), Step::LookAgain(place));
}
