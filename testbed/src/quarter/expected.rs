//! What a report has to say of a plan's packets, worked out from the packets themselves.

mod backscatter;
mod groups;
mod sections;
mod signatures;
mod values;

use serde_json::Value;

use crate::difference::{Checked, Difference};
use crate::findings::section;
use crate::plan::Plan;

pub use sections::{asked, expected as of};
pub use values::{Days, mean};

/// How far a figure may be from its value: reports round to six decimals.
const TOLERANCE: f64 = 1e-5;

/// A series: which of the section's figures it is in, its id, and its values by day, absent on a day without sensors.
pub type ExpectedSeries = (usize, String, Vec<Option<f64>>);

/// What one section has to have.
#[derive(Debug, Default)]
pub struct Expected {
    pub series: Vec<ExpectedSeries>,
    /// JSON pointers into its facts.
    pub facts: Vec<(String, f64)>,
    /// Rows of its matrix, in order: their names, and their values by day.
    pub matrix: Vec<(String, Vec<Option<f64>>)>,
}

/// Looks at the sections that the description asks for.
pub fn check(plan: &Plan, report: &Value) -> Checked {
    let mut checked = Checked::default();
    for asked in asked(&plan.description) {
        match of(plan, &asked) {
            Ok(expected) => check_section(&mut checked, plan, report, &asked.id, &expected),
            Err(why) => {
                checked.that(false, || Difference::new(format!("section {}", asked.id), "to be known", why))
            }
        }
    }
    checked
}

/// Looks at one section.
pub fn check_section(checked: &mut Checked, plan: &Plan, report: &Value, id: &str, expected: &Expected) {
    let found = match section(report, id) {
        Ok(found) => found,
        Err(missing) => {
            return checked.that(false, || Difference::new(format!("section {id}"), "to be there", missing));
        }
    };
    for (pointer, value) in &expected.facts {
        let reported = found["facts"].pointer(pointer);
        let holds = reported.and_then(Value::as_f64).is_some_and(|reported| near(reported, *value));
        checked.that(holds, || {
            let reported = reported.map_or_else(|| "no such fact".into(), Value::to_string);
            Difference::new(format!("fact {id}{pointer}"), value, reported)
        });
    }
    let figures: Vec<&Value> = blocks(found, "figure").collect();
    for (number, series, values) in &expected.series {
        let what = format!("figure {} of {id}, series {series}", number + 1);
        let figure = figures.get(*number).copied().unwrap_or(&Value::Null);
        let found = figure["series"].as_array().into_iter().flatten().find(|found| found["id"] == *series);
        check_values(checked, plan, &what, &figure["days"], found, values);
    }
    let matrix = blocks(found, "matrix").next().unwrap_or(&Value::Null);
    for (place, (name, values)) in expected.matrix.iter().enumerate() {
        let row = matrix["rows"].get(place).filter(|row| row["name"]["en"] == *name);
        check_values(checked, plan, &format!("matrix of {id}, row {name}"), &matrix["days"], row, values);
    }
}

/// A section's blocks of a kind.
pub fn blocks<'a>(section: &'a Value, kind: &'a str) -> impl Iterator<Item = &'a Value> {
    section["blocks"].as_array().into_iter().flatten().filter(move |block| block["kind"] == kind)
}

/// Looks at each day's value of a series, or of a row of a matrix.
fn check_values(
    checked: &mut Checked,
    plan: &Plan,
    what: &str,
    found_days: &Value,
    found: Option<&Value>,
    expected: &[Option<f64>],
) {
    let days: Vec<String> = Days::new(plan).dates();
    let Some(values) = found.and_then(|found| found["values"].as_array()) else {
        return checked.that(false, || Difference::new(what, "to be there", "it is not"));
    };
    let found_days: Vec<&str> =
        found_days.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let same_days = found_days == days && values.len() == days.len();
    checked.that(same_days, || {
        let reported = format!("{} days, {} values", found_days.len(), values.len());
        Difference::new(format!("{what}: days"), format!("{} days", days.len()), reported)
    });
    for ((day, expected), found) in days.iter().zip(expected).zip(values) {
        let holds = match expected {
            Some(expected) => found.as_f64().is_some_and(|found| near(found, *expected)),
            None => found.is_null(),
        };
        checked.that(holds, || {
            let expected = expected.map_or_else(|| "a gap".into(), |expected| expected.to_string());
            let reported = if found.is_null() { "a gap".into() } else { found.to_string() };
            Difference::new(format!("{what}, {day}"), expected, reported)
        });
    }
}

pub fn near(one: f64, other: f64) -> bool {
    (one - other).abs() <= TOLERANCE
}
