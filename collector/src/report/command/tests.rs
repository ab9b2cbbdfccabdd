use clap::Parser as _;

use super::*;
use crate::cli::{Command, CommandLine};
use crate::store::Store as _;
use crate::store::conformance::{Sample, flow};
use crate::store::sqlite::{SqliteOptions, SqliteStore};

fn lab() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut store = SqliteStore::open(&folder.path().join("store"), SqliteOptions::default()).unwrap();
    let start = "2024-05-01".parse::<Day>().unwrap().start();
    let end = start + crate::store::NANOSECONDS_OF_DAY;
    let sample = Sample { end, ..Sample::new("tokyo", 1, start) }.with([flow("192.0.2.1", 6, 23, 7, start)]);
    store.commit(&[sample.incoming()]).unwrap();
    folder
}

fn arguments(folder: &Path, more: &[&str]) -> Arguments {
    let (store, out) = (folder.join("store"), folder.join("out"));
    let base =
        ["apus-collector", "report", "--store", store.to_str().unwrap(), "--out", out.to_str().unwrap()];
    let line = CommandLine::try_parse_from(base.iter().chain(more)).unwrap();
    let Command::Report(arguments) = line.command else { panic!("no report") };
    arguments
}

fn files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder.join("out")).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn files_are_written_whole_and_never_over_others_unless_asked_for() {
    let folder = lab();
    let formats =
        ["--quarter", "2024Q2", "--lang", "ja", "--format", "json", "--format", "html", "--format", "md"];
    let run = |more: &[&str]| {
        let mut output = Vec::new();
        run(&arguments(folder.path(), &[&formats, more].concat()), &mut output)
            .map(|()| String::from_utf8(output).unwrap())
    };
    let printed = run(&[]).unwrap();
    assert_eq!(printed.lines().count(), 3, "{printed}");
    assert_eq!(files(folder.path()), ["report-2024Q2.ja.html", "report-2024Q2.ja.md", "report-2024Q2.json"]);
    let json = folder.path().join("out/report-2024Q2.json");
    let first = std::fs::read(&json).unwrap();
    let report: Report = serde_json::from_slice(&first).unwrap();
    assert_eq!(report.sections[0].facts["ranks"][0]["port"], 23);
    assert_eq!(report.previous.name.as_deref(), Some("2024Q1"));
    assert!(matches!(run(&[]), Err(ReportError::Exists(_))));
    std::fs::write(&json, "theirs").unwrap();
    run(&["--force"]).unwrap();
    assert_eq!(std::fs::read(&json).unwrap(), first);
    let html = std::fs::read_to_string(folder.path().join("out/report-2024Q2.ja.html")).unwrap();
    assert!(html.contains("23/TCP") && html.contains("lang=\"ja\""), "{html}");
}

#[test]
fn any_days_can_be_asked_for_and_nothing_else() {
    let folder = lab();
    let days = ["--from", "2024-05-01", "--to", "2024-05-08", "--format", "json"];
    run(&arguments(folder.path(), &days), &mut Vec::new()).unwrap();
    assert_eq!(files(folder.path()), ["report-2024-05-01-to-2024-05-08.json"]);
    for more in [
        &["--from", "2024-05-01"][..],
        &["--quarter", "2024Q7"],
        &["--quarter", "2024Q1", "--from", "2024-05-01", "--to", "2024-05-08"],
        &[],
    ] {
        let base = ["apus-collector", "report", "--out", "x"];
        assert!(CommandLine::try_parse_from(base.iter().chain(more)).is_err(), "{more:?}");
    }
    let backwards = arguments(folder.path(), &["--from", "2024-05-08", "--to", "2024-05-01"]);
    assert!(run(&backwards, &mut Vec::new()).unwrap_err().is_usage());
    let nobody = arguments(folder.path(), &["--quarter", "2024Q2", "--sensor", "osaka"]);
    assert!(run(&nobody, &mut Vec::new()).unwrap_err().is_usage());
}
