use super::*;
use crate::abi::Signature;
use crate::digest::marks;
use crate::observed::Everything;
use crate::packet::decode;

/// An Ethernet frame with this ethertype and IP packet, behind so many VLAN tags.
fn frame(tags: usize, ethertype: u16, packet: &[u8]) -> Vec<u8> {
    let mut bytes = vec![2; 12];
    bytes.extend([0x81, 0x00, 0, 1].repeat(tags));
    bytes.extend(ethertype.to_be_bytes());
    bytes.extend(packet);
    bytes
}

fn ipv4(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(20 + payload.len()).expect("a short packet").to_be_bytes();
    let mut packet = vec![0x45, 0, length[0], length[1], 0, 1, 0, 0, 64, protocol, 0, 0];
    packet.extend([198, 51, 100, 1, 203, 0, 113, 7]);
    packet.extend(payload);
    packet
}

fn tcp(flags: u8) -> Vec<u8> {
    let mut header = vec![0x9c, 0x40, 0, 23];
    header.extend([0; 8]);
    header.extend([0x50, flags, 0, 0, 0, 0, 0, 0]);
    header
}

fn traits(bytes: &[u8], signatures: u8) -> Traits {
    let frame = Frame::new(bytes);
    Traits::new(&decode(frame, &Everything), frame, signatures)
}

#[test]
fn traits_say_where_the_source_is_and_which_port_is_the_services() {
    for tags in 0..=2 {
        let scan = traits(&frame(tags, 0x0800, &ipv4(6, &tcp(2))), marks::MIRAI);
        assert_eq!((scan.class(), scan.port()), (TrafficClass::Scan as u8, 23));
        assert_eq!(scan.signatures(), 1 << Signature::Mirai as u8);
        assert!(scan.is_observed() && !scan.is_ipv6());
        assert_eq!(scan.source_offset(), 14 + 4 * tags + 12);
    }
    let answer = traits(&frame(0, 0x0800, &ipv4(6, &tcp(0x12))), 0);
    assert_eq!((answer.class(), answer.port()), (TrafficClass::BackscatterSynAck as u8, 0x9c40));
    let echo = traits(&frame(0, 0x0800, &ipv4(1, &[8, 0, 0, 0, 0, 0, 0, 0])), 0);
    assert_eq!(echo.port(), 0x0800);
    let mut ipv6 = vec![0x60, 0, 0, 0, 0, 0, 59, 64];
    ipv6.extend([0x20; 32]);
    let other = traits(&frame(1, 0x86dd, &ipv6), 0);
    assert!(other.is_observed() && other.is_ipv6());
    assert_eq!(other.source_offset(), 14 + 4 + 8);
    assert!(!traits(&frame(0, 0x0806, &[0; 28]), 0).is_observed());
}

fn of_ports(first: u32, second: u32, port_count: u32) -> EvidenceFilter {
    let mut ports = [0; EVIDENCE_PORTS];
    (ports[0], ports[1]) = (first, second);
    EvidenceFilter { ports, port_count, ..EvidenceFilter::EVERYTHING }
}

/// A criterion that is not configured is none; of one that is, any value will do; and all kinds must match.
#[test]
fn kinds_are_joined_by_and_and_values_by_or() {
    let scan = traits(&frame(0, 0x0800, &ipv4(6, &tcp(2))), marks::ZMAP);
    assert!(EvidenceFilter::EVERYTHING.matches(scan));
    for signature in [None, Some(true), Some(false)] {
        for class in [None, Some(true), Some(false)] {
            for service in [None, Some(true), Some(false)] {
                let filter = match service {
                    None => EvidenceFilter::EVERYTHING,
                    Some(true) => of_ports(80, 23, 2),
                    // The second is not used.
                    Some(false) => of_ports(80, 23, 1),
                };
                let pick = |wanted: Option<bool>, yes: u32, no: u32| match wanted {
                    None => 0,
                    Some(true) => yes | no,
                    Some(false) => no,
                };
                let filter = EvidenceFilter {
                    signatures: pick(signature, marks::ZMAP.into(), marks::MIRAI.into()),
                    classes: pick(class, 1 << TrafficClass::Scan as u32, 1 << TrafficClass::Other as u32),
                    ..filter
                };
                let wanted = [signature, class, service].iter().all(|kind| *kind != Some(false));
                assert_eq!(filter.matches(scan), wanted, "{signature:?} {class:?} {service:?}");
            }
        }
    }
}

#[test]
fn sources_are_of_either_family_and_of_none_where_only_the_other_is_named() {
    let mut filter = EvidenceFilter::EVERYTHING;
    assert!(filter.matches_ipv4([0; 4]) && filter.matches_ipv6(&[0; 16]));
    filter.sources_restricted = 1;
    assert!(!filter.matches_ipv4([0; 4]) && !filter.matches_ipv6(&[0; 16]));
    for place in 0..EVIDENCE_RANGES as u32 {
        let first = 0x0a00_0000 + place * 0x100;
        filter.ipv4[place as usize] = Ipv4Range { first, last: first + 0x0f };
        filter.ipv4_count = place + 1;
        for inside in [first, first + 0x0f] {
            assert!(filter.matches_ipv4(inside.to_be_bytes()));
        }
        for outside in [first - 1, first + 0x10] {
            assert!(!filter.matches_ipv4(outside.to_be_bytes()));
        }
    }
    assert!(!filter.matches_ipv6(&[0; 16]));
}
