//! Tables 1 and 2 of the report, rank by rank, and their figures.

#[cfg(test)]
mod tests;

use serde_json::Value;

use crate::description::{PublishedPort, PublishedRegion};
use crate::difference::{Checked, Difference};
use crate::expected::{Days, Expected, blocks, check_section, mean, near};
use crate::findings::section;
use crate::plan::{Packet, Plan};
use crate::published::{is_scan, text, words};

/// The ids of the sections that every report has.
pub const PORTS: &str = "ports";
pub const REGIONS: &str = "regions";

/// One row that has to be there.
pub struct Row {
    /// How it is called in messages.
    pub name: String,
    /// What the row of the table has to contain.
    pub label: String,
    /// Facts that its rank has to have.
    pub facts: Vec<(&'static str, Value)>,
    pub previous: Option<u32>,
    /// The id of its line in the figure.
    pub series: String,
    pub days: Vec<Option<f64>>,
}

/// Compares both tables and figures, and how long each sensor was up.
pub fn check(plan: &Plan, report: &Value) -> Checked {
    let mut checked = Checked::default();
    let (ports, regions) = rows(plan);
    table(&mut checked, plan, report, PORTS, &ports);
    table(&mut checked, plan, report, REGIONS, &regions);
    sensors(&mut checked, plan, report);
    checked
}

/// The rows of table 1, and of table 2.
pub fn rows(plan: &Plan) -> (Vec<Row>, Vec<Row>) {
    let published = &plan.description.published;
    let days = Days::new(plan);
    let ports = published.ports.get_ref().iter().map(|PublishedPort { port, previous, name }| Row {
        name: format!("port {port}"),
        label: name.as_ref().map_or_else(|| port.to_string(), |name| format!("{port} ({name})")),
        facts: vec![
            ("port", port.port.into()),
            ("transport", if port.is_tcp() { "tcp" } else { "udp" }.into()),
        ],
        previous: *previous,
        series: port.to_string().to_ascii_lowercase().replace('/', "-"),
        days: days.packets(|packet| packet.port == *port && is_scan(plan, packet)),
    });
    let regions = published.regions.get_ref().iter().map(|PublishedRegion { region, previous }| Row {
        name: format!("region {region}"),
        label: format!("({region})"),
        facts: vec![("region", region.as_str().into())],
        previous: *previous,
        series: region.to_ascii_lowercase(),
        days: days.packets(|packet: &Packet| text(packet.region) == *region && is_scan(plan, packet)),
    });
    (ports.collect(), regions.collect())
}

fn table(checked: &mut Checked, plan: &Plan, report: &Value, id: &str, rows: &[Row]) {
    let found = match section(report, id) {
        Ok(found) => found,
        Err(missing) => {
            return checked.that(false, || Difference::new(format!("section {id}"), "to be there", missing));
        }
    };
    let ranks = found["facts"]["ranks"].as_array().map_or(&[][..], Vec::as_slice);
    checked.equal(format!("{id}: rows"), &rows.len(), &ranks.len());
    let table = blocks(found, "table").next().unwrap_or(&Value::Null);
    let cell = |row: usize, column: &str| {
        let columns = table["columns"].as_array()?;
        let place = columns.iter().position(|known| known["id"] == column)?;
        table["rows"].get(row)?.get(place)
    };
    let mut expected = Expected::default();
    for (place, row) in rows.iter().enumerate() {
        let rank = ranks.get(place).unwrap_or(&Value::Null);
        for (key, value) in &row.facts {
            checked.equal(format!("rank {}: {key}", place + 1), value, &rank[*key]);
        }
        checked.equal(format!("{}: rank", row.name), &Value::from(place + 1), &rank["rank"]);
        let previous = rank["previous_rank"].as_u64().and_then(|rank| u32::try_from(rank).ok());
        checked.equal(format!("{}: previous rank", row.name), &words(row.previous), &words(previous));
        // Where a rank is below the tenth the cell has nothing, for which there are words.
        let shown = cell(place, "previous_rank").map(Value::as_f64);
        let wanted = row.previous.map(f64::from);
        checked.that(shown == Some(wanted), || {
            let shown = shown.map_or_else(|| "no such cell".into(), |shown| format!("{shown:?}"));
            Difference::new(format!("{}: previous rank in the table", row.name), format!("{wanted:?}"), shown)
        });
        let names = [cell(place, "service"), cell(place, "region")].into_iter().flatten();
        let label: String = names.filter_map(|name| name["en"].as_str()).collect();
        let has_label = label.contains(&row.label);
        checked.that(has_label, || Difference::new(format!("{}: name", row.name), &row.label, &label));
        let packets = rank["packets_per_sensor_per_day"].as_f64().unwrap_or(f64::NAN);
        let wanted = mean(&row.days);
        checked.that(near(packets, wanted), || {
            Difference::new(format!("{}: packets per sensor per day", row.name), wanted, packets)
        });
        expected.series.push((0, row.series.clone(), row.days.clone()));
    }
    check_section(checked, plan, report, id, &expected);
}

/// Days of up-time: what a dead sensor shows in.
fn sensors(checked: &mut Checked, plan: &Plan, report: &Value) {
    for (number, sensor) in plan.description.sensors.iter().enumerate() {
        let name = &sensor.get_ref().name;
        let found = report["sensors"].as_array().into_iter().flatten().find(|one| one["sensor"] == **name);
        let found = found.unwrap_or(&Value::Null);
        let (mut now, mut before) = (0_u32, 0_u32);
        for day in plan.days.iter().filter(|day| plan.is_up(number, **day)) {
            *if plan.description.quarter.contains(*day) { &mut now } else { &mut before } += 1;
        }
        for (key, days) in [("observed_days", now), ("previous_observed_days", before)] {
            let reported = found[key].as_f64().unwrap_or(f64::NAN);
            checked.that(near(reported, days.into()), || {
                Difference::new(format!("sensor {name}: {key}"), days, reported)
            });
        }
    }
}
