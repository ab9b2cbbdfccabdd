//! One capture, judged and replayed: do they agree?

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::counters::{Counters, Difference};
use super::file_type;
use super::flows::{self, BY_SOURCE, BY_TUPLE};
use super::judge::{self, Ending, Judgement};
use super::replay::{self, End, Replay};
use super::sensor::Sensor;
use super::workshop::Workshop;

#[derive(Debug)]
pub struct Comparison {
    pub capture: PathBuf,
    /// By tshark's count.
    pub packets: u64,
    /// Flows compared, told apart in both ways, by tshark's count.
    pub flows: u64,
    pub second_looks: u64,
    /// Why it ends before its end, or is not read at all, where both say so.
    pub remark: Option<String>,
    pub verdict: Verdict,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Agree,
    /// The sensor does not read it, and rightly.
    Refused,
    Differ(Vec<Difference>),
}

impl Comparison {
    /// Of a capture where the comparison itself failed, which must not hide the others.
    fn failed(capture: &Path, error: &anyhow::Error) -> Self {
        let what = "comparison".to_owned();
        let difference = Difference { what, apus: "?".to_owned(), tshark: format!("{error:#}") };
        Self {
            capture: capture.to_owned(),
            packets: 0,
            flows: 0,
            second_looks: 0,
            remark: None,
            verdict: Verdict::Differ(vec![difference]),
        }
    }
}

pub fn compare(workshop: &Workshop, sensor: &Sensor, capture: &Path) -> Comparison {
    try_compare(workshop, sensor, capture).unwrap_or_else(|error| Comparison::failed(capture, &error))
}

fn try_compare(workshop: &Workshop, sensor: &Sensor, capture: &Path) -> Result<Comparison> {
    let judgement = judge::judge(workshop, capture)?;
    let replay = replay::replay(workshop, sensor, capture)?;
    let file_type = match (&judgement.ending, &replay.end) {
        // Only a refusal that nothing explains so far is worth a look at the file's type.
        (Ending::Complete | Ending::OtherLink { .. }, End::Refused(_)) => {
            Some(file_type::of(workshop, capture)?)
        }
        _ => None,
    };
    let (verdict, remark) = verdict(&judgement, &replay, file_type.as_deref());
    Ok(Comparison {
        capture: capture.to_owned(),
        packets: judgement.counters.get("packets"),
        flows: judgement.flows.rows() as u64,
        second_looks: judgement.second_looks,
        remark,
        verdict,
    })
}

/// The verdict, and what both say of an end before the end.
pub fn verdict(judgement: &Judgement, replay: &Replay, file_type: Option<&str>) -> (Verdict, Option<String>) {
    let Judgement { counters, flows, ending, undecided, .. } = judgement;
    if let (Some(file_type), End::Refused(words)) = (file_type, &replay.end)
        && !file_type::is_supported(file_type)
    {
        // Two readings of two formats: nothing to compare, even if something could be read in this one.
        return (Verdict::Refused, Some(format!("{file_type}: {}", first(words))));
    }
    let mut differences = Counters::differences(&replay.counters, counters);
    differences.extend(flows::differences(&BY_SOURCE, &replay.flows.by_source, &flows.by_source));
    differences.extend(flows::differences(&BY_TUPLE, &replay.flows.by_tuple, &flows.by_tuple));
    differences.extend(undecided.iter().map(|missing| Difference {
        what: "a packet that tshark does not decide".to_owned(),
        apus: "?".to_owned(),
        tshark: missing.clone(),
    }));
    let explained = match (&replay.end, ending) {
        (End::Complete, Ending::Complete) => true,
        (End::Refused(_), Ending::Broken(_)) => true,
        (End::Refused(words), Ending::OtherLink { .. }) => words.contains("link type"),
        _ => false,
    };
    if !explained {
        let what = "end".to_owned();
        differences.push(Difference { what, apus: replay.end.to_string(), tshark: ending.to_string() });
    }
    let remark = match &replay.end {
        End::Refused(words) if explained => Some(first(words).to_owned()),
        _ => None,
    };
    let verdict = match (differences.is_empty(), ending) {
        (true, Ending::OtherLink { .. }) => Verdict::Refused,
        (true, _) => Verdict::Agree,
        (false, _) => Verdict::Differ(differences),
    };
    (verdict, remark)
}

/// The first line says why; what follows sums up.
fn first(words: &str) -> &str {
    words.split(" | ").next().unwrap_or_default()
}
