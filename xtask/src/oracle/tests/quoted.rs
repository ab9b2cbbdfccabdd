use super::*;
use crate::oracle::packet::{Quoted, Transport};
use crate::oracle::quoted::{alone, told_alone};

/// An ICMP error of 8 bytes and a quoted IPv4 packet of 40, as tshark prints it.
const ERROR: &str = "frame.cap_len=82 frame.encap_type=1 frame.protocols=eth:ethertype:ip:icmp:ip:tcp \
                     eth.type=0x0800 ip.version=4,4 ip.hdr_len=20,20 ip.len=68,40 ip.id=0x0001,0x0002 \
                     ip.frag_offset=0,0 ip.ttl=50,51 ip.proto=1,6 ip.src=192.0.2.1,10.0.0.2 \
                     ip.dst=10.0.0.2,203.0.113.9 icmp.type=3 icmp.code=1";
const ERROR_IPV6: &str = "frame.cap_len=122 frame.encap_type=1 eth.type=0x86dd ip.version=6,6 \
                          frame.protocols=eth:ethertype:ipv6:icmpv6:ipv6:tcp ipv6.plen=68,20 \
                          ipv6.nxt=58,6 ipv6.hlim=60,61 ipv6.src=2001:db8::1,2001:db8::2 \
                          ipv6.dst=2001:db8::2,2001:db8::9 icmpv6.type=1 icmpv6.code=4";

fn quoted(printed: &str) -> Option<Quoted> {
    match packet(printed).transport {
        Transport::Icmp(icmp) | Transport::Icmpv6(icmp) => icmp.quoted,
        other => panic!("{other:?}"),
    }
}

fn found(destination: &str, protocol: u8) -> Option<Quoted> {
    Some(Quoted { destination: destination.parse().unwrap(), protocol })
}

fn is_left_open(printed: &str) -> bool {
    matches!(step(printed), Step::LookAtQuoted { offset: 42 | 62, .. })
}

#[test]
fn an_error_quotes_the_header_behind_its_own() {
    assert_eq!(quoted(ERROR), found("203.0.113.9", 6));
    assert_eq!(quoted(ERROR_IPV6), found("2001:db8::9", 6));
    for kind in ["4", "5", "11", "12"] {
        let printed = ERROR.replace("icmp.type=3", &format!("icmp.type={kind}"));
        assert_eq!(quoted(&printed), found("203.0.113.9", 6), "{kind}");
    }
    assert_eq!(quoted(&ERROR.replace("icmp.type=3", "icmp.type=13")), None);
    assert_eq!(quoted(&ERROR_IPV6.replace("icmpv6.type=1", "icmpv6.type=128")), None);
}

#[test]
fn the_quoted_header_must_be_whole_by_length_and_capture() {
    for (printed, shorter) in [("cap_len=82", "cap_len=61"), ("ip.len=68", "ip.len=47")] {
        assert_eq!(quoted(&ERROR.replace(printed, shorter)), None, "{shorter}");
    }
    assert_eq!(quoted(&ERROR.replace("cap_len=82", "cap_len=62")), found("203.0.113.9", 6));
    for (printed, shorter) in [("cap_len=122", "cap_len=101"), ("plen=68", "plen=47")] {
        assert_eq!(quoted(&ERROR_IPV6.replace(printed, shorter)), None, "{shorter}");
    }
    assert_eq!(quoted(&ERROR_IPV6.replace("plen=68", "plen=48")), found("2001:db8::9", 6));
}

#[test]
fn a_header_of_the_other_version_is_not_quoted() {
    assert_eq!(quoted(&ERROR.replace("ip.version=4,4", "ip.version=4,6")), None);
    assert_eq!(quoted(&ERROR_IPV6.replace("ip.version=6,6", "ip.version=6,4")), None);
}

#[test]
fn what_tshark_does_not_tell_of_the_quoted_header_is_looked_at_again() {
    assert!(is_left_open(&ERROR.replace("ip.version=4,4", "ip.version=4")));
    assert!(is_left_open(&ERROR.replace("10.0.0.2,203.0.113.9", "10.0.0.2")));
    assert!(is_left_open(&ERROR_IPV6.replace("ipv6.nxt=58,6", "ipv6.nxt=58")));
}

#[test]
fn a_quoted_source_route_is_looked_behind() {
    let route = ERROR.replace("hdr_len=20,20", "hdr_len=20,28") + " ip.cur_rt=203.0.113.10";
    assert_eq!(quoted(&route), found("203.0.113.10", 6));
}

#[test]
fn alone_it_is_a_packet_that_ends_with_its_header() {
    let bytes: Vec<u8> = (0x4f..0x4f + 60).collect();
    let header = alone(true, &bytes).unwrap();
    assert_eq!((header.len(), &header[..5]), (20, &[0x45, 0x50, 0, 20, 0x53][..]));
    assert_eq!(header[5..], bytes[5..20]);
    let header = alone(false, &bytes).unwrap();
    assert_eq!((header.len(), &header[..7]), (40, &[0x4f, 0x50, 0x51, 0x52, 0, 0, 0x55][..]));
    assert!(alone(true, &bytes[..19]).is_err() && alone(false, &bytes[..39]).is_err());
}

#[test]
fn alone_it_is_quoted_if_it_is_of_the_right_version() {
    let told = |printed: &str, is_ipv4| {
        let line = line(printed);
        told_alone(&Row::parse(&line).unwrap(), is_ipv4).unwrap()
    };
    let ipv4 = "ip.version=4 ip.proto=17 ip.dst=203.0.113.9";
    assert_eq!((told(ipv4, true), told(ipv4, false)), (found("203.0.113.9", 17), None));
    let ipv6 = "ip.version=6 ipv6.nxt=43 ipv6.dst=2001:db8::9";
    assert_eq!((told(ipv6, false), told(ipv6, true)), (found("2001:db8::9", 43), None));
}
