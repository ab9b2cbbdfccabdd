//! `apus-quarter`, behind `cargo xtask quarter`: quarters of which a report was published, sent through sensor and
//! collector again, and the report that comes of it against the published one.

mod capture;
mod chain;
mod description;
mod difference;
mod expected;
mod findings;
mod frames;
mod notices;
mod operator;
mod pages;
mod period;
mod plan;
mod progress;
mod published;
mod random;
mod registry;
#[cfg(test)]
mod sample;
mod store;
mod summary;
mod tables;
mod unusual;

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, ensure};
use clap::Parser;
use testbed::{find_agent, find_collector};

use chain::{Chain, Reported};
use description::Description;
use difference::Checked;
use plan::Plan;
use progress::Progress;
use summary::{Outcome, Stage};

/// Makes the traffic of a quarter, and of the one before; sends it through the XDP program into a store; and compares
/// what is stored, and what is reported, with what was sent and with what was published
///
/// It needs root, for the XDP program, and no network. Exit code 1: something differs, and a table says what.
#[derive(Parser)]
#[command(name = "cargo xtask quarter", bin_name = "cargo xtask quarter", max_term_width = 100)]
struct Arguments {
    /// Such as 2024Q2, or all
    quarter: String,
    /// Keep captures, store and reports in this folder, one for each quarter below it
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Print one JSON document, and no table
    #[arg(long)]
    json: bool,
    /// Where the descriptions of quarters are
    #[arg(long, value_name = "FOLDER", default_value = description::FOLDER)]
    descriptions: PathBuf,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            // Not `eprintln`: where the terminal is gone there is nobody to tell, and no need to panic.
            let _nobody_listens = writeln!(io::stderr(), "apus-quarter: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<ExitCode> {
    ensure!(nix::unistd::geteuid().is_root(), "this needs root, for XDP programs: run it with sudo");
    let paths = description::find(&arguments.descriptions, &arguments.quarter)?;
    // All of them first: what is wrong with the last one need not wait for the others.
    let descriptions: Vec<Description> =
        paths.iter().map(|path| Description::read(path)).collect::<Result<_, _>>()?;
    let temporary = tempfile::TempDir::with_prefix("apus-quarter-")?;
    let folder = arguments.out.as_deref().unwrap_or(temporary.path());
    let mut outcomes = Vec::new();
    for description in descriptions {
        let name = description.quarter.to_string();
        let outcome = quarter(description, &folder.join(&name)).with_context(|| name.clone())?;
        if !arguments.json {
            io::stdout().write_all(outcome.text().as_bytes())?;
        }
        outcomes.push(outcome);
    }
    if arguments.json {
        summary::write_json(&outcomes, io::stdout().lock())?;
    }
    Ok(if outcomes.iter().all(Outcome::agrees) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// One quarter from its description to its report. What failed is in the outcome, beside what was compared before.
fn quarter(description: Description, folder: &Path) -> Result<Outcome> {
    let progress = Progress::new(description.quarter.to_string());
    ensure!(!folder.exists(), "{} is there already: name another folder, or move it away", folder.display());
    progress.say("packets");
    let plan = Plan::new(description)?;
    let mut outcome = Outcome::new(&plan);
    outcome.add(Stage::Description, published::check_plan(&plan));
    if outcome.agrees() {
        let result = send_and_compare(&plan, folder, &progress, &mut outcome);
        outcome.failed(result.err());
    }
    Ok(outcome.after(progress.seconds()))
}

fn send_and_compare(plan: &Plan, folder: &Path, progress: &Progress, outcome: &mut Outcome) -> Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let chain = Chain { sensor: find_agent()?, collector: find_collector()?, folder: folder.into() };
    chain.fill(plan, progress)?;
    progress.say("store");
    outcome.add(Stage::Store, store::check(&chain, plan)?);
    progress.say("report");
    let Reported { report, pages } = chain.report(plan)?;
    outcome.add(Stage::Tables, tables::check(plan, &report));
    outcome.add(Stage::Figures, expected::check(plan, &report));
    outcome.add(Stage::Findings, findings::check(&plan.description, &report));
    let mut checked = Checked::default();
    for (language, html) in &pages {
        checked.extend(pages::check(plan, language, html));
    }
    outcome.add(Stage::Pages, checked);
    progress.say("notify, detect");
    let mut checked = Checked::default();
    for mark in notices::marks(plan) {
        checked.extend(notices::check(plan, &mark, &chain.notify(plan, &mark)?));
    }
    outcome.add(Stage::Notices, checked);
    outcome.add(Stage::Unusual, unusual::check(&plan.description, &chain.detect(plan)?));
    Ok(())
}
