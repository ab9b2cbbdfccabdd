//! What an analyst found, against the facts of the report's sections.

use serde_json::Value;

use crate::description::{Description, Finding};
use crate::difference::{Checked, Difference};

/// Looks for each finding in the report.
pub fn check(description: &Description, report: &Value) -> Checked {
    let mut checked = Checked::default();
    for finding in &description.findings {
        let finding = finding.get_ref();
        let found = fact(report, finding);
        let holds = found.as_ref().is_ok_and(|found| holds(finding, found));
        checked.that(holds, || {
            let what = format!("finding '{}' ({}{})", finding.what, finding.section, finding.fact);
            let reported = found.map_or_else(|missing| missing, |found| found.to_string());
            Difference::new(what, expected(finding), reported)
        });
    }
    checked
}

/// The section of a report that has this id.
pub fn section<'a>(report: &'a Value, id: &str) -> Result<&'a Value, String> {
    let sections = report["sections"].as_array().ok_or("no sections")?;
    sections.iter().find(|section| section["id"] == id).ok_or_else(|| format!("no section {id}"))
}

fn fact<'a>(report: &'a Value, finding: &Finding) -> Result<&'a Value, String> {
    let facts = &section(report, &finding.section)?["facts"];
    facts.pointer(&finding.fact).ok_or_else(|| "no such fact".to_owned())
}

fn holds(finding: &Finding, found: &Value) -> bool {
    let Finding { is, at_least, at_most, .. } = finding;
    match is {
        Some(is) => same(is, found),
        None => found.as_f64().is_some_and(|found| {
            at_least.is_none_or(|least| found >= least) && at_most.is_none_or(|most| found <= most)
        }),
    }
}

/// Whether two values are equal; numbers by what they are, and not by how they are written.
fn same(expected: &Value, found: &Value) -> bool {
    match (expected.as_f64(), found.as_f64()) {
        (Some(expected), Some(found)) => (expected - found).abs() < 1e-9,
        _ => expected == found,
    }
}

fn expected(finding: &Finding) -> String {
    match (&finding.is, finding.at_least, finding.at_most) {
        (Some(is), ..) => is.to_string(),
        (None, Some(least), Some(most)) => format!("{least} to {most}"),
        (None, Some(least), None) => format!("at least {least}"),
        (None, None, most) => format!("at most {}", most.unwrap_or_default()),
    }
}
