//! What came of a quarter, for people and for programs.

use std::io::{self, Write};

use sensor_user::table::grouped;
use serde::Serialize;
use serde_json::json;

use crate::difference::{Checked, Difference};
use crate::plan::Plan;

/// Differences that are shown of each stage.
const SHOWN: usize = 20;
/// Columns of what was expected, and of what was reported.
const WIDTH: usize = 24;

/// What is compared with what, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    Description,
    Store,
    Tables,
    Figures,
    Findings,
    Pages,
    Notices,
    Unusual,
}

impl Stage {
    const fn words(self) -> &'static str {
        match self {
            Self::Description => "the described traffic against the published tables",
            Self::Store => "the store's sums against the packets sent",
            Self::Tables => "the report's tables and their lines against what was published and sent",
            Self::Figures => "the analyst's sections against the packets sent",
            Self::Findings => "the report's facts against what was found",
            Self::Pages => "the report's pages, in two languages",
            Self::Notices => "who is told of, by signature, against the packets sent",
            Self::Unusual => "what is detected, against what was unusual",
        }
    }
}

/// One quarter's outcome.
pub struct Outcome {
    quarter: String,
    packets: u64,
    seconds: f64,
    stages: Vec<(Stage, Checked)>,
    /// Why it did not come to its end.
    failure: Option<String>,
}

impl Outcome {
    pub fn new(plan: &Plan) -> Self {
        let packets = plan.packets.len() as u64;
        Self {
            quarter: plan.description.quarter.to_string(),
            packets,
            seconds: 0.0,
            stages: Vec::new(),
            failure: None,
        }
    }

    pub fn add(&mut self, stage: Stage, checked: Checked) {
        self.stages.push((stage, checked));
    }

    /// Notes what kept it from its end, if something did.
    pub fn failed(&mut self, error: Option<anyhow::Error>) {
        self.failure = error.map(|error| format!("{error:#}"));
    }

    /// The same, with how long it took.
    pub fn after(self, seconds: f64) -> Self {
        Self { seconds, ..self }
    }

    /// Whether it came to its end, something was looked at in every stage, and nothing differs.
    pub fn agrees(&self) -> bool {
        let is_right = |(_, checked): &(Stage, Checked)| checked.number > 0 && checked.differences.is_empty();
        self.failure.is_none() && !self.stages.is_empty() && self.stages.iter().all(is_right)
    }

    pub fn text(&self) -> String {
        let Self { quarter, packets, seconds, stages, failure } = self;
        let verdict = if self.agrees() { "agrees" } else { "DIFFERS" };
        let mut text = format!("{quarter} {verdict}: {} packets, {seconds:.1} s\n", grouped(*packets));
        for (stage, Checked { number, differences }) in stages {
            let wrong = differences.len();
            text += &match wrong {
                0 => format!("  {:>9} as they have to be: {}\n", grouped(*number as u64), stage.words()),
                _ => format!(
                    "  {:>9} of {} WRONG: {}\n",
                    grouped(wrong as u64),
                    grouped(*number as u64),
                    stage.words()
                ),
            };
            if wrong > 0 {
                text += &format!("    {:<WIDTH$}  {:<WIDTH$}  {}\n", "expected", "reported", "what");
            }
            for Difference { what, expected, reported } in differences.iter().take(SHOWN) {
                text += &format!("    {expected:<WIDTH$}  {reported:<WIDTH$}  {what}\n");
            }
            if wrong > SHOWN {
                text += &format!("    and {} more; --json has all\n", grouped((wrong - SHOWN) as u64));
            }
        }
        if let Some(failure) = failure {
            text += &format!("  FAILED: {failure}\n");
        }
        text
    }
}

/// Writes all outcomes as one document.
///
/// # Errors
/// Where nobody reads it.
pub fn write_json(outcomes: &[Outcome], mut output: impl Write) -> io::Result<()> {
    let quarters: Vec<_> = outcomes
        .iter()
        .map(|outcome| {
            let stages: Vec<_> = outcome
                .stages
                .iter()
                .map(|(stage, Checked { number, differences })| {
                    json!({"stage": stage, "checked": number, "differences": differences})
                })
                .collect();
            json!({
                "quarter": outcome.quarter,
                "agrees": outcome.agrees(),
                "packets": outcome.packets,
                "seconds": outcome.seconds,
                "stages": stages,
                "failure": outcome.failure,
            })
        })
        .collect();
    let agrees = outcomes.iter().all(Outcome::agrees);
    serde_json::to_writer_pretty(&mut output, &json!({"agrees": agrees, "quarters": quarters}))?;
    writeln!(output)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{SMALL, plan};

    fn outcome(checked: Checked) -> Outcome {
        let mut outcome = Outcome::new(&plan(SMALL));
        outcome.add(Stage::Store, checked);
        outcome
    }

    fn looked_at(number: usize) -> Checked {
        Checked { number, differences: Vec::new() }
    }

    #[test]
    fn what_was_not_looked_at_does_not_agree() {
        assert!(outcome(looked_at(1)).agrees());
        assert!(!outcome(looked_at(0)).agrees());
        assert!(!Outcome::new(&plan(SMALL)).agrees());
        let mut failed = outcome(looked_at(1));
        failed.failed(Some(anyhow::anyhow!("the disk is full")));
        assert!(!failed.agrees() && failed.text().contains("FAILED: the disk is full"));
    }

    #[test]
    fn differences_are_shown_and_those_beyond_are_counted() {
        let differences = (0..30).map(|number| Difference::new(format!("row {number}"), 1, 2)).collect();
        let outcome = outcome(Checked { number: 40, differences });
        let text = outcome.text();
        assert!(!outcome.agrees() && text.contains("2024Q2 DIFFERS") && text.contains("30 of 40 WRONG"));
        assert!(
            text.contains("row 19") && !text.contains("row 20") && text.contains("and 10 more"),
            "{text}"
        );
        let mut json = Vec::new();
        write_json(&[outcome], &mut json).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
        assert_eq!(json["agrees"], false);
        assert_eq!(json["quarters"][0]["stages"][0]["differences"].as_array().unwrap().len(), 30);
    }
}
