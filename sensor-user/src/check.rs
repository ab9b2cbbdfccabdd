//! `apus-sensor check`: is this host fit for the sensor, and where not, what is to be done.
//!
//! Facts are read in `facts` and `trial`; what they mean is decided, without asking anyone, in
//! `host`, `kernel`, `nic` and `attachment`. `examine` brings both together.

mod attachment;
mod examine;
mod facts;
mod host;
mod kernel;
mod line;
mod nic;
mod report;
#[cfg(test)]
mod tests;
mod trial;

use std::io::{self, IsTerminal as _};
use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::Args;

pub use examine::lines;
pub use line::{Line, Status};

use crate::config::{ConfigError, CountingFlags, Mode, Options, PinFlags, Settings};

/// Shows whether this host and its interfaces are fit for the sensor, and what to do where not
///
/// It changes nothing for good: the sensor's program is loaded and let go, and attached to each named
/// interface for an instant, where no XDP program is attached already. Some network cards set up their
/// queues anew when a program is attached natively, and lose packets meanwhile, or their link for
/// seconds; --no-attach leaves that trial out.
///
/// Exits with 0 where nothing fails, with 1 otherwise.
#[derive(Args, Debug)]
pub struct Arguments {
    /// Configuration file (TOML), as run has it; flags win over it
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Interface to look at; may be repeated
    #[arg(short, long = "interface", value_name = "NAME")]
    interfaces: Option<Vec<String>>,
    /// How run is to attach [default: auto]
    #[arg(long, value_enum)]
    mode: Option<Mode>,
    /// How many CPUs are to have counters of their own; the others share one set [default: 64]
    #[arg(long, value_name = "NUMBER")]
    counter_cpus: Option<NonZeroU32>,
    #[command(flatten)]
    pins: PinFlags,
    /// Attach to none of these interfaces, not even for an instant
    #[arg(long)]
    no_attach: bool,
    /// Print a JSON array
    #[arg(long)]
    json: bool,
}

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("cannot read which CPUs there are: {0}; mount /sys")]
    Cpus(io::Error),
    #[error("cannot print: {0}")]
    Output(#[from] io::Error),
}

impl Arguments {
    fn settings(&self) -> Result<Settings, ConfigError> {
        let file = CountingFlags { config: self.config.clone(), ..CountingFlags::default() };
        let flags = Options {
            interfaces: self.interfaces.clone(),
            mode: self.mode,
            counter_cpus: self.counter_cpus,
            pin_directory: self.pins.pin_directory.clone(),
            ..Options::default()
        };
        flags.or(file.options()?).resolve()
    }
}

/// Checks, and writes the result to `output`. Says whether nothing fails.
///
/// # Errors
/// Where the configuration makes no sense, or the result cannot be written.
pub fn run(arguments: &Arguments, output: impl io::Write) -> Result<bool, CheckError> {
    let lines = lines(&arguments.settings()?, !arguments.no_attach)?;
    if arguments.json {
        report::json(&lines, output)?;
    } else {
        let colour = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        report::text(&lines, colour, output)?;
    }
    Ok(lines.iter().all(|line| line.status != Status::Fail))
}
