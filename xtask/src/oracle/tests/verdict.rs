use serde_json::json;

use crate::oracle::comparison::{Verdict, verdict};
use crate::oracle::counters::Counters;
use crate::oracle::flows::{BY_SOURCE, BY_TUPLE, Schema, Table, Tables};
use crate::oracle::judge::{Ending, Judgement};
use crate::oracle::replay::{End, Replay};

const LINK_TYPE: &str = "packet 1: link type 9 (PPP) is not supported | 1 of 1 captures could not be read";

fn counters(packets: u64) -> Counters {
    Counters::from_document(&json!({"packets": packets})).unwrap()
}

/// One flow of each kind, in which every column has the same text.
fn tables(value: &str) -> Tables {
    let table = |schema: &Schema| {
        let text = |columns: &[&str]| columns.iter().map(|_| value.to_owned()).collect();
        Table::from([(text(schema.keys), text(schema.values))])
    };
    Tables { by_source: table(&BY_SOURCE), by_tuple: table(&BY_TUPLE) }
}

fn judgement(packets: u64, ending: Ending) -> Judgement {
    let (counters, flows) = (counters(packets), tables("1"));
    Judgement { counters, flows, ending, second_looks: 0, undecided: Vec::new() }
}

fn replay(packets: u64, end: End) -> Replay {
    Replay { counters: counters(packets), flows: tables("1"), end }
}

fn differs(judgement: &Judgement, replay: &Replay, file_type: Option<&str>) -> bool {
    matches!(verdict(judgement, replay, file_type).0, Verdict::Differ(_))
}

#[test]
fn every_counter_must_be_the_same() {
    let judgement = judgement(3, Ending::Complete);
    assert_eq!(verdict(&judgement, &replay(3, End::Complete), None), (Verdict::Agree, None));
    assert!(differs(&judgement, &replay(2, End::Complete), None));
}

#[test]
fn every_flow_of_both_kinds_must_be_the_same() {
    let judgement = judgement(3, Ending::Complete);
    let sound = || replay(3, End::Complete);
    let (by_source, by_tuple) = (tables("2").by_source, tables("2").by_tuple);
    for flows in [Tables { by_source, ..tables("1") }, Tables { by_tuple, ..tables("1") }] {
        assert!(differs(&judgement, &Replay { flows, ..sound() }, None));
    }
    assert!(differs(&judgement, &Replay { flows: Tables::default(), ..sound() }, None));
    assert!(!differs(&judgement, &sound(), None));
}

#[test]
fn a_packet_that_tshark_does_not_decide_is_no_agreement() {
    let undecided = vec!["packet 2: tshark gives no ip.proto".to_owned()];
    let judgement = Judgement { undecided, ..judgement(3, Ending::Complete) };
    assert!(differs(&judgement, &replay(3, End::Complete), None));
}

#[test]
fn both_must_stop_where_a_capture_is_broken() {
    let broken = || judgement(3, Ending::Broken("cut short".to_owned()));
    let refused = |packets| replay(packets, End::Refused("the file ends | in short".to_owned()));
    let (agreed, remark) = verdict(&broken(), &refused(3), None);
    assert_eq!((agreed, remark.as_deref()), (Verdict::Agree, Some("the file ends")));
    assert!(differs(&broken(), &refused(2), None));
    assert!(differs(&broken(), &replay(3, End::Complete), None));
    assert!(differs(&broken(), &replay(3, End::Crashed("signal 11".to_owned())), None));
    assert!(differs(&judgement(3, Ending::Complete), &refused(3), None));
}

#[test]
fn a_link_type_is_refused_by_name_and_only_where_tshark_sees_another_too() {
    let other = |packets| {
        judgement(packets, Ending::OtherLink { packet: packets + 1, encapsulation: "4".to_owned() })
    };
    let refused = replay(0, End::Refused(LINK_TYPE.to_owned()));
    assert_eq!(verdict(&other(0), &refused, None).0, Verdict::Refused);
    assert!(differs(&other(2), &refused, None));
    assert!(differs(&judgement(0, Ending::Complete), &refused, Some("Wireshark/... - pcapng")));
    assert!(differs(&other(0), &replay(0, End::Refused("no permission".to_owned())), None));
    assert!(differs(&other(0), &replay(0, End::Complete), None));
}

#[test]
fn a_file_of_another_format_is_refused() {
    let complete = || judgement(3, Ending::Complete);
    let refused = |packets| replay(packets, End::Refused("compressed with gzip".to_owned()));
    let compressed = Some("Wireshark/tcpdump/... - pcap (gzip compressed)");
    assert_eq!(verdict(&complete(), &refused(0), compressed).0, Verdict::Refused);
    assert_eq!(verdict(&complete(), &refused(1), compressed).0, Verdict::Refused);
    assert!(differs(&complete(), &refused(0), Some("Wireshark/tcpdump/... - pcap")));
    assert!(differs(&complete(), &replay(0, End::Complete), compressed));
}
