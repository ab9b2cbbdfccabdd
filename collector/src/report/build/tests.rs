use std::path::Path;

use sensor_ebpf::abi::TrafficClass;
use wire::Row;

use super::*;
use crate::store::conformance::Sample;
use crate::store::{Day, Store as _};
use lab::{FIRST, Lab, facts, figure, tcp};

mod lab;
mod unknown;

/// Two sensors, one of them up for half a day; the third day nobody observes.
fn lab() -> Lab {
    let mut lab = Lab::new();
    for day in -4..0 {
        lab.day("a", day, 1.0, vec![tcp("20.0.0.1", 23, 10), tcp("30.0.0.1", 6379, 20)]);
    }
    for day in [0, 1, 3] {
        let rows = [tcp("20.0.0.1", 23, 30), tcp("30.0.0.1", 6379, 20), tcp("10.0.0.1", 80, 5)];
        lab.day("a", day, 1.0, rows.to_vec());
    }
    lab.day("b", 0, 0.5, vec![tcp("20.0.1.2", 23, 10)]);
    // For less than a hundredth of the day.
    lab.day("b", 1, 0.005, vec![tcp("20.0.1.2", 23, 1_000_000)]);
    lab
}

#[test]
fn ranks_are_of_packets_per_sensor_per_day() {
    let lab = lab();
    let report = lab.report(4, "");
    let ranks = facts(&report, "ports")["ranks"].as_array().unwrap();
    let told: Vec<_> = ranks
        .iter()
        .map(|rank| {
            (
                rank["port"].as_u64().unwrap(),
                rank["rank"].as_u64().unwrap(),
                rank["previous_rank"].as_u64(),
                rank["packets_per_sensor_per_day"].as_f64().unwrap(),
            )
        })
        .collect();
    // The first day of 23/TCP: (30 + 10 / 0.5) / 2 = 25; of the others half, for one of two sensors saw none.
    let expected = [(23, 1, Some(2), 28.333333), (6379, 2, Some(1), 16.666667), (80, 3, None, 4.166667)];
    assert_eq!(told, expected);
    let drawn = figure(&report, "ports");
    assert_eq!(drawn.series[0].values, [Some(25.0), Some(30.0), None, Some(30.0)]);
    assert_eq!((&*drawn.series[0].id, &*drawn.series[0].name.en), ("23-tcp", "23/TCP (telnet)"));
    assert_eq!(
        (&*drawn.id, &*drawn.title.ja),
        ("ports-figure-1", "宛先ポート番号別パケット観測数トップ5の推移")
    );
    let regions = facts(&report, "regions")["ranks"].as_array().unwrap();
    let told: Vec<_> = regions
        .iter()
        .map(|rank| (rank["region"].as_str().unwrap(), rank["previous_rank"].as_u64()))
        .collect();
    assert_eq!(told, [("CN", Some(2)), ("US", Some(1)), ("JP", None)]);
    assert_eq!(figure(&report, "regions").id, "regions-figure-2");
    let about = facts(&report, "about");
    assert_eq!((&about["observed_days"], &about["sensor_days_left_out"]), (&3.into(), &1.into()));
    assert_eq!(about["regions_versions"], serde_json::json!([7]));
    let up: Vec<_> = report.sensors.iter().map(|days| (&*days.sensor, days.observed_days)).collect();
    assert_eq!(up, [("a", 3.0), ("b", 0.505)]);
}

#[test]
fn the_same_store_gives_the_same_bytes_and_no_target() {
    let mut lab = lab();
    let tuple = Row { destination: Some("203.0.113.99".parse().unwrap()), ..tcp("20.0.0.9", 23, 1) };
    let start = Day(FIRST).start();
    let tuples = Sample {
        key: wire::FlowKey::FlowTuple,
        ..Sample::new("tuples", 1, start).with([Row { first_seen: start, last_seen: start, ..tuple }])
    };
    lab.store.commit(&[tuples.incoming()]).unwrap();
    let toml = "[[section]]\nkind = \"backscatter\"\n[[section]]\nkind = \"sources\"\nport = \"23/tcp\"";
    let written = |lab: &Lab| serde_json::to_string(&lab.report(4, toml)).unwrap();
    assert_eq!(written(&lab), written(&lab));
    assert!(!written(&lab).contains("203.0.113"));
}

#[test]
fn some_sensors_are_reported_of_by_themselves() {
    let lab = lab();
    let toml = "[[section]]\nkind = \"sources\"\nport = \"23/tcp\"";
    let report = lab.try_report(4, &["b"], toml).unwrap();
    let ranks = &facts(&report, "ports")["ranks"];
    assert_eq!(ranks.as_array().unwrap().len(), 1);
    assert_eq!((&ranks[0]["port"], &ranks[0]["packets_per_sensor_per_day"]), (&23.into(), &20.0.into()));
    // Nobody else's days: the period before was not observed, so that there are no ranks in it.
    assert_eq!(facts(&report, "ports")["previous_observed_days"], 0);
    let Block::Table(table) = &report.sections[0].blocks[0] else { panic!("no table") };
    assert!(table.columns.iter().all(|column| column.id != "previous_rank"));
    assert_eq!(figure(&report, "sources-23-tcp").series[0].values, [Some(1.0), None, None, None]);
    assert_eq!(figure(&lab.report(4, toml), "sources-23-tcp").series[0].values[0], Some(2.0));
    let error = lab.try_report(4, &["c"], "").unwrap_err().to_string();
    assert!(error.contains("\"c\"") && error.contains("a, b"), "{error}");
}

#[test]
fn as_many_sections_as_one_likes_are_counted_at_once() {
    let mut lab = Lab::new();
    lab.day("a", 0, 1.0, (1..=130).map(|port| tcp(&format!("20.0.0.{port}"), port, 1)).collect());
    let section = |port: u16| format!("[[section]]\nkind = \"sources\"\nport = \"{}/tcp\"\n", port.min(130));
    let report = lab.report(1, &(1..=131).map(section).collect::<String>());
    for port in 1..=130 {
        assert_eq!(facts(&report, &format!("sources-{port}-tcp"))["sources"], 1, "{port}");
    }
    assert_eq!(facts(&report, "sources-130-tcp-2")["sources"], 1);
}

#[test]
fn an_empty_store_says_that_nothing_was_observed() {
    let lab = Lab::new();
    std::fs::write(lab.folder.path().join("x.csv"), "2024-03-05,1\n").unwrap();
    let toml = [
        "port_by_region\"\nport = \"23/tcp",
        "growth\"\nport = \"23/tcp",
        "backscatter",
        "sources\"\nport = \"23/tcp",
        "region_days\"\nregion = \"JP",
        "group_share\"\ngroup = \"scanners",
        "group_overlap\"\ngroup = \"scanners",
        "signature_split\"\nport = \"23/tcp\"\nsignature = \"mirai",
    ]
    .map(|kind| format!("[[section]]\nkind = \"{kind}\"\n"))
    .concat();
    let report = lab.report(4, &toml);
    assert_eq!(report.sections.len(), 2 + 8 + 1);
    for section in report.sections.iter().filter(|section| section.id != "about") {
        assert_eq!(section.summary, [crate::report::section::nothing_observed()], "{}", section.id);
        assert!(section.blocks.is_empty(), "{}", section.id);
    }
    let outside = "[[section]]\nkind = \"outside_series\"\nfile = \"x.csv\"\nname = \"x\"\nunit = \"hosts\"";
    let report = lab.report(4, outside);
    assert_eq!(figure(&report, "outside-series").series[0].values, [None; 4]);
}

fn answer(source: &str, class: TrafficClass, port: u16, packets: u64) -> Row {
    Row { class, victim: source.parse().ok(), ..tcp(source, port, packets) }
}

/// Ten days, of which the fifth is not observed.
fn sections_lab() -> Lab {
    let mut lab = Lab::new();
    for day in -10..10 {
        if day == 4 {
            continue;
        }
        let mirai = |row: Row| Row { signatures: 1, ..row };
        let window = |row: Row| Row { window: Some(1024), ..row };
        let mut rows = vec![
            mirai(tcp("10.0.0.1", 23, 4)),
            mirai(tcp("20.0.0.1", 23, 6)),
            tcp("20.0.0.1", 23, 10),
            window(tcp("10.0.0.2", 23, 8)),
            window(mirai(tcp("10.0.0.3", 23, 1))),
            tcp("40.0.0.1", 23, 1),
            tcp("20.0.1.1", 445, 30),
            tcp("30.0.0.1", 6379, if day < 0 { 10 } else { 18 }),
        ];
        rows.push(answer("30.0.9.9", TrafficClass::BackscatterSynAck, 443, 3));
        if day == 7 {
            rows.push(answer("20.0.9.9", TrafficClass::BackscatterRst, 80, 100));
            rows.push(answer("30.0.9.9", TrafficClass::BackscatterRst, 443, 2));
        }
        if (1..=3).contains(&day) {
            rows.retain(|row| row.source != "30.0.0.1".parse().ok());
        }
        if day >= 2 {
            rows.push(tcp("20.0.0.7", 1433, 100));
        } else {
            rows.push(tcp("10.0.0.7", 1433, 10));
        }
        lab.day("a", day, 1.0, rows);
    }
    lab
}

#[test]
fn telnet_is_split_by_signature_and_origin() {
    let lab = sections_lab();
    let toml = r#"
        [[section]]
        kind = "signature_split"
        port = "23/tcp"
        signature = "mirai"
        [[section]]
        kind = "signature_split"
        port = "23/tcp"
        signature = "window:1024"
        without = ["mirai"]
        only_with = true
    "#;
    let report = lab.report(10, toml);
    let split = facts(&report, "signature-split-23-tcp-mirai");
    let of = |kind: &str, origin: &str| {
        let of = &split[kind][origin];
        (of["packets_per_sensor_per_day"].as_f64(), of["sources_per_day"].as_f64())
    };
    assert_eq!(of("with", "home"), (Some(5.0), Some(2.0)));
    assert_eq!(of("with", "abroad"), (Some(6.0), Some(1.0)));
    assert_eq!(of("without", "home"), (Some(8.0), Some(1.0)));
    assert_eq!(of("without", "abroad"), (Some(10.0), Some(1.0)));
    assert_eq!(of("without", "unknown"), (Some(1.0), Some(1.0)));
    assert_eq!(of("with", "unknown"), (None, None));
    assert_eq!(split["share_with"], 0.366667);
    let drawn = figure(&report, "signature-split-23-tcp-mirai");
    assert_eq!(drawn.series[0].values[3..6], [Some(5.0), None, Some(5.0)]);
    let watched = facts(&report, "signature-split-23-tcp-window-1024");
    assert_eq!(watched["with"]["home"]["sources_per_day"], 1.0);
    assert_eq!(watched["with"]["home"]["packets_per_sensor_per_day"], 8.0);
    assert_eq!(watched["with"]["abroad"]["sources_per_day"], 0.0);
    assert!(!watched.contains_key("without") && watched["left_out"] == serde_json::json!(["mirai"]));
}

#[test]
fn answers_name_victims_and_their_services() {
    let lab = sections_lab();
    let report = lab.report(10, "[[section]]\nkind = \"backscatter\"\nvictims = 5");
    let found = facts(&report, "backscatter");
    assert_eq!((&found["packets"], &found["most_sources"]), (&129.into(), &2.0.into()));
    assert_eq!(found["most_sources_day"], Day(FIRST + 7).to_string());
    assert_eq!((&found["ports"][0]["port"], &found["ports"][0]["share"]), (&80.into(), &0.775194.into()));
    assert_eq!(found["victims"][0]["name"], "#1 20.0.9.0/24");
    assert_eq!(
        (&found["victims"][1]["ports"][0]["port"], &found["victims"][1]["packets"]),
        (&443.into(), &29.into())
    );
    assert_eq!(found["regions"][0]["region"], "US");
    let section = report.sections.iter().find(|section| section.id == "backscatter").unwrap();
    let Block::Matrix(matrix) = &section.blocks[1] else { panic!("no matrix") };
    let (one, two) = (&matrix.rows[0].values, &matrix.rows[1].values);
    assert_eq!((one[3], one[4], one[7], one[8]), (Some(0), None, Some(100), Some(0)));
    assert_eq!((two[3], two[4], two[7]), (Some(3), None, Some(5)));
    let whole = lab.report(10, "[[section]]\nkind = \"backscatter\"\naddresses = \"whole\"");
    assert_eq!(facts(&whole, "backscatter")["victims"][1]["name"], "30.0.9.9");
}

#[test]
fn lists_of_addresses_have_shares_and_overlaps() {
    let lab = sections_lab();
    let toml = r#"
        [[section]]
        kind = "group_share"
        group = "scanners"
        region = "CN"
        [[section]]
        kind = "group_overlap"
        group = "scanners"
        [[section]]
        kind = "group_overlap"
        group = "scanners"
        port = "6379/tcp"
    "#;
    let report = lab.report(10, toml);
    // Of 20.0.0.0/24: 16 a day on nine days, and 100 on seven; of 20.0.1.1 thirty a day.
    let share = facts(&report, "group-share-cn");
    assert_eq!((&share["group_packets"], &share["packets"]), (&844.0.into(), &1114.0.into()));
    assert_eq!(share["share"], 0.75763);
    assert_eq!(figure(&report, "group-share-cn").series[0].values[4], None);
    let overlap = facts(&report, "group-overlap");
    // 10.0.0.1, .2, .3, .7, 20.0.0.1, .7, 20.0.1.1, 30.0.0.1, 40.0.0.1; in the list are three.
    assert_eq!((&overlap["sources"], &overlap["listed"]), (&9.into(), &3.into()));
    assert_eq!(facts(&report, "group-overlap-6379-tcp")["share"], 1.0);
    let error =
        lab.try_report(10, &[], "\n[[section]]\nkind = \"group_overlap\"\ngroup = \"x\"").unwrap_err();
    assert!(error.to_string().contains("line 2") && error.to_string().contains("scanners"), "{error}");
}

#[test]
fn changes_are_found() {
    let lab = sections_lab();
    std::fs::write(lab.folder.path().join("open.csv"), "date,value\n2024-03-05,7\n2024-03-10,5\n").unwrap();
    let toml = r#"
        [[section]]
        kind = "port_by_region"
        port = "1433/tcp"
        [[section]]
        kind = "region_days"
        region = "US"
        [[section]]
        kind = "growth"
        port = "6379/tcp"
        [[section]]
        kind = "sources"
        port = "23/tcp"
        note = "as before"
        [[section]]
        kind = "sources"
        port = "23/tcp"
        region = "JP"
        [[section]]
        kind = "outside_series"
        file = "open.csv"
        name = "open"
        unit = { en = "hosts", ja = "台" }
        port = "23/tcp"
        region = "CN"
    "#;
    let report = lab.report(10, toml);
    let rise = facts(&report, "port-by-region-1433-tcp");
    assert_eq!(rise["first_day_of_rise"], Day(FIRST + 2).to_string());
    assert_eq!((&rise["median_before_rise"], &rise["median_since_rise"]), (&10.0.into(), &100.0.into()));
    assert_eq!(
        (&rise["regions"][0]["region"], &rise["regions"][0]["share"]),
        (&"CN".into(), &0.972222.into())
    );
    let stack = figure(&report, "port-by-region-1433-tcp");
    assert_eq!(stack.series[0].values[1..5], [Some(0.0), Some(100.0), Some(100.0), None]);
    let outage = facts(&report, "region-days-us");
    assert_eq!(outage["first_day"], Day(FIRST + 1).to_string());
    assert_eq!(outage["last_day"], Day(FIRST + 3).to_string());
    assert_eq!((&outage["low_days"], &outage["drop"]), (&3.into(), &1.0.into()));
    let growth = facts(&report, "growth-6379-tcp");
    // 18 on six of nine observed days, after ten on each.
    assert_eq!(
        (&growth["growth"], &growth["previous_packets_per_sensor_per_day"]),
        (&1.2.into(), &10.0.into())
    );
    let region = &growth["regions"][0];
    assert_eq!((&region["packets_per_sensor_per_day"], &region["growth"]), (&12.0.into(), &1.2.into()));
    let section = report.sections.iter().find(|section| section.id == "growth-6379-tcp").unwrap();
    let Block::Table(table) = &section.blocks[1] else { panic!("no table") };
    let numbers = [12.0, 1.0, 1.2].map(crate::report::model::Cell::Number);
    assert_eq!(table.rows[0][1..], numbers);
    let sources = facts(&report, "sources-23-tcp");
    assert_eq!((&sources["sources"], &sources["sources_per_day"]), (&5.into(), &5.0.into()));
    assert_eq!(facts(&report, "sources-23-tcp-2")["sources"], 3);
    let noted = report.sections.iter().find(|section| section.id == "sources-23-tcp").unwrap();
    assert_eq!(noted.summary.last().unwrap().en, "as before");
    let outside = figure(&report, "outside-series-23-tcp");
    assert!(outside.series[1].is_on_right_axis);
    assert_eq!(outside.series[0].values[3..5], [Some(16.0), None]);
    let place = outside.days.iter().position(|day| day == "2024-03-10").unwrap();
    assert_eq!(outside.series[1].values[place], Some(5.0));
    assert_eq!(outside.series[1].values.iter().flatten().count(), 2);
    let twice = "[[section]]\nkind = \"backscatter\"\nid = \"x\"\n";
    assert!(matches!(lab.try_report(10, &[], &twice.repeat(2)), Err(BuildError::SameId(_))));
    let nowhere = "[[section]]\nkind = \"outside_series\"\nfile = \"no.csv\"\nname = \"x\"\nunit = \"x\"";
    let error = lab.try_report(10, &[], nowhere).unwrap_err().to_string();
    assert!(
        error.contains("line 1") && error.contains(&Path::new("no.csv").display().to_string()),
        "{error}"
    );
}
