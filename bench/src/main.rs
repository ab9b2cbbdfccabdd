//! `apus-bench`, behind `cargo xtask bench`: ratios measured in one interleaved run.

mod affinity;
mod all;
mod ceiling;
mod chain;
mod document;
mod drain;
mod draining;
mod http;
mod ingest;
mod kernel;
mod live;
mod nic;
mod other_build;
mod outage;
mod peers;
mod query;
mod regions;
mod scale;
mod ship;
mod sustained;

use std::process::{self, ExitCode};
use std::thread;

use bench::{noise, results, statistics};
use clap::{Parser, Subcommand};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// Measures the sensor beside its limits on this machine
#[derive(Parser)]
#[command(name = "cargo xtask bench", max_term_width = 100)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    All(all::Arguments),
    Document(document::Arguments),
    Drain(drain::Arguments),
    Ingest(ingest::Arguments),
    Kernel(kernel::Arguments),
    Live(live::Arguments),
    Nic(nic::Arguments),
    Outage(outage::Arguments),
    Peers(peers::Arguments),
    Query(query::Arguments),
    Regions(regions::Arguments),
    Scale(scale::Arguments),
    Ship(ship::Arguments),
    Sustained(sustained::Arguments),
}

fn main() -> ExitCode {
    let command = CommandLine::parse().command;
    if !matches!(command, Command::All(_) | Command::Document(_)) {
        noise::watch_process();
    }
    // These have their own way out, and `peers` as a counter has nothing to remove.
    let has_own_way =
        matches!(command, Command::All(_) | Command::Document(_) | Command::Nic(_) | Command::Peers(_));
    if !has_own_way && let Err(error) = leave_nothing_behind() {
        eprintln!("apus-bench: cannot listen for signals: {error}");
        return ExitCode::FAILURE;
    }
    let result = match command {
        Command::All(arguments) => all::run(&arguments),
        Command::Document(arguments) => document::run(&arguments),
        Command::Drain(arguments) => drain::run(&arguments),
        Command::Ingest(arguments) => ingest::run(&arguments),
        Command::Kernel(arguments) => kernel::run(&arguments),
        Command::Live(arguments) => live::run(&arguments),
        Command::Nic(arguments) => nic::run(&arguments),
        Command::Outage(arguments) => outage::run(&arguments),
        Command::Peers(arguments) => peers::run(&arguments),
        Command::Query(arguments) => query::run(&arguments),
        Command::Regions(arguments) => regions::run(&arguments),
        Command::Scale(arguments) => scale::run(&arguments),
        Command::Ship(arguments) => ship::run(&arguments),
        Command::Sustained(arguments) => sustained::run(&arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("apus-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// On a signal, removes what the testbed would leave, and ends: no destructor runs then.
fn leave_nothing_behind() -> std::io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP])?;
    thread::spawn(move || {
        if let Some(signal) = signals.forever().next() {
            testbed::remove_left_by(process::id());
            eprintln!("apus-bench: interrupted");
            // As a shell has it of who was ended by a signal.
            process::exit(128 + signal);
        }
    });
    Ok(())
}
