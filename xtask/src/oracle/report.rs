//! The result, for people and for machines.

use std::io::{self, IsTerminal, Write};

use serde_json::{Value, json};

use super::comparison::{Comparison, Verdict};

/// How many captures have which verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    pub agree: usize,
    pub differ: usize,
    pub refused: usize,
    pub packets: u64,
    pub flows: u64,
    pub second_looks: u64,
}

impl Summary {
    pub fn of(comparisons: &[Comparison]) -> Self {
        let mut summary = Self::default();
        for comparison in comparisons {
            match comparison.verdict {
                Verdict::Agree => summary.agree += 1,
                Verdict::Refused => summary.refused += 1,
                Verdict::Differ(_) => summary.differ += 1,
            }
            summary.packets += comparison.packets;
            summary.flows += comparison.flows;
            summary.second_looks += comparison.second_looks;
        }
        summary
    }
}

impl Verdict {
    fn name(&self) -> &'static str {
        match self {
            Self::Agree => "agree",
            Self::Refused => "refused",
            Self::Differ(_) => "differ",
        }
    }
}

pub fn print_table(comparisons: &[Comparison], judge: &str) -> io::Result<()> {
    let mut output = io::stdout().lock();
    writeln!(output, "{:<8} {:>9} {:>9}  capture", "verdict", "packets", "flows")?;
    for Comparison { capture, packets, flows, remark, verdict, .. } in comparisons {
        writeln!(output, "{:<8} {packets:>9} {flows:>9}  {}", verdict.name(), capture.display())?;
        if let Some(remark) = remark {
            writeln!(output, "{:30}{remark}", "")?;
        }
        if let Verdict::Differ(differences) = verdict {
            for difference in differences {
                let (apus, tshark) = (&difference.apus, &difference.tshark);
                writeln!(output, "{:30}{}: apus {apus}, tshark {tshark}", "", difference.what)?;
            }
        }
    }
    let Summary { agree, differ, refused, packets, flows, second_looks } = Summary::of(comparisons);
    writeln!(
        output,
        "\n{} captures, {packets} packets, {flows} flows: {agree} agree, {differ} differ, {refused} refused \
         ({second_looks} packets took tshark a second look)\njudge: {judge}",
        comparisons.len()
    )
}

pub fn document(comparisons: &[Comparison], judge: &str) -> Value {
    let captures: Vec<Value> = comparisons.iter().map(capture_document).collect();
    let Summary { agree, differ, refused, packets, flows, second_looks } = Summary::of(comparisons);
    json!({
        "judge": judge,
        "captures": captures,
        "summary": {
            "agree": agree,
            "differ": differ,
            "refused": refused,
            "packets": packets,
            "flows": flows,
            "second_looks": second_looks,
        },
    })
}

fn capture_document(comparison: &Comparison) -> Value {
    let Comparison { capture, packets, flows, second_looks, remark, verdict } = comparison;
    let differences: Vec<Value> = match verdict {
        Verdict::Differ(differences) => differences
            .iter()
            .map(|one| json!({"what": one.what, "apus": one.apus, "tshark": one.tshark}))
            .collect(),
        Verdict::Agree | Verdict::Refused => Vec::new(),
    };
    json!({
        "capture": capture,
        "verdict": verdict.name(),
        "packets": packets,
        "flows": flows,
        "second_looks": second_looks,
        "remark": remark,
        "differences": differences,
    })
}

/// A line that is written over itself, on a terminal only.
#[derive(Debug)]
pub struct Progress {
    total: usize,
    shown: bool,
}

impl Progress {
    pub fn new(total: usize) -> Self {
        Self { total, shown: io::stderr().is_terminal() }
    }

    pub fn show(&self, done: usize) {
        if self.shown {
            eprint!("\r{done} of {} captures compared", self.total);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown {
            eprint!("\r\x1b[K");
        }
    }
}
