//! Kernels against tests, as a table.

use std::fmt::Write as _;

use super::transcript::Outcome;

/// What came of one kernel.
pub struct Column {
    pub name: String,
    pub release: String,
    pub outcomes: Vec<Outcome>,
    /// Why it is not all there, in words.
    pub broken: Option<String>,
    /// What its verifier said, in JSON, where it was asked.
    pub verifier: Option<Vec<u8>>,
}

impl Column {
    pub fn is_well(&self) -> bool {
        let is_well = |outcome: &Outcome| outcome.is_well() || outcome.is_impossible();
        self.broken.is_none() && !self.outcomes.is_empty() && self.outcomes.iter().all(is_well)
    }
}

/// A row a test, a column a kernel; in each cell how many tests passed.
pub fn table(columns: &[Column]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for outcome in columns.iter().flat_map(|column| &column.outcomes) {
        if !names.contains(&outcome.name.as_str()) {
            names.push(&outcome.name);
        }
    }
    let first = names.iter().map(|name| name.len()).max().unwrap_or(0).max("kernel".len());
    let widths: Vec<_> =
        columns.iter().map(|column| column.release.len().max(column.name.len()).max(10)).collect();
    let mut table = String::new();
    let mut row = |head: &str, cell: &dyn Fn(&Column) -> String| {
        let _infallible = write!(table, "{head:first$}");
        for (column, width) in columns.iter().zip(&widths) {
            let _infallible = write!(table, "  {:>width$}", cell(column));
        }
        table.push('\n');
    };
    row("", &|column| column.name.clone());
    row("kernel", &|column| column.release.clone());
    for name in names {
        row(name, &|column| cell(column, name));
    }
    row("", &|column| if column.is_well() { "well".into() } else { "FAILED".into() });
    table
}

fn cell(column: &Column, name: &str) -> String {
    match column.outcomes.iter().find(|outcome| outcome.name == name) {
        None => "-".to_owned(),
        Some(outcome) if outcome.is_well() && outcome.tests.passed > 0 => {
            format!("{} passed", outcome.tests.passed)
        }
        Some(outcome) if outcome.is_well() => "done".to_owned(),
        Some(outcome) if outcome.is_impossible() => "cannot".to_owned(),
        Some(outcome) if outcome.tests.failed > 0 => format!("{} FAILED", outcome.tests.failed),
        Some(Outcome { code: 137, .. }) => "TOO LONG".to_owned(),
        Some(outcome) => format!("CODE {}", outcome.code),
    }
}

#[cfg(test)]
mod tests {
    use super::super::transcript::Tests;
    use super::*;

    fn outcome(name: &str, code: i32, passed: u32, failed: u32) -> Outcome {
        let tests = Tests { passed, failed };
        Outcome { name: name.into(), code, seconds: 1.0, tests, output: Vec::new() }
    }

    fn column(name: &str, outcomes: Vec<Outcome>) -> Column {
        Column { name: name.into(), release: "6.1.0".into(), outcomes, broken: None, verifier: None }
    }

    #[test]
    fn a_kernel_is_well_where_every_step_is() {
        assert!(column("a", vec![outcome("one", 0, 3, 0)]).is_well());
        assert!(!column("a", vec![outcome("one", 101, 3, 1)]).is_well());
        assert!(!column("a", Vec::new()).is_well());
        let broken = Some("stopped".to_owned());
        assert!(!Column { broken, ..column("a", vec![outcome("one", 0, 3, 0)]) }.is_well());
    }

    #[test]
    fn each_cell_says_what_became_of_it() {
        let columns = [
            column("debian:12", vec![outcome("one", 0, 3, 0), outcome("two", 137, 0, 0)]),
            column("debian:13", vec![outcome("one", 101, 2, 1), outcome("three", 0, 0, 0)]),
        ];
        let expected = "         debian:12   debian:13
kernel       6.1.0       6.1.0
one       3 passed    1 FAILED
two       TOO LONG           -
three            -        done
            FAILED      FAILED
";
        assert_eq!(table(&columns), expected);
    }
}
