//! Flows as the sensor writes them, as tshark has them, and with faults put into them.

use super::*;
use crate::oracle::counters::Difference;
use crate::oracle::flows::{BY_SOURCE, BY_TUPLE, Flows, Schema, Table, differences, parse};
use crate::oracle::second_look::Which;

const SOURCE_NAMES: &str = "interval_start,interval_end,ip_version,src_ip,victim_ip,protocol,class,port,\
icmp_type,icmp_code,mirai,zmap,masscan,window,quoted_protocol,packets,bytes,first_seen,last_seen,ttl_min,\
ttl_max,targets,targets_counted,overflow";
const SOURCE_ROW: &str = "1970-01-01T00:00:00Z,1970-01-01T00:00:09Z,4,198.51.100.7,,6,scan,23,,,true,true,\
false,5656,,2,80,1970-01-01T00:00:03Z,1970-01-01T00:00:05.500Z,50,50,1,exact,false";
const TUPLE_NAMES: &str = "interval_start,interval_end,ip_version,time,last_seen,src_ip,dst_ip,src_port,\
dst_port,protocol,ttl,tcp_flags,ip_len,tcp_synlen,tcp_synwinlen,packet_cnt,is_masscan,class,is_mirai,is_zmap,\
bytes,overflow";
const TUPLE_ROW: &str = "1970-01-01T00:00:00Z,1970-01-01T00:00:09Z,4,1970-01-01T00:00:03Z,\
1970-01-01T00:00:05.500Z,198.51.100.7,10.0.0.2,1000,23,6,50,2,40,20,5656,2,false,scan,true,true,80,false";

/// Two packets of one flow, the second of which is the earlier one.
fn expected() -> Flows {
    let mut flows = Flows::default();
    let syn = packet(&(ipv4(54, 40, 6) + SYN));
    flows.add(Which { number: 2, time: 3_000_000_000 }, &syn);
    flows.add(Which { number: 1, time: 5_500_000_000 }, &syn);
    flows
}

/// What is told to differ, where the sensor's row is `row`.
fn compared(schema: &Schema, names: &str, row: &str) -> Vec<Difference> {
    let tables = expected().tables([0, 9_000_000_000]);
    let expected = if schema.flow_key == "source" { tables.by_source } else { tables.by_tuple };
    differences(schema, &parse(schema, &format!("{names}\n{row}\n")).unwrap(), &expected)
}

#[test]
fn the_same_flows_do_not_differ() {
    assert_eq!(compared(&BY_SOURCE, SOURCE_NAMES, SOURCE_ROW), []);
    assert_eq!(compared(&BY_TUPLE, TUPLE_NAMES, TUPLE_ROW), []);
}

/// Puts a fault into each column in turn.
fn every_column_counts(schema: &Schema, names: &str, row: &str) {
    for (column, name) in names.split(',').enumerate() {
        let mut fields: Vec<&str> = row.split(',').collect();
        fields[column] = match fields[column] {
            time if time.ends_with('Z') => "1970-01-01T00:00:03.000000001Z",
            address if address.contains('.') => "192.0.2.99",
            "false" => "true",
            "true" => "false",
            "scan" => "other",
            "exact" => "estimate",
            "" if name == "victim_ip" => "192.0.2.99",
            _ => "99",
        };
        let differences = compared(schema, names, &fields.join(","));
        if schema.values.contains(&name) {
            assert_eq!(differences.len(), 1, "{name}");
            assert!(differences[0].what.ends_with(&format!(" {name}")), "{name}: {}", differences[0].what);
        } else {
            // Another key: one flow too many, and one too few.
            assert_eq!(differences.len(), 2, "{name}");
            assert!(differences.iter().any(|one| one.apus == "no such flow"), "{name}");
            assert!(differences.iter().any(|one| one.tshark == "no such flow"), "{name}");
        }
    }
}

#[test]
fn a_fault_in_any_column_is_a_difference() {
    every_column_counts(&BY_SOURCE, SOURCE_NAMES, SOURCE_ROW);
    every_column_counts(&BY_TUPLE, TUPLE_NAMES, TUPLE_ROW);
}

#[test]
fn a_missing_flow_is_told_by_its_key() {
    let expected = expected().tables([0, 9]).by_tuple;
    let missing = differences(&BY_TUPLE, &Table::new(), &expected).remove(0);
    assert!(missing.what.starts_with("flow by flowtuple: ip_version=4 src_ip=198.51.100.7 dst_ip=10.0.0.2"));
    assert_eq!(missing.apus, "no such flow");
}

#[test]
fn of_many_that_differ_it_is_told_how_many() {
    let keys = (0..30).map(|number| vec![number.to_string(); BY_SOURCE.keys.len()]);
    let table: Table = keys.map(|key| (key, Vec::new())).collect();
    let differences = differences(&BY_SOURCE, &table, &Table::new());
    assert_eq!(differences.len(), 21);
    assert_eq!(differences.last().unwrap().apus, "30 of 30");
}

#[test]
fn what_is_no_file_of_flows_is_not_taken_for_one() {
    let row = SOURCE_ROW;
    let short = row.strip_suffix(",false").unwrap();
    for (names, rows) in [
        (SOURCE_NAMES.to_owned(), short.to_owned()),
        (SOURCE_NAMES.to_owned(), format!("{row}\n{row}")),
        (format!("{SOURCE_NAMES},more"), format!("{row},1")),
        (SOURCE_NAMES.replace("ttl_min,", ""), String::new()),
        (SOURCE_NAMES.to_owned(), row.replace("scan", "\"scan\"")),
        (SOURCE_NAMES.to_owned(), row.replace("198.51.100.7", "nobody")),
        (SOURCE_NAMES.to_owned(), row.replace("00:00:09Z", "soon")),
    ] {
        assert!(parse(&BY_SOURCE, &format!("{names}\n{rows}\n")).is_err(), "{names} {rows}");
    }
    assert!(parse(&BY_SOURCE, "").is_err());
}

/// A flow to so many targets, of which the sensor counts `apus`.
fn targets_differ(targets: u8, apus: &str, counted: &str) -> bool {
    let mut flows = Flows::default();
    for target in 0..targets {
        let printed = (ipv4(54, 40, 6) + SYN).replace("ip.dst=10.0.0.2", &format!("ip.dst=10.0.0.{target}"));
        flows.add(Which { number: 1, time: 0 }, &packet(&printed.replace("seq_raw=167772162", "seq_raw=1")));
    }
    let tshark = flows.tables([0, 0]).by_source;
    let place = |column| BY_SOURCE.values.iter().position(|name| *name == column).unwrap();
    let mut sensor = tshark.clone();
    for row in sensor.values_mut() {
        row[place("targets")] = apus.to_owned();
        row[place("targets_counted")] = counted.to_owned();
    }
    !differences(&BY_SOURCE, &sensor, &tshark).is_empty()
}

#[test]
fn few_targets_are_exact_and_many_within_five_standard_errors() {
    assert!(!targets_differ(14, "14", "exact"));
    assert!(targets_differ(14, "13", "exact") && targets_differ(14, "14", "estimate"));
    assert!(!targets_differ(200, "200", "estimate"));
    assert!(!targets_differ(200, "264", "estimate") && !targets_differ(200, "136", "estimate"));
    assert!(targets_differ(200, "266", "estimate") && targets_differ(200, "134", "estimate"));
    assert!(targets_differ(200, "200", "exact") && targets_differ(200, "200", "at_least"));
    assert!(targets_differ(200, "many", "estimate"));
}

#[test]
fn a_tuple_has_the_window_of_its_first_packet_and_the_signatures_of_all() {
    let mut flows = Flows::default();
    let first = packet(&(ipv4(54, 40, 6) + &SYN.replace("=5656", "=1").replace("167772162", "7")));
    let later = packet(&(ipv4(54, 40, 6) + SYN));
    flows.add(Which { number: 8, time: 0 }, &later);
    flows.add(Which { number: 3, time: 9 }, &first);
    let (_, values) = flows.tables([0, 0]).by_tuple.pop_first().unwrap();
    let value = |column| &values[BY_TUPLE.values.iter().position(|name| *name == column).unwrap()];
    assert_eq!((value("tcp_synwinlen").as_str(), value("is_mirai").as_str()), ("1", "true"));
    assert_eq!((value("time").as_str(), value("last_seen").as_str()), ("0", "9"));
}
