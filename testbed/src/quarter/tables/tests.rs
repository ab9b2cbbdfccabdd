//! A report that is right agrees, and whatever is wrong in it is noticed.

use serde_json::{Value, json};

use crate::difference::Checked;
use crate::plan::Plan;
use crate::sample::{SMALL, is_telnet, plan, report};
use crate::{expected, findings};

fn checked(plan: &Plan, report: &Value) -> Checked {
    let mut checked = super::check(plan, report);
    checked.extend(expected::check(plan, report));
    checked.extend(findings::check(&plan.description, report));
    checked
}

/// What is noticed in a report with one place changed.
fn noticed(pointer: &str, change: impl FnOnce(&mut Value)) -> Vec<String> {
    let plan = plan(SMALL);
    let mut report = report(&plan);
    change(report.pointer_mut(pointer).unwrap_or_else(|| panic!("no {pointer}")));
    checked(&plan, &report).differences.into_iter().map(|difference| difference.what).collect()
}

#[test]
fn a_report_that_is_right_agrees() {
    let plan = plan(SMALL);
    let checked = checked(&plan, &report(&plan));
    assert_eq!(checked.differences, []);
    assert!(checked.number > 500, "{}", checked.number);
}

#[test]
fn wrong_ranks_are_noticed() {
    let swapped = noticed("/sections/0/facts/ranks", |ranks| ranks.as_array_mut().unwrap().swap(0, 1));
    assert!(swapped.iter().any(|what| what == "port 23/TCP: rank"), "{swapped:?}");
    let previous = noticed("/sections/0/facts/ranks/0/previous_rank", |rank| *rank = json!(2));
    assert_eq!(previous, ["port 23/TCP: previous rank"]);
    // The published one is below the tenth.
    let below = noticed("/sections/0/facts/ranks/1/previous_rank", |rank| *rank = json!(10));
    assert_eq!(below, ["port 22/TCP: previous rank"]);
    let shown = noticed("/sections/1/blocks/0/rows/1/3", |cell| *cell = json!(3));
    assert_eq!(shown, ["region JP: previous rank in the table"]);
    let name = noticed("/sections/0/blocks/0/rows/0/1/en", |cell| *cell = json!("23/TCP"));
    assert_eq!(name, ["port 23/TCP: name"]);
    let missing = noticed("/sections/1/facts/ranks", |ranks| drop(ranks.as_array_mut().unwrap().pop()));
    assert!(missing.contains(&"regions: rows".to_owned()), "{missing:?}");
}

#[test]
fn a_packet_too_few_is_noticed() {
    let plan = plan(SMALL);
    let mut fewer = crate::sample::plan(SMALL);
    let place = fewer.packets.iter().position(|packet| is_telnet(&fewer, packet)).unwrap();
    fewer.packets.remove(place);
    let checked = checked(&plan, &report(&fewer));
    let what: Vec<&str> = checked.differences.iter().map(|difference| difference.what.as_str()).collect();
    for of in ["port 23/TCP: packets", "region US: packets", "figure 1 of regions-of-telnet, series us"] {
        assert!(what.iter().any(|what| what.starts_with(of)), "{of}: {what:?}");
    }
}

#[test]
fn a_gap_that_is_drawn_as_zero_is_noticed() {
    // No sensor was up on 3 May.
    let days = plan(SMALL).days;
    let place = days.iter().position(|day| day.to_string() == "2024-05-03").unwrap() - 91;
    let zero = noticed(&format!("/sections/0/blocks/1/series/0/values/{place}"), |value| {
        assert!(value.is_null());
        *value = json!(0.0);
    });
    assert_eq!(zero, ["figure 1 of ports, series 23-tcp, 2024-05-03"]);
    let up = noticed("/sensors/1/observed_days", |days| *days = json!(91));
    assert_eq!(up, ["sensor two: observed_days"]);
}

#[test]
fn what_is_missing_is_noticed() {
    let section = noticed("/sections", |sections| drop(sections.as_array_mut().unwrap().pop()));
    assert!(section.iter().any(|what| what.starts_with("finding 'telnet is up'")), "{section:?}");
    assert!(section.contains(&"section regions-of-telnet".to_owned()), "{section:?}");
    let fact = noticed("/sections/2/facts", |facts| *facts = json!({}));
    assert!(fact.iter().any(|what| what.starts_with("finding")), "{fact:?}");
    let low = noticed("/sections/2/facts/packets_per_sensor_per_day", |fact| *fact = json!(37.9));
    assert_eq!(low.len(), 2, "{low:?}");
    let series = noticed("/sections/2/blocks/0/series/0/id", |id| *id = json!("zz"));
    assert_eq!(series.len(), 1, "{series:?}");
    assert!(!noticed("/sections/0/blocks/1/days/5", |day| *day = json!("2024-04-07")).is_empty());
    assert!(!noticed("/sections", |sections| *sections = json!([])).is_empty());
}
