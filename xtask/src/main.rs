//! Everything this repository does to itself: one file per subcommand.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod bench;
mod build;
mod cargo;
mod demo;
mod forwarded;
mod kernel;
mod oracle;
mod quarter;
mod scanners;
mod search_path;
mod setup;
mod test;
mod verifier;

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about)]
struct CommandLine {
    #[command(subcommand)]
    subcommand: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Install whatever this machine lacks; silent when nothing is missing
    Setup(setup::Arguments),
    /// Build the sensor in release and say where it is and how large
    Build,
    /// Run the demonstration on this machine, in namespaces of its own
    Demo(forwarded::Forwarded),
    /// Run every test, the privileged ones too where this user may
    Test(test::Arguments),
    /// Run one of the benchmarks, or `all`
    Bench(forwarded::Forwarded),
    /// Compare the sensor's counts with tshark's, capture by capture
    Oracle(oracle::Arguments),
    /// Send a published quarter such as 2024Q2, or all, through sensor and collector, and compare what is reported
    Quarter(forwarded::Forwarded),
    /// What the XDP programs cost each kernel's verifier
    Verifier(verifier::Arguments),
    /// Capture real scanners at work, in namespaces of their own
    Scanners(scanners::Arguments),
}

fn main() -> ExitCode {
    let CommandLine { subcommand } = CommandLine::parse();
    let outcome = match subcommand {
        Task::Setup(arguments) => setup::run(&arguments),
        Task::Build => build::run(),
        Task::Demo(arguments) => demo::run(&arguments),
        Task::Test(arguments) => test::run(&arguments),
        Task::Bench(arguments) => bench::run(&arguments),
        Task::Oracle(arguments) => oracle::run(&arguments),
        Task::Quarter(arguments) => quarter::run(&arguments),
        Task::Verifier(arguments) => verifier::run(&arguments),
        Task::Scanners(arguments) => scanners::run(&arguments),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}
