use std::path::Path;

use serde_json::json;

use super::*;
use crate::oracle::captures::is_capture;
use crate::oracle::carrier::Carriers;
use crate::oracle::counters::{Counters, Difference};
use crate::oracle::tshark::complaint;

#[test]
fn a_field_is_a_number_in_either_notation_or_absent() {
    let line = line("ip.id=0xd431,0x0001 ip.len=40 ip.version=four");
    let row = Row::parse(&line).unwrap();
    assert_eq!(row.number(Field::Ipv4Identification, 0).unwrap(), Some(54321));
    assert_eq!(row.number(Field::Ipv4Identification, 1).unwrap(), Some(1));
    assert_eq!(row.number(Field::Ipv4Identification, 2).unwrap(), None);
    assert_eq!(row.number(Field::Ipv4TotalLength, 0).unwrap(), Some(40));
    assert_eq!(row.number(Field::TcpFlags, 0).unwrap(), None);
    assert!(row.number(Field::IpVersion, 0).is_err());
    assert!(row.fact(Field::TcpFlags).is_err());
    assert!(Row::parse("1\t54").is_err());
}

#[test]
fn counters_differ_by_name_and_nothing_is_zero() {
    let apus = json!({"packets": 2, "tcp": {"classes": {"scan": 1, "other": 0}}, "form": "apus"});
    let tshark = json!({"packets": 2, "tcp": {"flags": {"0x02": 1}}});
    let apus = Counters::from_document(&apus).unwrap();
    let tshark = Counters::from_document(&tshark).unwrap();
    let difference = |what: &str, apus: &str, tshark: &str| Difference {
        what: what.to_owned(),
        apus: apus.to_owned(),
        tshark: tshark.to_owned(),
    };
    assert_eq!(
        Counters::differences(&apus, &tshark),
        [difference("tcp.classes.scan", "1", "0"), difference("tcp.flags.0x02", "0", "1")]
    );
}

#[test]
fn a_document_holds_counts_with_names() {
    for document in [json!({"packets": -1}), json!({"packets": 0.5}), json!({"ports": [23]})] {
        assert!(Counters::from_document(&document).is_err(), "{document}");
    }
}

#[test]
fn a_carrier_is_an_ipv4_packet_with_the_protocol_it_is_given() {
    let mut carriers = Carriers::new();
    carriers.add(60, &[6, 0, 1, 4]).unwrap();
    let (record, packet) = carriers.capture()[24..].split_at(16);
    assert_eq!(record, [0, 0, 0, 0, 0, 0, 0, 0, 24, 0, 0, 0, 24, 0, 0, 0]);
    assert_eq!((&packet[..4], packet[9], &packet[20..]), (&[0x45, 0, 0, 24][..], 60, &[6, 0, 1, 4][..]));
    assert!(carriers.add(60, &[0; 65535]).is_err());
    let mut bare = Carriers::of_version(false);
    bare.add_packet(&[0x60, 0, 0, 0]).unwrap();
    let (file_header, record) = bare.capture().split_at(24);
    assert_eq!((file_header[20], &record[16..]), (229, &[0x60, 0, 0, 0][..]));
}

#[test]
fn captures_go_by_their_extension() {
    for (name, expected) in
        [("a.pcap", true), ("a.PCAPNG", true), ("a.cap", true), ("a.pcap.gz", false), ("pcap", false)]
    {
        assert_eq!(is_capture(Path::new(name)), expected, "{name}");
    }
}

#[test]
fn the_reproach_to_root_is_no_complaint() {
    let printed = "Running as user \"root\" and group \"root\". This could be dangerous.\n\
                   tshark: The file \"a.pcap\" appears to have been cut short in the middle of a packet.\n";
    let expected = "tshark: The file \"a.pcap\" appears to have been cut short in the middle of a packet.";
    assert_eq!(complaint(printed), expected);
}
