//! `cargo xtask setup`: looks for what this machine lacks, says what it will install and why, and
//! installs it. Quick and silent when nothing is missing, so every other subcommand calls it first.

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::ValueEnum;

mod command_line;
mod host;
mod install;
mod instructions;
mod needs;
mod plan;
mod progress;
#[cfg(test)]
mod tests;

use host::Host;
use plan::Plan;

/// What the machine is to be made ready for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Purpose {
    /// Compile the sensor
    Build,
    /// Run the demonstration
    Demo,
    /// Run the benchmarks
    Bench,
    /// Run `bench peers`: other programs of its kind, unpacked into the target folder and not installed
    Peers,
    /// Run every test
    Test,
    /// Run the privileged tests on other kernels
    Kernels,
    /// Compare the sensor's counts with tshark's
    Oracle,
    /// Capture the traffic of real scanners
    Scanners,
}

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// What to make this machine ready for; `test` covers everything but `scanners` and `peers`
    #[arg(long = "for", value_enum, default_value = "test")]
    purpose: Purpose,
    /// Only show what would be done
    #[arg(long)]
    dry_run: bool,
}

pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    if arguments.dry_run {
        let plan = Plan::new(&Host::probe(), arguments.purpose);
        print!("{}", instructions::Instructions(&plan));
    } else {
        ensure(arguments.purpose)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns only when everything `purpose` needs is here.
pub fn ensure(purpose: Purpose) -> Result<()> {
    let plan = Plan::new(&Host::probe(), purpose);
    if plan.needs.is_empty() {
        return Ok(());
    }
    if let Some(obstacle) = &plan.obstacle {
        bail!("{obstacle}\n\n{}", instructions::Instructions(&plan));
    }
    install::install(&plan)?;

    // The proof that it worked is that a second look finds nothing missing.
    let remaining = Plan::new(&Host::probe(), purpose);
    if remaining.needs.is_empty() {
        eprintln!("setup: done");
        return Ok(());
    }
    bail!(
        "every step succeeded, and yet this is still missing. Run these by hand to see why:\n\n{}",
        instructions::Instructions(&remaining)
    )
}
