//! The tables of a document, between marks that say what they are of:
//!
//! ```text
//! <!-- bench: kernel above_drop -->
//! ... written by `cargo xtask bench document` ...
//! <!-- end -->
//! ```
//!
//! A mark names a benchmark and one of its figures, or `checked` for what it has checked; or it is `machine`, or `aims`.

use collector::render::escape::markdown;

use super::terminal::{aim_text, better};
use super::{Benchmark, Figure, Grid, Machine, Outcome, Results};

const BEGIN: &str = "<!-- bench: ";
const CLOSE: &str = " -->";
const END: &str = "<!-- end -->";
/// Longer tables are thinned out.
const MOST_ROWS: usize = 16;

/// Why a document's tables cannot be written.
#[derive(Debug, Eq, PartialEq, thiserror::Error)]
pub enum DocumentError {
    #[error("line {line}: the block that begins here has no `{END}`")]
    NoEnd { line: usize },
    #[error("line {line}: `{words}`: a block is of `machine`, `aims`, `NAME checked`, or `NAME FIGURE`")]
    NotAName { line: usize, words: String },
    #[error("line {line}: no benchmark is called {name}; there are {known}")]
    NoBenchmark { line: usize, name: String, known: String },
    #[error("line {line}: {benchmark} has no figure {figure}; it has {known}")]
    NoFigure { line: usize, benchmark: String, figure: String, known: String },
}

/// A part of the document: its own words with the mark at their end, or what stands between two marks.
enum Part<'a> {
    Words(&'a str),
    Block { line: usize, what: &'a str, content: &'a str },
}

/// A mark is a line by itself: prose may speak of marks.
fn parts(text: &str) -> Result<Vec<Part<'_>>, DocumentError> {
    let mut parts = Vec::new();
    // Where the words, or the block, that are being read began; and what the block is of.
    let (mut start, mut open) = (0, None);
    let mut at = 0;
    for (line, content) in (1..).zip(text.split_inclusive('\n')) {
        let (begin, end) = (at, at + content.len());
        at = end;
        let mark = content.trim_end();
        let opens = mark.strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix(CLOSE));
        match (open, opens) {
            // A block that has no end must not swallow the next.
            (Some((line, _)), Some(_)) => return Err(DocumentError::NoEnd { line }),
            (None, Some(what)) => {
                parts.push(Part::Words(&text[start..end]));
                (start, open) = (end, Some((line, what.trim())));
            }
            (Some((line, what)), None) if mark == END => {
                parts.push(Part::Block { line, what, content: &text[start..begin] });
                (start, open) = (begin, None);
            }
            _ => {}
        }
    }
    match open {
        Some((line, _)) => Err(DocumentError::NoEnd { line }),
        None => {
            parts.push(Part::Words(&text[start..]));
            Ok(parts)
        }
    }
}

/// The document with every block as these results give it.
///
/// # Errors
/// Where a block has no end, or names what is not there.
pub fn rewritten(text: &str, results: &Results) -> Result<String, DocumentError> {
    let part = |part: &Part<'_>| match part {
        Part::Words(words) => Ok((*words).to_owned()),
        Part::Block { line, what, .. } => block(*line, what, results),
    };
    parts(text)?.iter().map(part).collect()
}

/// The marks of those blocks that are not what these results give.
///
/// # Errors
/// As [`rewritten`].
pub fn stale(text: &str, results: &Results) -> Result<Vec<String>, DocumentError> {
    let mut stale = Vec::new();
    for part in parts(text)? {
        if let Part::Block { line, what, content } = part
            && content != block(line, what, results)?
        {
            stale.push(format!("line {line}: {what}"));
        }
    }
    Ok(stale)
}

fn block(line: usize, what: &str, results: &Results) -> Result<String, DocumentError> {
    let words: Vec<&str> = what.split_whitespace().collect();
    match words.as_slice() {
        ["machine"] => Ok(machine(results)),
        ["aims"] => Ok(aims(results)),
        [name, figure] => of_benchmark(line, name, figure, results),
        _ => Err(DocumentError::NotAName { line, words: what.into() }),
    }
}

fn of_benchmark(line: usize, name: &str, what: &str, results: &Results) -> Result<String, DocumentError> {
    let list = |names: Vec<&str>| names.join(", ");
    let benchmark = results.benchmarks.iter().find(|benchmark| benchmark.name == name).ok_or_else(|| {
        let known = list(results.benchmarks.iter().map(|benchmark| benchmark.name.as_str()).collect());
        DocumentError::NoBenchmark { line, name: name.into(), known }
    })?;
    let measurement = match &benchmark.outcome {
        Outcome::Measured(measurement) => measurement,
        Outcome::Failed(reason) => return Ok(format!("Failed: {}\n", markdown(reason))),
        Outcome::LeftOut(reason) => return Ok(format!("Not measured: {}\n", markdown(reason))),
    };
    if what == "checked" {
        let warnings = measurement.warnings.iter().map(|warning| format!("Warning: {warning}"));
        let sentences = measurement.checked.iter().cloned().chain(warnings);
        return Ok(sentences.map(|sentence| format!("- {}\n", markdown(&sentence))).collect());
    }
    let figure = measurement.figures.iter().find(|figure| figure.name == what).ok_or_else(|| {
        let known = list(measurement.figures.iter().map(|figure| figure.name.as_str()).collect());
        DocumentError::NoFigure { line, benchmark: name.into(), figure: what.into(), known }
    })?;
    Ok(table(figure, benchmark, results))
}

fn table(figure: &Figure, benchmark: &Benchmark, results: &Results) -> String {
    let Figure { title, unit, better: way, .. } = figure;
    let date = results.begun.get(..10).unwrap_or(&results.begun);
    let mut text = format!(
        "{} ({}; {}), `{}`, {date}:\n\n",
        markdown(title),
        markdown(unit),
        better(*way),
        benchmark.command
    );
    let Grid { head, rows, notes } = Grid::of(figure);
    let step = rows.len().div_ceil(MOST_ROWS).max(1);
    let rule = |place: usize| if place == 0 { "---" } else { "---:" }.to_owned();
    let rules = (0..head.len()).map(rule).collect();
    for row in [head, rules].into_iter().chain(rows.into_iter().step_by(step)) {
        let is_rule = row.first().is_some_and(|cell| cell == "---");
        let cells: Vec<String> =
            row.iter().map(|cell| if is_rule { cell.clone() } else { markdown(cell) }).collect();
        text.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
    notes.iter().for_each(|note| text.push_str(&format!("\n{}\n", markdown(note))));
    text
}

fn machine(results: &Results) -> String {
    let Machine { processor, cpus, caches, memory_bytes, virtualised, kernel, system, versions } =
        &results.machine;
    let kind = if *virtualised { "a virtual machine" } else { "a machine" };
    let versions: Vec<String> = versions.iter().map(|(name, version)| format!("{name} {version}")).collect();
    let quick = if results.is_quick { " in a quick run" } else { "" };
    let text = format!(
        "Measured on {}{quick}, on {kind}: {processor}, {cpus} CPUs, {}, {} MiB, Linux {kernel}, {system}; {}.",
        results.begun.get(..10).unwrap_or(&results.begun),
        caches.join(", "),
        memory_bytes >> 20,
        versions.join(", ")
    );
    format!("{}\n", markdown(&text))
}

fn aims(results: &Results) -> String {
    let mut text = String::new();
    for benchmark in &results.benchmarks {
        for aim in benchmark.measurement().iter().flat_map(|measurement| &measurement.aims) {
            text.push_str(&format!("- `{}`: {}\n", benchmark.name, markdown(&aim_text(aim))));
        }
    }
    text
}

#[cfg(test)]
mod tests;
