use std::path::Path;

use wire::Row;

use super::*;
use crate::config::StoreFlags;
use crate::store::conformance::{Sample, flow};
use crate::store::sqlite::{SqliteOptions, SqliteStore};
use crate::store::{NANOSECONDS_OF_DAY, Store as _};

const FIRST: Day = Day(19_814);

fn arguments(folder: &Path, format: Format) -> Arguments {
    let config = folder.join("collector.toml");
    std::fs::write(folder.join("own.txt"), "192.0.2.9\n").unwrap();
    std::fs::write(&config, format!("groups.own = {:?}", folder.join("own.txt"))).unwrap();
    Arguments {
        store: StoreArguments {
            store: Some(folder.join("store")),
            flags: StoreFlags { config: Some(config), data: None },
        },
        region: vec![Region(*b"ZZ")],
        signature: Vec::new(),
        port: Vec::new(),
        without: vec!["own".into()],
        from: FIRST,
        to: Day(FIRST.0 + 2),
        format,
        rows: 1000,
    }
}

fn lab() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut store = SqliteStore::open(&folder.path().join("store"), SqliteOptions::default()).unwrap();
    for (sensor, day) in [("a", 0_u64), ("b", 0), ("a", 1), ("a", 2)] {
        let start = FIRST.start() + day * NANOSECONDS_OF_DAY;
        let bot = Row { signatures: 1, ..flow("192.0.2.1", 6, 23, 3, start + 1_000_000) };
        let other = Row { window: Some(1024), ..flow("192.0.2.1", 6, 2323, 9, start + 5_000_000) };
        let victim = Row {
            class: sensor_ebpf::abi::TrafficClass::BackscatterRst,
            ..flow("192.0.2.5", 6, 443, 7, start)
        };
        let rows =
            [bot, other, victim, flow("192.0.2.9", 6, 23, 1, start), flow("2001:db8::1", 17, 53, 2, start)];
        store.commit(&[Sample::new(sensor, day + 1, start).with(rows).incoming()]).unwrap();
    }
    folder
}

fn printed(arguments: &Arguments) -> String {
    let mut output = Vec::new();
    run(arguments, &mut output).unwrap();
    String::from_utf8(output).unwrap()
}

#[test]
fn addresses_are_told_once_with_what_came_from_them() {
    let folder = lab();
    let csv = printed(&arguments(folder.path(), Format::Csv));
    let expected = "address,region,first_seen,last_seen,packets,ports,ports_seen,signatures,sensors\n\
        192.0.2.1,ZZ,2024-04-01T00:00:00.001+00:00,2024-04-02T00:00:00.005+00:00,36,2323/TCP 23/TCP,2,mirai window:1024,2\n\
        2001:db8::1,ZZ,2024-04-01T00:00:00.000+00:00,2024-04-02T00:00:00.000+00:00,6,53/UDP,1,,2\n";
    assert_eq!(csv, expected);
    let json: serde_json::Value =
        serde_json::from_str(&printed(&arguments(folder.path(), Format::Json))).unwrap();
    assert_eq!(json.as_array().unwrap().len(), 2);
    assert_eq!(json[0]["ports"][0], serde_json::json!({ "port": 2323, "transport": "tcp", "packets": 27 }));
    let table = printed(&arguments(folder.path(), Format::Table));
    assert!(table.trim_start().starts_with("ADDRESS") && table.lines().count() == 3, "{table}");
    let cut = printed(&Arguments { rows: 1, ..arguments(folder.path(), Format::Table) });
    assert_eq!(cut.lines().count(), 2);
}

#[test]
fn only_what_is_asked_for_is_told() {
    let folder = lab();
    let count = |change: &dyn Fn(&mut Arguments)| {
        let mut arguments = arguments(folder.path(), Format::Csv);
        change(&mut arguments);
        let csv = printed(&arguments);
        let packets = csv.lines().skip(1).map(|line| line.split(',').nth(4).unwrap().parse::<u64>().unwrap());
        packets.collect::<Vec<_>>()
    };
    assert_eq!(count(&|arguments| arguments.signature = vec!["mirai".parse().unwrap()]), [9]);
    assert_eq!(count(&|arguments| arguments.signature = vec!["window:1024".parse().unwrap()]), [27]);
    assert_eq!(
        count(&|arguments| arguments.port = vec!["2323/tcp".parse().unwrap(), "53/udp".parse().unwrap()]),
        [27, 6]
    );
    assert_eq!(count(&|arguments| arguments.region = vec![Region(*b"JP")]).len(), 0);
    assert_eq!(count(&|arguments| arguments.without.clear()).len(), 3);
    assert_eq!(count(&|arguments| arguments.to = Day(FIRST.0 + 1))[0], 24);
    assert_eq!(
        printed(&Arguments { region: vec![Region(*b"JP")], ..arguments(folder.path(), Format::Json) }),
        "[]\n"
    );
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let folder = lab();
    let error = |arguments: &Arguments| run(arguments, &mut Vec::new()).unwrap_err();
    let backwards = Arguments { to: FIRST, ..arguments(folder.path(), Format::Csv) };
    assert!(matches!(error(&backwards), NotifyError::Period));
    let nobody = Arguments { without: vec!["x".into()], ..arguments(folder.path(), Format::Csv) };
    assert!(error(&nobody).to_string().contains("own") && error(&nobody).is_usage());
}
