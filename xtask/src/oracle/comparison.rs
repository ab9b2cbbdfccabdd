//! One capture, judged and replayed: do they agree?

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::counters::{Counters, Difference};
use super::judge::{self, Ending, Judgement};
use super::replay::{self, End, Replay};
use super::workshop::Workshop;

/// File types, in the words of `capinfos`, that the sensor has to read.
const FILE_TYPES: [&str; 3] =
    ["Wireshark/tcpdump/... - pcap", "Wireshark/tcpdump/... - nanosecond libpcap", "Wireshark/... - pcapng"];

#[derive(Debug)]
pub struct Comparison {
    pub capture: PathBuf,
    /// By tshark's count.
    pub packets: u64,
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
            second_looks: 0,
            remark: None,
            verdict: Verdict::Differ(vec![difference]),
        }
    }
}

pub fn compare(workshop: &Workshop, sensor: &Path, capture: &Path) -> Comparison {
    try_compare(workshop, sensor, capture).unwrap_or_else(|error| Comparison::failed(capture, &error))
}

fn try_compare(workshop: &Workshop, sensor: &Path, capture: &Path) -> Result<Comparison> {
    let judgement = judge::judge(workshop, capture)?;
    let replay = replay::replay(sensor, capture)?;
    let file_type = match (&judgement.ending, &replay.end) {
        // Only a refusal that nothing explains so far is worth a look at the file's type.
        (Ending::Complete, End::Refused(_)) => Some(file_type(workshop, capture)?),
        _ => None,
    };
    let (verdict, remark) = verdict(&judgement, &replay, file_type.as_deref());
    Ok(Comparison {
        capture: capture.to_owned(),
        packets: judgement.counters.get("packets"),
        second_looks: judgement.second_looks,
        remark,
        verdict,
    })
}

/// The verdict, and what both say of an end before the end.
pub fn verdict(judgement: &Judgement, replay: &Replay, file_type: Option<&str>) -> (Verdict, Option<String>) {
    let Judgement { counters, ending, undecided, .. } = judgement;
    if let (Some(file_type), End::Refused(words)) = (file_type, &replay.end)
        && !FILE_TYPES.contains(&file_type)
        && replay.counters == Counters::default()
    {
        return (Verdict::Refused, Some(format!("{file_type}: {words}")));
    }
    let mut differences = Counters::differences(&replay.counters, counters);
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
        let apus = format!("{:?}", replay.end);
        differences.push(Difference { what: "end".to_owned(), apus, tshark: format!("{ending:?}") });
    }
    let remark = match &replay.end {
        End::Refused(words) => Some(words.clone()),
        _ => None,
    };
    let verdict = match (differences.is_empty(), ending) {
        (true, Ending::OtherLink { .. }) => Verdict::Refused,
        (true, _) => Verdict::Agree,
        (false, _) => Verdict::Differ(differences),
    };
    (verdict, remark)
}

/// What the file is, in the words of `capinfos`, or that it is empty.
fn file_type(workshop: &Workshop, capture: &Path) -> Result<String> {
    if fs::metadata(capture).is_ok_and(|metadata| metadata.len() == 0) {
        return Ok("empty file".to_owned());
    }
    let output =
        workshop.tool("capinfos").arg("-t").arg(capture).output().context("cannot start capinfos")?;
    let output = String::from_utf8_lossy(&output.stdout);
    let file_type = output.lines().find_map(|line| line.strip_prefix("File type:"));
    Ok(file_type.map_or("unknown", str::trim).to_owned())
}
