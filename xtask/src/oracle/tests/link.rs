use super::*;
use crate::oracle::link::Link;

fn ethernet(captured: u32, protocols: &str, rest: &str) -> Link {
    let printed = format!("frame.cap_len={captured} frame.encap_type=1 frame.protocols={protocols} {rest}");
    let line = line(&printed);
    link(&Row::parse(&line).unwrap()).unwrap()
}

#[test]
fn the_ethertype_says_what_follows() {
    let ip = ethernet(54, "eth:ethertype:ip:tcp", "eth.type=0x0800");
    assert_eq!(ip, Link::Ip { version: 4, offset: 14 });
    let ipv6 = ethernet(74, "eth:ethertype:ipv6:tcp", "eth.type=0x86dd");
    assert_eq!(ipv6, Link::Ip { version: 6, offset: 14 });
    assert_eq!(ethernet(60, "eth:ethertype:data", "eth.type=0x0806"), Link::NonIp);
    // A length instead: SNAP, which may hold IP, and the undefined values above 1500.
    assert_eq!(ethernet(62, "eth:data", ""), Link::NonIp);
}

#[test]
fn a_frame_may_be_cut_in_its_own_header_or_just_behind_it() {
    assert_eq!(ethernet(13, "eth", ""), Link::Cut);
    let whole = ethernet(14, "eth:ethertype:ip", "eth.type=0x0800");
    assert_eq!(whole, Link::Ip { version: 4, offset: 14 });
    assert_eq!(ethernet(17, "eth:ethertype:vlan", "eth.type=0x8100"), Link::Cut);
}

#[test]
fn two_tags_are_looked_behind_and_a_third_is_not() {
    let one = ethernet(58, "eth:ethertype:vlan:ethertype:ip:tcp", "eth.type=0x8100 vlan.etype=0x0800");
    assert_eq!(one, Link::Ip { version: 4, offset: 18 });
    let two = ethernet(
        62,
        "eth:ethertype:vlan:ethertype:vlan:ethertype:ip:tcp",
        "eth.type=0x88a8 vlan.etype=0x8100,0x0800",
    );
    assert_eq!(two, Link::Ip { version: 4, offset: 22 });
    let three = ethernet(
        66,
        "eth:ethertype:vlan:ethertype:vlan:ethertype:vlan:ethertype:ip:tcp",
        "eth.type=0x9100 vlan.etype=0x8100,0x8100,0x0800",
    );
    assert_eq!(three, Link::NonIp);
}

#[test]
fn a_tag_before_a_length_is_no_ip() {
    assert_eq!(ethernet(66, "eth:ethertype:vlan:data", "eth.type=0x8100"), Link::NonIp);
}

#[test]
fn a_cooked_header_has_an_ethertype_or_something_else() {
    let cooked = |captured: u32, rest: &str| {
        let line = line(&format!("frame.cap_len={captured} frame.encap_type=25 {rest}"));
        link(&Row::parse(&line).unwrap()).unwrap()
    };
    let tagged = "frame.protocols=sll:ethertype:vlan:ethertype:ip:tcp sll.etype=0x8100 vlan.etype=0x0800";
    assert_eq!(cooked(60, tagged), Link::Ip { version: 4, offset: 20 });
    let tunnel = "frame.protocols=sll:ip:tcp sll.gretype=0x0800";
    assert_eq!(cooked(56, tunnel), Link::Ip { version: 4, offset: 16 });
    assert_eq!(cooked(56, "frame.protocols=sll:data"), Link::NonIp);
    assert_eq!(cooked(15, "frame.protocols=sll"), Link::Cut);
    // A radiotap header follows, whatever is where the Ethertype would be.
    let radio = "frame.protocols=sll:ethertype:ip:tcp sll.hatype=803 sll.etype=0x0800";
    assert_eq!(cooked(56, radio), Link::NonIp);
}

#[test]
fn what_tshark_cannot_tell_behind_a_gre_interface_is_said() {
    let line = line("frame.cap_len=60 frame.encap_type=25 frame.protocols=sll:data sll.gretype=0x8100");
    assert!(link(&Row::parse(&line).unwrap()).is_err());
}

#[test]
fn a_raw_packet_is_what_its_version_says() {
    let malformed = Step::Decided(Packet::MALFORMED);
    assert_eq!(raw_step("frame.cap_len=0"), malformed);
    assert_eq!(raw_step("frame.cap_len=5 ip.version=4 ip.hdr_len=20 ip.len=20"), malformed);
    assert_eq!(raw_step("frame.cap_len=40 ip.version=5"), Step::Decided(Packet::NON_IP));
    // Of a link type for IPv4 alone, every packet claims to be IPv4.
    assert_eq!(step("frame.cap_len=40 frame.encap_type=129 ip.version=5"), malformed);
}
