//! `cargo xtask oracle`: captures through the sensor's XDP program and through tshark, compared
//! counter by counter and flow by flow.
//!
//! The sensor's decoder has no part in what is expected: that is derived from the fields tshark
//! prints of every packet. The rules, and where the two rightly differ, are in `docs/oracle.md`.

use std::env;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use anyhow::{Context, Result};

use crate::cargo;
use crate::setup::{self, Purpose};

mod captures;
mod carrier;
mod clock;
mod comparison;
mod counters;
mod expectation;
mod file_type;
mod flows;
mod judge;
mod link;
mod network;
mod packet;
mod quoted;
mod replay;
mod report;
mod row;
mod rules;
mod second_look;
mod sensor;
mod stamps;
#[cfg(test)]
mod tests;
mod transport;
mod tshark;
mod workshop;

use comparison::Comparison;
use report::{Progress, Summary};
use sensor::Sensor;
use workshop::Workshop;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Folders, searched to the bottom for .pcap, .pcapng and .cap, or single captures
    #[arg(required = true, value_name = "DIR")]
    paths: Vec<PathBuf>,
    /// Print one JSON document instead of a table
    #[arg(long)]
    json: bool,
    /// Captures under way at the same time [default: one for each processor]
    #[arg(long, value_name = "NUMBER")]
    jobs: Option<NonZeroUsize>,
}

pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    setup::ensure(Purpose::Oracle)?;
    let sensor = match env::var_os("APUS_SENSOR") {
        Some(path) => PathBuf::from(path),
        None => cargo::sensor()?,
    };
    run_with(arguments, &Sensor::Here(sensor))
}

/// Judges a sensor that has replayed these captures elsewhere, and left what it said in this folder. Says whether it
/// agrees with tshark on every one.
pub fn judge_elsewhere(captures: &Path, said: &Path) -> Result<bool> {
    setup::ensure(Purpose::Oracle)?;
    let arguments = Arguments { paths: vec![captures.to_owned()], json: false, jobs: None };
    Ok(run_with(&arguments, &Sensor::Elsewhere(said.to_owned()))? == ExitCode::SUCCESS)
}

/// Fails when any capture differs.
fn run_with(arguments: &Arguments, sensor: &Sensor) -> Result<ExitCode> {
    let Arguments { paths, json, jobs } = arguments;
    let captures = captures::find(paths)?;
    let workshop = Workshop::open()?;
    let judge = workshop.judge()?;
    let jobs = jobs.or_else(|| thread::available_parallelism().ok()).map_or(1, NonZeroUsize::get);
    let comparisons = compare_all(&workshop, sensor, &captures, jobs);
    if *json {
        println!("{:#}", report::document(&comparisons, &judge));
    } else {
        report::print_table(&comparisons, &judge).context("cannot write the result")?;
    }
    let same = Summary::of(&comparisons).differ == 0;
    Ok(if same { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Compares all captures, `jobs` of them at a time, and gives the results in the captures' order.
fn compare_all(workshop: &Workshop, sensor: &Sensor, captures: &[PathBuf], jobs: usize) -> Vec<Comparison> {
    let next = AtomicUsize::new(0);
    let (sender, results) = mpsc::channel();
    let progress = Progress::new(captures.len());
    let mut comparisons = thread::scope(|scope| {
        for _ in 0..jobs {
            let (next, sender) = (&next, sender.clone());
            scope.spawn(move || {
                while let Some(capture) = captures.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let compared = comparison::compare(workshop, sensor, capture);
                    // Somebody listens until the last sender is gone.
                    let _ = sender.send(compared);
                }
            });
        }
        drop(sender);
        let mut comparisons = Vec::new();
        for compared in results {
            comparisons.push(compared);
            progress.show(comparisons.len());
        }
        comparisons
    });
    comparisons.sort_by(|left, right| left.capture.cmp(&right.capture));
    comparisons
}
