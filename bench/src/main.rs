//! `apus-bench`, behind `cargo xtask bench`: ratios measured in one interleaved run.

mod chain;
mod drain;
mod http;
mod ingest;
mod kernel;
mod live;
mod outage;
mod query;
mod regions;
mod ship;
mod statistics;
mod sustained;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Measures the sensor beside its limits on this machine
#[derive(Parser)]
#[command(name = "cargo xtask bench", max_term_width = 100)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Drain(drain::Arguments),
    Ingest(ingest::Arguments),
    Kernel(kernel::Arguments),
    Live(live::Arguments),
    Outage(outage::Arguments),
    Query(query::Arguments),
    Regions(regions::Arguments),
    Ship(ship::Arguments),
    Sustained(sustained::Arguments),
}

fn main() -> ExitCode {
    let result = match CommandLine::parse().command {
        Command::Drain(arguments) => drain::run(&arguments),
        Command::Ingest(arguments) => ingest::run(&arguments),
        Command::Kernel(arguments) => kernel::run(&arguments),
        Command::Live(arguments) => live::run(&arguments),
        Command::Outage(arguments) => outage::run(&arguments),
        Command::Query(arguments) => query::run(&arguments),
        Command::Regions(arguments) => regions::run(&arguments),
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
