//! The table of costs: printed, kept in a document, and compared.

use std::fmt::{self, Write as _};

use anyhow::{Context, Result, bail, ensure};

use super::costs::{Cost, Costs};

/// Between these two lines of the document is the table.
const BEGIN: &str = "<!-- verifier: written by `cargo xtask verifier --keep` -->";
const END: &str = "<!-- /verifier -->";
const HEAD: &str = "| kernel | release | program | instructions | states | at most at a time | load, ms |
|---|---|---|---|---|---|---|
";
/// By how much a figure may grow, in hundredths.
const MAY_GROW: u64 = 20;

/// A program on a kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub kernel: String,
    pub release: String,
    pub cost: Cost,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table(Vec<Row>);

/// What a comparison came to.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    pub regressions: Vec<String>,
    /// Of what nothing is kept.
    pub unknown: Vec<String>,
}

impl Table {
    /// Reads the table that a document keeps.
    pub fn find(document: &str) -> Result<Self> {
        let (_, text, _) = parts(document)?;
        let rows = text.lines().filter(|line| line.starts_with('|')).skip(2);
        Ok(Self(rows.map(Row::parse).collect::<Result<_>>()?))
    }

    /// The document with this table in the place of the one that it keeps.
    pub fn put_into(&self, document: &str) -> Result<String> {
        let (before, _, after) = parts(document)?;
        Ok(format!("{before}{BEGIN}\n{self}{END}{after}"))
    }

    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.0.iter()
    }

    pub fn put(&mut self, costs: Costs) {
        let Costs { kernel, release, programs } = costs;
        for cost in programs {
            self.put_row(Row { kernel: kernel.clone(), release: release.clone(), cost });
        }
    }

    /// Adds a row, in the place of the one of the same kernel and program, or behind the kernel's others.
    pub fn put_row(&mut self, row: Row) {
        let is_same = |other: &Row| (&other.kernel, &other.cost.program) == (&row.kernel, &row.cost.program);
        if let Some(place) = self.0.iter().position(is_same) {
            self.0[place] = row;
            return;
        }
        let last = self.0.iter().rposition(|other| other.kernel == row.kernel);
        self.0.insert(last.map_or(self.0.len(), |last| last + 1), row);
    }

    /// What has grown too much, from this table to the other. Time is not compared: it is another machine's, or that
    /// of another moment. A kernel of which nothing is kept is held against the most that is kept of any.
    pub fn compare(&self, measured: &Self) -> Comparison {
        let mut comparison = Comparison::default();
        for Row { kernel, release: _, cost } in &measured.0 {
            let program = &cost.program;
            let of_program = || self.0.iter().filter(|row| row.cost.program == *program);
            let mut kept: Vec<&Cost> =
                of_program().filter(|row| row.kernel == *kernel).map(|row| &row.cost).collect();
            if kept.is_empty() {
                kept = of_program().map(|row| &row.cost).collect();
                let others = if kept.is_empty() { "" } else { "; held against all others" };
                comparison
                    .unknown
                    .push(format!("nothing is kept of {program} on {kernel}{others}: `--keep` does"));
            }
            for (what, of) in [
                ("instructions", (|cost| cost.instructions) as fn(&Cost) -> u64),
                ("states", |cost| cost.states),
                ("states at a time", |cost| cost.peak_states),
            ] {
                let (before, now) = (kept.iter().map(|kept| of(kept)).max(), of(cost));
                if let Some(before) = before.filter(|before| now * 100 > before * (100 + MAY_GROW)) {
                    comparison.regressions.push(format!(
                        "{program} on {kernel}: {now} {what}, {before} are kept; {MAY_GROW} % more is the limit"
                    ));
                }
            }
        }
        // A program that is gone, or that the kernel takes no more.
        let is_measured = |row: &Row| {
            measured
                .0
                .iter()
                .any(|other| (&other.kernel, &other.cost.program) == (&row.kernel, &row.cost.program))
        };
        let kernels = |row: &&Row| measured.0.iter().any(|other| other.kernel == row.kernel);
        for Row { kernel, cost, .. } in self.0.iter().filter(kernels).filter(|row| !is_measured(row)) {
            comparison
                .regressions
                .push(format!("{} on {kernel} is kept, and was not measured", cost.program));
        }
        comparison
    }
}

/// What is before, in, and after the kept table.
fn parts(document: &str) -> Result<(&str, &str, &str)> {
    let (before, rest) = document.split_once(BEGIN).with_context(|| format!("there is no line {BEGIN}"))?;
    let (text, after) = rest.split_once(END).with_context(|| format!("there is no line {END}"))?;
    Ok((before, text, after))
}

impl Row {
    fn parse(line: &str) -> Result<Self> {
        let cells: Vec<_> = line.trim().trim_matches('|').split('|').map(str::trim).collect();
        let &[kernel, release, program, instructions, states, peak_states, load] = cells.as_slice() else {
            bail!("a row of the table has {} cells, and 7 are wanted: {line}", cells.len());
        };
        let number = |text: &str| {
            text.replace(',', "").parse::<u64>().with_context(|| format!("{text} is no number in {line}"))
        };
        let load_milliseconds: f64 = load.parse().with_context(|| format!("{load} is no time in {line}"))?;
        ensure!(!kernel.is_empty() && !program.is_empty(), "a row without a kernel or a program: {line}");
        Ok(Self {
            kernel: kernel.to_owned(),
            release: release.to_owned(),
            cost: Cost {
                program: program.to_owned(),
                instructions: number(instructions)?,
                states: number(states)?,
                peak_states: number(peak_states)?,
                load_milliseconds,
            },
        })
    }
}

impl fmt::Display for Table {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(HEAD)?;
        for Row { kernel, release, cost } in &self.0 {
            let Cost { program, instructions, states, peak_states, load_milliseconds } = cost;
            writeln!(
                formatter,
                "| {kernel} | {release} | {program} | {} | {} | {} | {load_milliseconds:.1} |",
                grouped(*instructions),
                grouped(*states),
                grouped(*peak_states),
            )?;
        }
        Ok(())
    }
}

/// With commas between thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        let _infallible = text.write_char(digit);
    }
    text
}

#[cfg(test)]
mod tests;
