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
    let values = |block: usize, series: &str| {
        let Block::Figure(figure) = &section.blocks[block] else { panic!("no figure") };
        figure.series.iter().find(|one| one.id == series).unwrap().values.clone()
    };
    // 8 of one sensor, and 14 of two. Without the window: four of two sensors on the one day that both can tell.
    assert_eq!(values(0, "with-abroad"), [Some(8.0), Some(7.0), None, None]);
    assert_eq!(values(0, "without-abroad"), [None, Some(2.0), None, None]);
    assert_eq!(values(1, "with-abroad"), [Some(1.0), Some(2.0), None, None]);
    assert_eq!(values(1, "without-abroad"), [None, Some(1.0), None, None]);
    let told = facts(&report, id);
    assert_eq!(told["share_with"], 0.777778);
    assert_eq!(told["days_told_apart"], 2);
    assert!(section.summary.iter().any(|text| text.en.contains("2 of the 3 observed days")), "{section:?}");
    // Where one is left out, all have to have watched it.
    let report = lab.report(4, &format!("{SPLIT}\"mirai\"\nwithout = [\"window:1024\"]"));
    let drawn = figure(&report, "signature-split-23-tcp-mirai");
    let without = drawn.series.iter().find(|one| one.id == "without-abroad").unwrap();
    assert_eq!(without.values, [None, Some(2.0), None, None]);
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
