use super::*;
use crate::oracle::packet::Place;

#[test]
fn an_ethertype_of_the_other_version_is_malformed() {
    let as_ipv4 = "frame.cap_len=74 frame.encap_type=1 frame.protocols=eth:ethertype:ip:ipv6:tcp \
                   eth.type=0x0800 ip.version=6,6 ipv6.plen=20 ipv6.nxt=6 ";
    assert_eq!(outcome(&format!("{as_ipv4}{SYN}")), "malformed");
    let as_ipv6 = "frame.cap_len=54 frame.encap_type=1 frame.protocols=eth:ethertype:data eth.type=0x86dd \
                   ip.version=4";
    assert_eq!(outcome(as_ipv6), "malformed");
}

#[test]
fn an_ipv4_header_must_be_whole_and_its_lengths_possible() {
    let start = "frame.encap_type=1 frame.protocols=eth:ethertype:ip eth.type=0x0800";
    for (printed, expected) in [
        ("frame.cap_len=14", "malformed"),
        ("frame.cap_len=33 ip.version=4 ip.hdr_len=20 ip.len=20 ip.proto=6", "malformed"),
        ("frame.cap_len=54 ip.version=4 ip.hdr_len=16", "malformed"),
        ("frame.cap_len=54 ip.version=4 ip.hdr_len=20 ip.len=0", "malformed"),
        ("frame.cap_len=54 ip.version=4 ip.hdr_len=20 ip.len=19", "malformed"),
        ("frame.cap_len=42 ip.version=4 ip.hdr_len=60 ip.len=80", "malformed"),
    ] {
        assert_eq!(outcome(&format!("{start} {printed}")), expected, "{printed}");
    }
}

#[test]
fn a_length_beyond_the_frame_is_no_fault_and_padding_no_payload() {
    assert_eq!(outcome(&(ipv4(54, 65535, 6) + SYN)), "ipv4_tcp");
    assert_eq!(outcome(&ipv4(60, 30, 6)), "malformed");
}

#[test]
fn a_later_fragment_has_a_protocol_and_no_ports() {
    let printed = ipv4(54, 40, 6).replace("ip.frag_offset=0", "ip.frag_offset=1");
    let fragment = packet(&printed);
    assert_eq!((fragment.outcome, fragment.protocol), ("fragment", Some(6)));
    assert_eq!(fragment.ip.map(|ip| (ip.time_to_live, ip.length)), Some((50, 40)));
}

/// IP in IP, with options in those headers that have them, and source routes in some of those.
fn destination(lengths: &str, destinations: &str, routes: &str) -> anyhow::Result<String> {
    let printed = format!(
        "frame.cap_len=96 frame.encap_type=1 frame.protocols=eth:ethertype:ip:ip eth.type=0x0800 \
         ip.version=4,4 ip.hdr_len={lengths} ip.len=82,48 ip.id=0x0001,0x0001 ip.frag_offset=0,0 \
         ip.ttl=1,2 ip.proto=4,6 ip.src=192.0.2.1,192.0.2.2 ip.dst={destinations} ip.cur_rt={routes}"
    );
    let line = line(&printed);
    let row = Row::parse(&line).unwrap();
    match decide(&row, link(&row)?)? {
        Step::Decided(packet) => Ok(packet.ip.unwrap().destination.to_string()),
        step => panic!("{step:?}"),
    }
}

#[test]
fn the_destination_is_the_headers_even_behind_a_source_route() {
    assert_eq!(destination("28", "5.6.7.8", "10.0.0.2").unwrap(), "10.0.0.2");
    assert_eq!(destination("28", "5.6.7.8", "").unwrap(), "5.6.7.8");
    assert_eq!(destination("28,20", "5.6.7.8,9.9.9.9", "10.0.0.2").unwrap(), "10.0.0.2");
    assert_eq!(destination("28,28", "5.6.7.8,9.9.9.9", "10.0.0.2,10.0.0.3").unwrap(), "10.0.0.2");
    assert_eq!(destination("28,28", "5.6.7.8,9.9.9.9", "").unwrap(), "5.6.7.8");
}

#[test]
fn an_inner_headers_source_route_says_nothing_of_the_outer_destination() {
    assert_eq!(destination("20,28", "10.0.0.2,9.9.9.9", "10.0.0.3").unwrap(), "10.0.0.2");
    // Both have options, and one of them a route: whose it is tshark does not tell.
    assert!(destination("28,28", "10.0.0.2,9.9.9.9", "10.0.0.3").is_err());
}

#[test]
fn the_outermost_header_counts() {
    let tunnel = "frame.cap_len=74 frame.encap_type=1 frame.protocols=eth:ethertype:ip:ip:tcp \
                  eth.type=0x0800 ip.version=4,4 ip.hdr_len=20,20 ip.len=60,40 ip.id=0xd431,0xd431 \
                  ip.frag_offset=0,0 ip.ttl=50,51 ip.proto=4,6 ip.src=192.0.2.1,192.0.2.2 \
                  ip.dst=10.0.0.2,10.0.0.3 ";
    let tunnel = packet(&format!("{tunnel}{SYN}"));
    assert_eq!((tunnel.outcome, tunnel.protocol), ("ipv4_other", Some(4)));
    let ip = tunnel.ip.unwrap();
    let addresses = [ip.source, ip.destination].map(|address| address.to_string());
    assert_eq!(
        (addresses, ip.time_to_live, ip.length),
        (["192.0.2.1", "10.0.0.2"].map(str::to_owned), 50, 60)
    );
}

#[test]
fn extension_headers_are_walked_in_the_order_of_the_chain() {
    // Destination options, routing, destination options: the first and the last share a list.
    let chain = "ipv6.dstopts.nxt=43,6 ipv6.dstopts.len=0,1 ipv6.routing.nxt=60 ipv6.routing.len=2 ";
    let printed = ipv6(126, 72, 60) + chain + SYN;
    assert_eq!(packet(&printed).outcome, "ipv6_tcp");
    assert_eq!(packet(&printed.replace("plen=72", "plen=67")).outcome, "malformed");
}

#[test]
fn an_extension_header_must_be_whole() {
    let printed = ipv6(58, 4, 0) + "ipv6.hopopts.nxt=6 ipv6.hopopts.len=0";
    assert_eq!(outcome(&printed), "malformed");
    let printed = ipv6(62, 8, 0) + "ipv6.hopopts.nxt=6 ipv6.hopopts.len=1";
    assert_eq!(outcome(&printed), "malformed");
}

#[test]
fn the_ninth_extension_header_is_not_walked() {
    let chain = "ipv6.dstopts.nxt=60,60,60,60,60,60,60,60,6 ipv6.dstopts.len=0,0,0,0,0,0,0,0,0 ";
    let nine = packet(&(ipv6(146, 92, 60) + chain + SYN));
    assert_eq!((nine.outcome, nine.protocol), ("ipv6_other", Some(60)));
    let chain = "ipv6.dstopts.nxt=60,60,60,60,60,60,60,6 ipv6.dstopts.len=0,0,0,0,0,0,0,0 ";
    assert_eq!(packet(&(ipv6(138, 84, 60) + chain + SYN)).outcome, "ipv6_tcp");
}

#[test]
fn a_later_ipv6_fragment_ends_the_chain() {
    let printed = ipv6(82, 28, 44) + "ipv6.fraghdr.nxt=60 ipv6.fraghdr.offset=1";
    let fragment = packet(&printed);
    assert_eq!((fragment.outcome, fragment.protocol), ("fragment", Some(60)));
    let first = ipv6(82, 28, 44) + "ipv6.fraghdr.nxt=6 ipv6.fraghdr.offset=0 " + SYN;
    assert_eq!(outcome(&first), "ipv6_tcp");
}

#[test]
fn a_payload_length_of_zero_leaves_the_bound_to_the_frame() {
    // tshark sees no payload then; it is to see it by itself.
    let place = Place { ip: ipv6_facts(0), protocol: 6, offset: 54, end: 74, walked: 0 };
    assert_eq!(step(&ipv6(74, 0, 6)), Step::LookAgain(place));
}
