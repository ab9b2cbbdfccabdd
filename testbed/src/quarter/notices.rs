//! Who is told to whom: the addresses at home that bear a signature, against the packets that were sent.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use serde_json::Value;

use crate::description::{Class, Signature};
use crate::difference::{Checked, Difference};
use crate::plan::{Packet, Plan};
use crate::published::text;

/// What scans of the quarter bear: names of signatures and windows, as the collector writes them.
pub fn marks(plan: &Plan) -> BTreeSet<String> {
    plan.description.traffic.iter().flat_map(|stream| marks_of(stream.get_ref())).collect()
}

fn marks_of(stream: &crate::description::Traffic) -> Vec<String> {
    let signature = (stream.signature != Signature::None).then(|| stream.signature.name().to_owned());
    let window = stream.window.map(|window| format!("window:{window}"));
    let is_scan = stream.class == Class::Scan;
    signature.into_iter().chain(window).filter(|_| is_scan).collect()
}

/// One address.
#[derive(Default)]
struct Scanner<'a> {
    packets: u64,
    sensors: BTreeSet<&'a str>,
    days: BTreeSet<String>,
    region: String,
}

/// Looks at what is told of one mark.
pub fn check(plan: &Plan, mark: &str, notice: &Value) -> Checked {
    let mut checked = Checked::default();
    let mut expected: BTreeMap<String, Scanner<'_>> = BTreeMap::new();
    for packet in plan.packets.iter().filter(|packet| is_told(plan, packet, mark)) {
        let scanner = expected.entry(Ipv4Addr::from_bits(packet.source).to_string()).or_default();
        scanner.packets += 1;
        scanner.sensors.insert(plan.sensor(packet));
        scanner.days.insert(plan.day(packet).to_string());
        scanner.region = text(packet.region);
    }
    let of = |what: &str| format!("addresses with {mark}: {what}");
    let Some(rows) = notice.as_array() else {
        checked.that(false, || Difference::new(of("the notice"), "an array", notice));
        return checked;
    };
    checked.equal(of("how many"), &expected.len(), &rows.len());
    for row in rows {
        let address = row["address"].as_str().unwrap_or_default();
        let Some(scanner) = expected.remove(address) else {
            checked.that(false, || Difference::new(of(address), "not told, or once", "told"));
            continue;
        };
        let sensors = scanner.sensors.len() as u64;
        checked.equal(of(&format!("{address}, region")), &Value::from(&*scanner.region), &row["region"]);
        checked.equal(of(&format!("{address}, packets")), &Some(scanner.packets).into(), &row["packets"]);
        checked.equal(of(&format!("{address}, sensors")), &Some(sensors).into(), &row["sensors"]);
        for (key, day) in [("first_seen", scanner.days.first()), ("last_seen", scanner.days.last())] {
            let reported = row[key].as_str().unwrap_or_default();
            checked.that(day.is_some_and(|day| reported.starts_with(day)), || {
                Difference::new(of(&format!("{address}, {key}")), day.cloned().unwrap_or_default(), reported)
            });
        }
    }
    for address in expected.into_keys() {
        checked.that(false, || Difference::new(of(&address), "told", "not told"));
    }
    // What leaves the house never says where the sensors are.
    let told = notice.to_string();
    for sensor in &plan.description.sensors {
        let shown = sensor.get_ref().observed.hosts().find(|host| told.contains(&format!("\"{host}\"")));
        checked.that(shown.is_none(), || {
            Difference::new(
                of("no sensor's address"),
                "none",
                shown.map_or_else(String::new, |host| host.to_string()),
            )
        });
    }
    checked
}

fn is_told(plan: &Plan, packet: &Packet, mark: &str) -> bool {
    plan.is_now(packet)
        && plan.description.home.contains(&text(packet.region))
        && marks_of(plan.stream(packet)).iter().any(|own| own == mark)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sample::{SMALL, plan};

    /// What the collector has to say of telnet with a window.
    fn sample() -> (Plan, Value) {
        let plan = plan(&SMALL.replace("name = \"ssh\"", "name = \"ssh\"\nwindow = 5656"));
        let mut rows: BTreeMap<u32, (u64, BTreeSet<String>, BTreeSet<String>)> = BTreeMap::new();
        for packet in plan.packets.iter().filter(|packet| is_told(&plan, packet, "window:5656")) {
            let row = rows.entry(packet.source).or_default();
            row.0 += 1;
            row.1.insert(plan.sensor(packet).into());
            row.2.insert(plan.day(packet).to_string());
        }
        let rows: Vec<Value> = rows
            .into_iter()
            .map(|(source, (packets, sensors, days))| {
                json!({
                    "address": Ipv4Addr::from_bits(source).to_string(),
                    "region": "JP",
                    "packets": packets,
                    "sensors": sensors.len(),
                    "first_seen": format!("{}T00:00:00.000+00:00", days.first().unwrap()),
                    "last_seen": format!("{}T00:00:00.000+00:00", days.last().unwrap()),
                })
            })
            .collect();
        (plan, Value::Array(rows))
    }

    #[test]
    fn marks_are_those_of_scans() {
        assert_eq!(marks(&sample().0), BTreeSet::from(["window:5656".to_owned()]));
    }

    #[test]
    fn whoever_is_missing_or_wrong_is_noticed() {
        let (plan, right) = sample();
        assert!(right.as_array().unwrap().len() > 1);
        let wrong = |damage: fn(&mut Vec<Value>)| {
            let mut notice = right.clone();
            damage(notice.as_array_mut().unwrap());
            check(&plan, "window:5656", &notice).differences.len()
        };
        assert_eq!(wrong(|_| {}), 0);
        // How many, and which.
        assert_eq!(wrong(|rows| drop(rows.pop())), 2);
        // Another one twice in its place.
        assert_eq!(wrong(|rows| rows[0] = rows[1].clone()), 2);
        assert_eq!(wrong(|rows| rows[0]["region"] = json!("US")), 1);
        assert_eq!(wrong(|rows| drop(rows[0].as_object_mut().unwrap().remove("region"))), 1);
        assert_eq!(wrong(|rows| rows[0]["packets"] = json!(1_000_000)), 1);
        assert_eq!(wrong(|rows| rows[0]["sensors"] = json!(9)), 1);
        assert_eq!(wrong(|rows| rows[0]["first_seen"] = json!("1999-01-01T00:00:00.000+00:00")), 1);
        assert_eq!(wrong(|rows| rows[0]["address"] = json!("203.0.113.9")), 2);
        assert_eq!(wrong(|rows| rows[0]["target"] = json!("192.0.2.1")), 1);
        for no_array in [Value::Null, json!({}), json!("none")] {
            assert_eq!(check(&plan, "window:5656", &no_array).differences.len(), 1);
        }
    }
}
