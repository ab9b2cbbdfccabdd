use super::*;
use crate::config::StoreFlags;
use crate::store::Store as _;
use crate::store::conformance::{Sample, flow};
use crate::store::sqlite::{SqliteOptions, SqliteStore};
use crate::{backup, sensors, verify};

const START: u64 = 1_767_225_600_000_000_000;

fn stored(folder: &std::path::Path) -> StoreArguments {
    let store = folder.join("store");
    let mut writer = SqliteStore::open(&store, SqliteOptions::default()).unwrap();
    let rows = [flow("192.0.2.1", 6, 23, 7, START), flow("2001:db8::1", 17, 53, 1, START)];
    let sample = Sample { sent: Some(START), ..Sample::new("tokyo, \"bay\"", 2, START).with(rows) };
    writer.commit(&[sample.incoming()]).unwrap();
    StoreArguments { store: Some(store), flags: StoreFlags::default() }
}

fn printed<E: std::fmt::Debug>(run: impl FnOnce(&mut Vec<u8>) -> Result<(), E>) -> String {
    let mut output = Vec::new();
    run(&mut output).unwrap();
    String::from_utf8(output).unwrap()
}

#[test]
fn answers_are_printed_for_people_and_programs() {
    let folder = tempfile::tempdir().unwrap();
    let store = stored(folder.path());
    let ask = |format, rows| {
        let question = "SELECT sensor, src_ip, packets, window FROM flows ORDER BY packets".to_owned();
        printed(|output| {
            run(&Arguments { store: store.clone(), question, format, rows, seconds: 60 }, output)
        })
    };
    let csv = "sensor,src_ip,packets,window\n\
               \"tokyo, \"\"bay\"\"\",2001:db8::1,1,\n\"tokyo, \"\"bay\"\"\",192.0.2.1,7,\n";
    assert_eq!(ask(Format::Csv, 10), csv);
    let json: serde_json::Value = serde_json::from_str(&ask(Format::Json, 1)).unwrap();
    let row = serde_json::json!(["tokyo, \"bay\"", "2001:db8::1", 1, null]);
    assert_eq!((&json["rows"][0], &json["is_cut"]), (&row, &true.into()));
    let table = ask(Format::Table, 10);
    assert_eq!(table.lines().count(), 3);
    assert!(table.contains("192.0.2.1"), "{table}");
}

#[test]
fn commands_tell_how_the_store_and_its_sensors_do() {
    let folder = tempfile::tempdir().unwrap();
    let store = stored(folder.path());
    let of_all_time = |json| sensors::Arguments { store: store.clone(), days: 50_000, json };
    let table = printed(|output| sensors::run(&of_all_time(false), output));
    assert!(table.contains("tokyo") && table.contains("+65.000 s") && table.contains("0.02 h"), "{table}");
    let json = printed(|output| sensors::run(&of_all_time(true), output));
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json[0]["missing_sequences"], &json[0]["packets"]), (&1.into(), &8.into()));
    let to = folder.path().join("copy");
    printed(|output| backup::run(&backup::Arguments { store: store.clone(), to: to.clone() }, output));
    let copy =
        verify::Arguments { store: StoreArguments { store: Some(to.clone()), flags: StoreFlags::default() } };
    let told = printed(|output| verify::run(&copy, output));
    assert!(
        told.starts_with("gap: ") && told.ends_with("0 breaches, 1 gaps, 0 breaches that agents reported\n")
    );
    let connection = rusqlite::Connection::open(to).unwrap();
    connection.execute("DELETE FROM uptime_day_raw", []).unwrap();
    connection.execute("UPDATE counter_day_raw SET packets = 9", []).unwrap();
    let mut output = Vec::new();
    let error = verify::run(&copy, &mut output).unwrap_err();
    assert!(matches!(error, verify::VerifyError::Breaches(2..)), "{error}");
}

#[test]
fn the_manuals_questions_have_answers() {
    let folder = tempfile::tempdir().unwrap();
    let store = stored(folder.path());
    let manual = include_str!("../../../docs/store.md");
    let questions: Vec<&str> =
        manual.split("apus-collector sql \"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    let answers = questions.iter().map(|question| {
        let (question, format) = ((*question).to_owned(), Format::Csv);
        printed(|output| {
            run(&Arguments { store: store.clone(), question, format, rows: 10, seconds: 60 }, output)
        })
    });
    let expected =
        ["port,packets\n23,7\n", "day,sensor,percent,packets\n2026-01-01,\"tokyo, \"\"bay\"\"\",0.07,8\n"];
    assert_eq!(answers.collect::<Vec<_>>(), expected);
}
