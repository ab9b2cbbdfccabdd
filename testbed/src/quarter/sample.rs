//! A small quarter, and the report that it should have: what tests damage.

use std::path::Path;

use jiff::civil::Date;
use serde_json::{Value, json};

use crate::description::Description;
use crate::expected::{self, Days};
use crate::plan::{Packet, Plan};
use crate::published::{is_scan, text};
use crate::tables;

pub const SMALL: &str = r#"
quarter = "2024Q2"
home = ["JP"]
seed = 1
background = { US = 3, JP = 1 }
published.ports = [{ port = "23/tcp", previous = 1, name = "telnet" }, { port = "22/tcp" }]
published.regions = [{ region = "US", previous = 1 }, { region = "JP", previous = 2 }]

[[sensors]]
name = "one"
observed = "192.0.2.0/28"
down = [{ from = "2024-05-01", to = "2024-05-04" }]

[[sensors]]
name = "two"
observed = "198.51.100.0/28"
down = [{ from = "2024-05-03", to = "2024-05-05" }]

[[traffic]]
name = "telnet"
ports = ["23/tcp"]
packets = 40
previous = 20
sources = 5
changes = [{ from = "2024-06-01", to = "2024-06-02", times = 10, regions = ["JP"] }]

[[traffic]]
name = "ssh"
ports = ["22/tcp"]
packets = 20
previous = 1

[[traffic]]
name = "others"
ports = [
    "1/tcp", "2/tcp", "3/tcp", "4/tcp", "5/tcp", "6/tcp", "7/tcp", "8/tcp", "9/tcp", "10/tcp", "11/tcp",
]
packets = 2

[[report.section]]
id = "regions-of-telnet"
kind = "port_by_region"
port = "23/tcp"

[[findings]]
what = "telnet is up"
section = "regions-of-telnet"
fact = "/packets_per_sensor_per_day"
at_least = 38

[[unusual]]
what = "telnet comes in numbers"
has = { kind = "unusual_port", port = 23 }
at_least = { score = 6 }
"#;

pub fn plan(text: &str) -> Plan {
    let description = Description::parse(text, Path::new("quarter.toml")).unwrap();
    Plan::new(description).unwrap()
}

/// The report that the plan should have.
pub fn report(plan: &Plan) -> Value {
    let mut sections: Vec<Value> = Vec::new();
    let (ports, regions) = tables::rows(plan);
    for (id, column, rows) in [(tables::PORTS, "service", ports), (tables::REGIONS, "region", regions)] {
        sections.push(table(plan, id, column, &rows));
    }
    for asked in expected::asked(&plan.description) {
        let expected = expected::of(plan, &asked).unwrap();
        let mut facts = json!({});
        for (pointer, value) in &expected.facts {
            facts[pointer.trim_start_matches('/')] = json!(value);
        }
        let series = expected.series.iter().map(|(_, id, values)| json!({"id": id, "values": values}));
        let figure =
            json!({"kind": "figure", "days": Days::new(plan).dates(), "series": series.collect::<Vec<_>>()});
        sections.push(json!({"id": asked.id, "facts": facts, "blocks": [figure]}));
    }
    json!({"sections": sections, "sensors": sensors(plan)})
}

fn table(plan: &Plan, id: &str, column: &str, rows: &[tables::Row]) -> Value {
    let (mut ranks, mut cells, mut series) = (Vec::new(), Vec::new(), Vec::new());
    for (number, row) in (1..).zip(rows) {
        let mut rank = json!({"rank": number, "previous_rank": row.previous});
        for (key, value) in &row.facts {
            rank[*key] = value.clone();
        }
        rank["packets_per_sensor_per_day"] = json!(expected::mean(&row.days));
        ranks.push(rank);
        cells.push(json!([number, {"en": row.label, "ja": row.label}, 1.0, row.previous]));
        series.push(json!({"id": row.series, "values": row.days}));
    }
    let columns = ["rank", column, "packets_per_sensor_per_day", "previous_rank"];
    let columns: Vec<Value> = columns.iter().map(|id| json!({"id": id})).collect();
    json!({
        "id": id,
        "facts": {"ranks": ranks},
        "blocks": [
            {"kind": "table", "columns": columns, "rows": cells},
            {"kind": "figure", "days": Days::new(plan).dates(), "series": series},
        ],
    })
}

fn sensors(plan: &Plan) -> Vec<Value> {
    let sensors = plan.description.sensors.iter().enumerate();
    sensors
        .map(|(number, sensor)| {
            let up = plan.days.iter().filter(|day| plan.is_up(number, **day));
            let (now, before): (Vec<&Date>, Vec<&Date>) =
                up.partition(|day| plan.description.quarter.contains(**day));
            let (now, before) = (now.len(), before.len());
            json!({"sensor": sensor.get_ref().name, "observed_days": now, "previous_observed_days": before})
        })
        .collect()
}

/// Scans of telnet, of which tests take one away.
pub fn is_telnet(plan: &Plan, packet: &Packet) -> bool {
    is_scan(plan, packet) && packet.port.port == 23 && text(packet.region) == "US" && plan.is_now(packet)
}
