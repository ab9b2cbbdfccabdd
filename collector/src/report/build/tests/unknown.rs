//! What nobody knows is no zero.

use super::lab::{FIRST, Lab, facts, figure, tcp};
use super::*;
use crate::store::NANOSECONDS_OF_DAY;
use crate::store::conformance::Sample;

/// A day of a sensor that watches some windows; without its flows where there are none to be.
fn day(lab: &mut Lab, sensor: &str, day: u32, (windows, with_flows): (&[u16], bool), rows: Vec<Row>) {
    let start = Day(FIRST + day).start();
    let rows = rows.into_iter().map(|row| Row { first_seen: start, last_seen: start, ..row });
    let sequence = u64::from(FIRST + day);
    let sample = Sample {
        end: start + NANOSECONDS_OF_DAY,
        with_flows,
        ..Sample::new(sensor, sequence, start).with(rows)
    };
    let header = wire::Header { watched_windows: windows.to_vec(), ..sample.header() };
    let header = wire::Header { flows: header.flows.filter(|_| with_flows), ..header };
    let outcome = lab.store.commit(&[sample.encoded(&header)]).unwrap();
    assert_eq!(outcome, [crate::store::Outcome::Stored]);
}

#[test]
fn a_day_of_counters_alone_is_a_gap() {
    let mut lab = Lab::new();
    day(&mut lab, "a", 0, (&[], true), vec![tcp("20.0.0.1", 23, 10)]);
    day(&mut lab, "a", 1, (&[], false), vec![tcp("20.0.0.1", 23, 10)]);
    day(&mut lab, "b", 1, (&[], false), Vec::new());
    day(&mut lab, "a", 2, (&[], false), vec![tcp("20.0.0.1", 23, 10)]);
    let toml = "[[section]]\nkind = \"sources\"\nport = \"23/tcp\"\n[[section]]\nkind = \"region_days\"\nregion = \"CN\"";
    let report = lab.report(4, toml);
    // The second day is b's, which had nothing to bring: a zero. The third one's flows did not come.
    let expected = [Some(10.0), Some(0.0), None, None];
    assert_eq!(figure(&report, "ports").series[0].values, expected);
    assert_eq!(figure(&report, "region-days-cn").series[0].values, expected);
    assert_eq!(figure(&report, "sources-23-tcp").series[0].values, [Some(1.0), Some(0.0), None, None]);
    let about = facts(&report, "about");
    assert_eq!((&about["observed_days"], &about["sensor_days_without_flows"]), (&2.into(), &2.into()));
    assert_eq!((&about["sensor_days_left_out"], &about["flow_packets_missing"]), (&0.into(), &20.into()));
    let words = &report.sections.last().unwrap().summary;
    assert!(words.iter().any(|text| text.en.contains("On 2 days of sensors")), "{words:?}");
    assert!(words.iter().any(|text| text.en.starts_with("20 observed packets")), "{words:?}");
}

const SPLIT: &str = "[[section]]\nkind = \"signature_split\"\nport = \"23/tcp\"\nsignature = ";

fn bot(source: &str, packets: u64) -> Row {
    Row { window: Some(1024), ..tcp(source, 23, packets) }
}

/// What is drawn of a section: packets first, then sources.
fn values(report: &Report, id: &str, block: usize, series: &str) -> Vec<Option<f64>> {
    let section = report.sections.iter().find(|section| section.id == id).unwrap();
    let Block::Figure(figure) = &section.blocks[block] else { panic!("no figure") };
    figure.series.iter().find(|one| one.id == series).unwrap().values.clone()
}

/// On the first day one of two sensors watches the window, on the second both, on the third none, and on the fourth
/// nobody is up.
fn windows_lab() -> Lab {
    let mut lab = Lab::new();
    let rows = || vec![bot("20.0.0.1", 8), tcp("20.0.0.2", 23, 4)];
    day(&mut lab, "a", 0, (&[1024], true), rows());
    day(&mut lab, "b", 0, (&[], true), vec![bot("20.0.0.3", 6)]);
    day(&mut lab, "a", 1, (&[5, 1024], true), rows());
    day(&mut lab, "b", 1, (&[1024], true), vec![bot("20.0.0.3", 6)]);
    day(&mut lab, "a", 2, (&[5], true), rows());
    day(&mut lab, "b", 2, (&[], true), vec![bot("20.0.0.3", 6)]);
    lab
}

#[test]
fn windows_are_told_where_somebody_watched_them() {
    let lab = windows_lab();
    let id = "signature-split-23-tcp-window-1024";
    let report = lab.report(4, &format!("{SPLIT}\"window:1024\""));
    let section = report.sections.iter().find(|section| section.id == id).unwrap();
    let values = |block, series| values(&report, id, block, series);
    // Of one sensor 8 with the window and 4 without, and of two 14 and 4. What b saw on the first day is of neither.
    assert_eq!(values(0, "with-abroad"), [Some(8.0), Some(7.0), None, None]);
    assert_eq!(values(0, "without-abroad"), [Some(4.0), Some(2.0), None, None]);
    assert_eq!(values(1, "with-abroad"), [Some(1.0), Some(2.0), None, None]);
    assert_eq!(values(1, "without-abroad"), [Some(1.0), Some(1.0), None, None]);
    let told = facts(&report, id);
    assert_eq!(told["share_with"], 0.714286);
    assert_eq!((&told["days_told_apart"], &told["sensor_days_left_out"]), (&2.into(), &1.into()));
    for words in ["2 of the 3 observed days", "1 days of sensors that did not watch"] {
        assert!(section.summary.iter().any(|text| text.en.contains(words)), "{words}: {section:?}");
    }
    // Where one is left out, those tell that watched it.
    let report = lab.report(4, &format!("{SPLIT}\"mirai\"\nwithout = [\"window:1024\"]"));
    let drawn = figure(&report, "signature-split-23-tcp-mirai");
    let without = drawn.series.iter().find(|one| one.id == "without-abroad").unwrap();
    assert_eq!(without.values, [Some(4.0), Some(2.0), None, None]);
    let report = lab.report(4, &format!("{SPLIT}\"window:77\""));
    let told = facts(&report, "signature-split-23-tcp-window-77");
    assert_eq!(told["with"]["abroad"]["packets_per_sensor_per_day"], serde_json::Value::Null);
    assert_eq!((&told["days_told_apart"], &told["share_with"]), (&0.into(), &serde_json::Value::Null));
}

#[test]
fn packets_of_other_sensors_are_nobodys_figure() {
    let mut lab = windows_lab();
    let toml = format!("{SPLIT}\"window:1024\"\nonly_with = true");
    let id = "signature-split-23-tcp-window-1024";
    // Nobody else saw the sources of either.
    let told = lab.try_report(4, &["b"], &toml).unwrap();
    assert_eq!(facts(&told, id)["with"]["abroad"]["packets_per_sensor_per_day"], 6.0);
    day(&mut lab, "c", 1, (&[1024], true), vec![bot("20.0.0.3", 100)]);
    let told = lab.try_report(4, &["b"], &toml).unwrap();
    let with = &facts(&told, id)["with"]["abroad"];
    assert_eq!(
        (&with["packets_per_sensor_per_day"], &with["sources_per_day"]),
        (&serde_json::Value::Null, &1.0.into())
    );
    let section = told.sections.iter().find(|section| section.id == id).unwrap();
    assert!(section.summary.iter().any(|text| text.en.contains("packets per sensor are not told")));
    assert_eq!(section.blocks.len(), 1);
    // Both of them are the report's, and a's sources are its own.
    let both = lab.try_report(4, &["b", "c"], &toml).unwrap();
    assert_eq!(facts(&both, id)["with"]["abroad"]["packets_per_sensor_per_day"], 53.0);
    assert_eq!(
        facts(&lab.try_report(4, &["a"], &toml).unwrap(), id)["with"]["abroad"]["packets_per_sensor_per_day"],
        8.0
    );
}

#[test]
fn sensors_that_watch_tell_of_both_kinds_by_themselves() {
    let mut lab = Lab::new();
    // The same sources knock on both sensors, of which one watches; and some that only the other one sees.
    let rows = |more: &str| {
        vec![
            bot("20.0.0.1", 8),
            Row { signatures: 1, ..bot("20.0.0.5", 2) },
            Row { signatures: 1, ..tcp("20.0.0.5", 23, 3) },
            tcp("20.0.0.2", 23, 4),
            tcp("10.0.0.2", 23, 5),
            tcp(more, 23, 100),
        ]
    };
    day(&mut lab, "a", 0, (&[1024], true), rows("20.0.0.8"));
    day(&mut lab, "b", 0, (&[5], true), rows("20.0.0.9"));
    let toml = [
        "\"window:1024\"",
        "\"window:1024\"\nwithout = [\"mirai\"]",
        "\"mirai\"\nwithout = [\"window:1024\"]",
        "\"window:1024\"\nwithout = [\"window:5\"]",
    ]
    .map(|signature| format!("{SPLIT}{signature}\n"))
    .concat();
    let report = lab.report(1, &toml);
    let window = "signature-split-23-tcp-window-1024";
    let told =
        |id: &str, series: &str| (values(&report, id, 0, series)[0], values(&report, id, 1, series)[0]);
    assert_eq!(told(window, "with-abroad"), (Some(10.0), Some(2.0)));
    assert_eq!(told(window, "without-abroad"), (Some(107.0), Some(3.0)));
    assert_eq!(told(window, "without-home"), (Some(5.0), Some(1.0)));
    let without_mirai = format!("{window}-2");
    assert_eq!(told(&without_mirai, "with-abroad"), (Some(8.0), Some(1.0)));
    assert_eq!(told(&without_mirai, "without-abroad"), (Some(104.0), Some(2.0)));
    let mirai = "signature-split-23-tcp-mirai";
    assert_eq!(told(mirai, "with-abroad"), (Some(3.0), Some(1.0)));
    assert_eq!(told(mirai, "without-abroad"), (Some(104.0), Some(2.0)));
    // Either of them watched one of the two: neither can tell which packets are without both.
    assert_eq!(told(&format!("{window}-3"), "with-abroad"), (None, None));
    // By itself a sensor tells the same: those that cannot tell change nothing.
    let alone = lab.try_report(1, &["a"], &toml).unwrap();
    for id in [window, &without_mirai, mirai] {
        let (section, same) = (facts(&report, id), facts(&alone, id));
        assert_eq!((&section["with"], &section["without"]), (&same["with"], &same["without"]), "{id}");
        assert_eq!((&section["sensor_days_left_out"], &same["sensor_days_left_out"]), (&1.into(), &0.into()));
    }
}

#[test]
fn who_watched_for_a_part_of_a_day_tells_of_packets_with_the_window_alone() {
    let mut lab = Lab::new();
    let start = Day(FIRST).start();
    let of = |sequence: u64, windows: &[u16], packets| {
        let start = start + (sequence - 1) * NANOSECONDS_OF_DAY / 2;
        let row = |row: Row| Row { first_seen: start, last_seen: start, ..row };
        let rows = [row(bot("20.0.0.1", packets)), row(tcp("20.0.0.2", 23, 4))];
        let sample =
            Sample { end: start + NANOSECONDS_OF_DAY / 2, ..Sample::new("a", sequence, start).with(rows) };
        sample.encoded(&wire::Header { watched_windows: windows.to_vec(), ..sample.header() })
    };
    lab.store.commit(&[of(1, &[], 7), of(2, &[1024], 3)]).unwrap();
    let report = lab.report(1, &format!("{SPLIT}\"window:1024\""));
    let id = "signature-split-23-tcp-window-1024";
    assert_eq!(
        (values(&report, id, 0, "with-abroad"), values(&report, id, 1, "with-abroad")),
        (vec![Some(6.0)], vec![Some(1.0)])
    );
    assert_eq!(
        facts(&report, id)["without"]["abroad"]["packets_per_sensor_per_day"],
        serde_json::Value::Null
    );
    let section = report.sections.iter().find(|section| section.id == id).unwrap();
    assert!(section.summary.iter().any(|text| text.en.contains("told on the 0 days")), "{section:?}");
}

#[test]
fn packets_without_a_source_are_neither_with_a_window_nor_without() {
    let mut lab = Lab::new();
    // No table knows the third one.
    let rows = || vec![bot("20.0.0.1", 8), tcp("20.0.0.2", 23, 4), tcp("99.0.0.1", 23, 5)];
    day(&mut lab, "a", 0, (&[1024], true), rows());
    let beyond = [rows(), vec![tcp("none", 23, 100)]].concat();
    day(&mut lab, "a", 1, (&[1024], true), beyond);
    let report = lab.report(2, &format!("{SPLIT}\"window:1024\""));
    let id = "signature-split-23-tcp-window-1024";
    assert_eq!(values(&report, id, 0, "without-unknown"), [Some(5.0), None]);
    assert_eq!(values(&report, id, 0, "without-abroad"), [Some(4.0); 2]);
    assert_eq!(values(&report, id, 0, "with-abroad"), [Some(8.0); 2]);
    assert_eq!(values(&report, id, 1, "without-unknown"), [Some(1.0); 2]);
    // Of the first day alone: 8 of 17.
    assert_eq!(facts(&report, id)["share_with"], 0.470588);
    let section = report.sections.iter().find(|section| section.id == id).unwrap();
    assert!(
        section.summary.iter().any(|text| text.en.starts_with("On 1 days a sensor's table")),
        "{section:?}"
    );
}

#[test]
fn sensors_that_were_up_too_shortly_tell_of_no_window_together() {
    let mut lab = Lab::new();
    let start = Day(FIRST).start();
    for sensor in ["a", "b", "c"] {
        let row = Row { first_seen: start, last_seen: start, ..bot("20.0.0.1", 8) };
        let end = start + NANOSECONDS_OF_DAY * 7 / 1_000;
        let sample = Sample { end, ..Sample::new(sensor, 1, start).with([row]) };
        let header = wire::Header { watched_windows: vec![1024], ..sample.header() };
        lab.store.commit(&[sample.encoded(&header)]).unwrap();
    }
    day(&mut lab, "a", 1, (&[1024], true), vec![bot("20.0.0.1", 8)]);
    let report = lab.report(2, &format!("{SPLIT}\"window:1024\""));
    let id = "signature-split-23-tcp-window-1024";
    assert_eq!(values(&report, id, 0, "with-abroad"), [None, Some(8.0)]);
    assert_eq!(values(&report, id, 0, "without-abroad"), [None, Some(0.0)]);
    let told = facts(&report, id);
    assert_eq!((&told["days_told_apart"], &told["sensor_days_left_out"]), (&1.into(), &0.into()));
}

#[test]
fn a_period_whose_intervals_are_gone_is_reported_of_in_the_same_bytes() {
    let mut lab = windows_lab();
    let lost = Sample { lost: 9, ..Sample::new("a", 1, Day(FIRST).start()) };
    lab.store.commit(&[lost.incoming()]).unwrap();
    day(&mut lab, "b", 3, (&[1024], false), vec![bot("20.0.0.3", 6)]);
    day(&mut lab, "c", 500, (&[7], true), vec![bot("20.0.0.3", 6)]);
    let toml = format!(
        "{SPLIT}\"window:1024\"\n{SPLIT}\"mirai\"\nwithout = [\"window:1024\"]\n[[section]]\nkind = \"backscatter\""
    );
    let written = |lab: &Lab| serde_json::to_string(&lab.report(4, &toml)).unwrap();
    let before = written(&lab);
    assert!(before.contains("\"flow_packets_missing\":15"), "{before}");
    let retention = crate::retention::Retention::default();
    while !lab.store.retain(&retention, Day(FIRST + 501), 1_000).unwrap().done {}
    let kept = lab.store.reader().unwrap().intervals(None, crate::store::Period::ALL).unwrap();
    assert_eq!(kept.len(), 1, "{kept:?}");
    assert_eq!(written(&lab), before);
}
