//! What the benchmarks leave: figures with the spread of their rounds, on which machine, by which command.
//!
//! One shape for all of them, so that the terminal, the JSON file, the page and the tables of
//! `docs/performance.md` are each written in one place.

pub mod document;
mod file;
mod grid;
mod machine;
mod measurement;
mod page;
mod terminal;

use serde::{Deserialize, Serialize};

pub use file::{FileError, newest};
pub use grid::Grid;
pub use machine::Machine;
pub use measurement::{
    Aim, Axis, Bar, Better, Figure, Measured, Measurement, Plot, Point, Quantiles, Scale, Series,
};
pub use page::page;
pub use terminal::text;

use crate::noise;

/// Everything that one run of all benchmarks has measured.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Results {
    /// When it began: RFC 3339, UTC.
    pub begun: String,
    /// Whether each benchmark had less to do than usual.
    pub is_quick: bool,
    /// Whether it was one of some benchmarks alone, or did not come to its end.
    #[serde(default)]
    pub is_part: bool,
    pub machine: Machine,
    /// In the order in which they ran.
    pub benchmarks: Vec<Benchmark>,
}

/// One benchmark of it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Benchmark {
    /// Its subcommand.
    pub name: String,
    pub title: String,
    /// What packets went through: a veth pair with the program in the driver, or the kernel alone.
    pub mode: String,
    /// What a person types to measure it again.
    pub command: String,
    /// How long it took.
    pub seconds: f64,
    pub outcome: Outcome,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Measured(Measurement),
    /// With its reason.
    Failed(String),
    /// Not run, and why.
    LeftOut(String),
}

impl Benchmark {
    /// What it has measured, where it has.
    #[must_use]
    pub fn measurement(&self) -> Option<&Measurement> {
        match &self.outcome {
            Outcome::Measured(measurement) => Some(measurement),
            Outcome::Failed(_) | Outcome::LeftOut(_) => None,
        }
    }
}

/// Prints what one benchmark has measured: tables, or JSON on one line. What is to be said of the machine's noise is added.
///
/// # Errors
/// Where a figure is no number.
pub fn show(measurement: &Measurement, json: bool) -> anyhow::Result<()> {
    let mut shown = measurement.clone();
    shown.warnings.extend(noise::of_process());
    if json {
        println!("{}", serde_json::to_string(&shown)?);
    } else {
        print!("{}", text(&shown));
    }
    Ok(())
}

#[cfg(test)]
mod testing;
