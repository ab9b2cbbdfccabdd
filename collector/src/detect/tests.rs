use sensor_ebpf::abi::TrafficClass;
use serde_json::Value;
use wire::Row;

use super::*;
use crate::config::StoreFlags;
use crate::store::conformance::{Sample, flow};
use crate::store::sqlite::{SqliteOptions, SqliteStore};
use crate::store::{NANOSECONDS_OF_DAY, Store as _};

const FIRST: u32 = 19_800;
const SECOND: u64 = 1_000_000_000;

struct Lab {
    folder: tempfile::TempDir,
    store: SqliteStore,
}

impl Lab {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("store"), SqliteOptions::default()).unwrap();
        Self { folder, store }
    }

    fn day(&mut self, day: u32, rows: Vec<Row>) {
        let start = Day(FIRST + day).start();
        let rows = rows.into_iter().map(|row| Row {
            first_seen: row.first_seen + start,
            last_seen: row.last_seen + start,
            ..row
        });
        let end = start + NANOSECONDS_OF_DAY;
        let sample = Sample { end, ..Sample::new("a", u64::from(day) + 1, start).with(rows) };
        self.store.commit(&[sample.incoming()]).unwrap();
    }

    fn arguments(&self, from: u32, to: u32) -> Arguments {
        Arguments {
            store: StoreArguments {
                store: Some(self.folder.path().join("store")),
                flags: StoreFlags::default(),
            },
            from: Day(FIRST + from),
            to: Day(FIRST + to),
            history: HistorySettings { history_days: 14, least_history: 7, score: 6.0, least_packets: 50 },
            spoofed: SpoofedSettings { packets: 25, seconds: 60, minute_packets: 30, silence: 300 },
            most: 50,
            json: true,
        }
    }

    fn found(&self, arguments: &Arguments) -> Vec<Value> {
        let mut output = Vec::new();
        run(arguments, &mut output).unwrap();
        let json: Value = serde_json::from_slice(&output).unwrap();
        json["findings"].as_array().unwrap().clone()
    }
}

fn day(number: u32) -> String {
    Day(FIRST + number).to_string()
}

#[test]
fn unusual_days_and_new_ports_are_found_and_gaps_are_not() {
    let mut lab = Lab::new();
    for number in 0..20 {
        // Nobody observes on these; a low count on them would be unusual.
        if (12..14).contains(&number) {
            continue;
        }
        let telnet = match number {
            16 => 1_000,
            17 => 2,
            _ => 100 + u64::from(number % 3),
        };
        let mut rows = vec![flow("192.0.2.1", 6, 23, telnet, 0), flow("192.0.2.2", 6, 80, 200, 0)];
        // Few packets are no news, however many times as many.
        rows.push(flow("192.0.2.3", 6, 7777, if number == 16 { 40 } else { 1 }, 0));
        if number >= 15 {
            rows.push(flow("192.0.2.4", 6, 8728, 60, 0));
        }
        lab.day(number, rows);
    }
    let found = lab.found(&lab.arguments(10, 20));
    let of = |kind: &str| -> Vec<&Value> { found.iter().filter(|one| one["kind"] == kind).collect() };
    let told: Vec<_> = of("unusual_port").iter().map(|one| (&one["port"], &one["day"])).collect();
    let telnet = Value::from(23);
    assert!(
        told.contains(&(&telnet, &day(16).into())) && told.contains(&(&telnet, &day(17).into())),
        "{told:?}"
    );
    assert!(!found.iter().any(|one| one["port"] == 7777 || one["port"] == 80), "{found:#?}");
    assert!(!found.iter().any(|one| one["day"] == day(12) || one["day"] == day(13)));
    let high = of("unusual_port").into_iter().find(|one| one["day"] == day(16) && one["port"] == 23).unwrap();
    assert_eq!(
        (&high["packets"], &high["median"], &high["days_before"]),
        (&1_000.into(), &101.0.into(), &14.into())
    );
    assert!(high["score"].as_f64().unwrap() > 100.0);
    let new = of("new_port");
    assert_eq!(new.len(), 1, "{new:#?}");
    assert_eq!(
        (&new[0]["port"], &new[0]["rank"], &new[0]["day"]),
        (&8728.into(), &3.into(), &day(15).into())
    );
    // Before there is enough to compare with, nothing is unusual.
    assert!(lab.found(&lab.arguments(0, 7)).is_empty());
    let cut = lab.found(&Arguments { most: 1, ..lab.arguments(10, 20) });
    assert_eq!(cut.iter().filter(|one| one["kind"] == "unusual_port").count(), 1);
}

#[test]
fn a_region_that_falls_silent_is_told_once() {
    let mut lab = Lab::new();
    for number in 0..20 {
        let quiet = (12..15).contains(&number);
        lab.day(number, if quiet { vec![] } else { vec![flow("192.0.2.1", 6, 23, 500, 0)] });
    }
    let found = lab.found(&lab.arguments(10, 20));
    let quiet: Vec<_> = found.iter().filter(|one| one["kind"] == "quiet_region").collect();
    assert_eq!(quiet.len(), 1, "{found:#?}");
    let dates = (&quiet[0]["first_day"], &quiet[0]["last_day"], &quiet[0]["days"]);
    assert_eq!(dates, (&day(12).into(), &day(14).into(), &3.into()));
    assert_eq!((&quiet[0]["region"], &quiet[0]["median"]), (&"ZZ".into(), &500.0.into()));
}

fn answers(victim: &str, packets: u64, first: u64, last: u64) -> Row {
    Row {
        class: TrafficClass::BackscatterSynAck,
        victim: victim.parse().ok(),
        last_seen: last * SECOND,
        ..flow(victim, 6, 443, packets, first * SECOND)
    }
}

#[test]
fn attacks_are_told_by_the_rule() {
    let mut lab = Lab::new();
    let mut rows = vec![
        answers("192.0.2.1", 60, 1_000, 1_060),
        // In two parts, with a pause that is just short enough.
        answers("192.0.2.2", 31, 1_000, 1_010),
        answers("192.0.2.2", 5, 1_310, 1_311),
        // Too short, too few, too slow, and in two attacks of which neither is enough.
        answers("192.0.2.3", 100, 1_000, 1_059),
        answers("192.0.2.4", 24, 1_000, 1_060),
        answers("192.0.2.5", 60, 1_000, 4_600),
        answers("192.0.2.6", 31, 1_000, 1_010),
        answers("192.0.2.6", 31, 1_311, 1_320),
        flow("192.0.2.7", 6, 443, 1_000, 0),
    ];
    rows.reverse();
    lab.day(0, rows);
    let found = lab.found(&lab.arguments(0, 1));
    let told: Vec<_> = found
        .iter()
        .map(|one| {
            (
                one["victim"].as_str().unwrap(),
                one["packets"].as_u64().unwrap(),
                one["most_in_a_minute"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(told, [("192.0.2.1", 60, 59), ("192.0.2.2", 36, 31)]);
    assert_eq!((&found[0]["seconds"], &found[0]["ports"]), (&60.0.into(), &serde_json::json!([443])));
    let small = SpoofedSettings { packets: 10, seconds: 10, minute_packets: 1, silence: 60 };
    assert_eq!(lab.found(&Arguments { spoofed: small, ..lab.arguments(0, 1) }).len(), 6);
    let mut output = Vec::new();
    run(&Arguments { json: false, ..lab.arguments(0, 1) }, &mut output).unwrap();
    let text = String::from_utf8(output).unwrap();
    assert!(text.contains("attack on 192.0.2.1") && text.ends_with("2 findings\n"), "{text}");
    assert!(!text.contains("not known"), "{text}");
}

#[test]
fn what_is_not_known_of_attacks_is_told() {
    let mut lab = Lab::new();
    for number in 0..3 {
        lab.day(number, vec![flow("192.0.2.1", 6, 23, 5, 0)]);
    }
    let start = Day(FIRST + 3).start();
    let end = start + NANOSECONDS_OF_DAY / 2;
    let sums = Sample {
        end,
        with_flows: false,
        ..Sample::new("b", 1, start).with([flow("192.0.2.1", 6, 23, 5, start)])
    };
    lab.store.commit(&[sums.incoming()]).unwrap();
    let arguments = lab.arguments(0, 6);
    let mut output = Vec::new();
    run(&arguments, &mut output).unwrap();
    let json: Value = serde_json::from_slice(&output).unwrap();
    let unknown = serde_json::json!([{
        "sensor": "b", "observed_days": 0.5, "days_with_flow_rows": 0.0,
        "first_day": day(3), "last_day": day(3),
    }]);
    assert_eq!(json["coverage"]["spoofed_dos_unknown"], unknown);
    assert_eq!(
        (&json["coverage"]["observed_days"], &json["coverage"]["period_days"]),
        (&4.into(), &6.into())
    );
    let mut output = Vec::new();
    run(&Arguments { json: false, ..arguments }, &mut output).unwrap();
    let text = String::from_utf8(output).unwrap();
    assert!(text.contains("not known of sensor b but for 0.00 of the 0.50 days"), "{text}");
    assert!(text.contains("4 of 6 days were observed"), "{text}");
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let lab = Lab::new();
    let mut arguments = lab.arguments(5, 5);
    assert!(matches!(run(&arguments, &mut Vec::new()), Err(DetectError::Period)));
    arguments.to = Day(FIRST + 6);
    arguments.history.score = f64::NAN;
    assert!(run(&arguments, &mut Vec::new()).unwrap_err().is_usage());
    arguments.history.score = 6.0;
    arguments.history.history_days = 2;
    assert!(run(&arguments, &mut Vec::new()).unwrap_err().is_usage());
    arguments.history.history_days = 14;
    assert!(lab.found(&arguments).is_empty());
}
