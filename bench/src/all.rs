//! `bench all`: every benchmark in turn, into one file of results and one page.
//!
//! Each is a process of its own, this same program: one that fails, crashes or takes too long is reported as failed with
//! its reason, and does not end the others. What was measured is written after each of them, into files of a part until all
//! are done.

mod child;
mod plan;
mod progress;

use std::env;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, Result, ensure};
use clap::Args;
use jiff::Timestamp;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::results::{Benchmark, Machine, Outcome, Results};
use child::Child;
use plan::Entry;
use progress::Progress;

/// Of those that come after Ctrl-C.
const INTERRUPTED: &str = "interrupted before its turn";

/// Runs all benchmarks, and writes a file of results and a page with a plot of each figure
#[derive(Args)]
pub struct Arguments {
    /// Less to do for each of them: less than ten minutes for all on 2 cores, and more noise
    #[arg(long)]
    quick: bool,
    /// Folder for results and page
    #[arg(long, value_name = "FOLDER", default_value = "bench/results")]
    results: PathBuf,
    /// Only these; may be repeated [default: all]
    #[arg(long, value_name = "BENCHMARK")]
    only: Vec<String>,
    /// An interface of this machine for `nic`, which is left out without one
    #[arg(long)]
    interface: Option<String>,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    let unknown = arguments.only.iter().find(|name| plan::ENTRIES.iter().all(|entry| entry.name != **name));
    ensure!(
        unknown.is_none(),
        "no benchmark is called {}: there are {}",
        unknown.map_or("", String::as_str),
        plan::ENTRIES.map(|entry| entry.name).join(", ")
    );
    let program = env::current_exe().context("cannot find this program itself")?;
    let interrupted = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register(signal, Arc::clone(&interrupted)).context("cannot listen for signals")?;
    }
    let mut results = Results {
        begun: Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        is_quick: arguments.quick,
        // Until the end comes.
        is_part: true,
        machine: Machine::this(),
        benchmarks: Vec::new(),
    };
    // Whether the folder can be written to is known before anything is measured, and whatever happens then, what has been
    // measured is kept.
    let mut written = results.write(&arguments.results)?;
    for entry in &plan::ENTRIES {
        let words = entry.words(arguments.quick, arguments.interface.as_deref());
        let left_out = entry.left_out(arguments);
        let mut progress = Progress::begin(entry.name, entry.expected(arguments.quick));
        let outcome = match left_out {
            _ if interrupted.load(Ordering::Relaxed) => Outcome::LeftOut(INTERRUPTED.into()),
            Some(reason) => Outcome::LeftOut(reason),
            None => {
                let limit = entry.limit(arguments.quick);
                let child = Child { program: &program, words: &words, limit, interrupted: &interrupted };
                child.run(|| progress.tick())
            }
        };
        let seconds = progress.end(&outcome);
        results.benchmarks.push(benchmark(entry, &words, seconds, outcome));
        written = results.write(&arguments.results)?;
    }
    if arguments.only.is_empty() && !interrupted.load(Ordering::Relaxed) {
        let parts = written;
        results.is_part = false;
        written = results.write(&arguments.results)?;
        for part in parts {
            fs::remove_file(&part).with_context(|| format!("cannot remove {}", part.display()))?;
        }
    }
    let [json, page] = written;
    println!("{}\n{}", json.display(), page.display());
    ensure!(
        !interrupted.load(Ordering::Relaxed),
        "interrupted: what was measured until then is in these files"
    );
    let failed =
        results.benchmarks.iter().filter(|benchmark| matches!(benchmark.outcome, Outcome::Failed(_)));
    let failed: Vec<&str> = failed.map(|benchmark| benchmark.name.as_str()).collect();
    ensure!(failed.is_empty(), "failed: {}; the reasons are above, and on the page", failed.join(", "));
    Ok(())
}

fn benchmark(entry: &Entry, words: &[String], seconds: f64, outcome: Outcome) -> Benchmark {
    Benchmark {
        name: entry.name.into(),
        title: entry.title.into(),
        mode: entry.mode.into(),
        command: format!("cargo xtask bench {}", words.join(" ")),
        seconds,
        outcome,
    }
}
