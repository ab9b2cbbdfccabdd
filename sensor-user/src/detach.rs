//! `apus-sensor detach`: nothing of the sensor remains.

use std::io;

use clap::Args;

use crate::config::{ConfigError, CountingFlags, Options, PinFlags};
use crate::pins::{PinError, Pins};
use crate::state::{State, unpadded};

/// Detaches the sensor from all its interfaces and removes everything that it has pinned
#[derive(Args, Debug)]
pub struct Arguments {
    /// Configuration file (TOML), for its pin_directory
    #[arg(short, long, value_name = "FILE")]
    config: Option<std::path::PathBuf>,
    #[command(flatten)]
    pins: PinFlags,
}

/// Why something may be left.
#[derive(Debug, thiserror::Error)]
pub enum DetachError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Pin(#[from] PinError),
    #[error("{path} holds files that are not the sensor's ({}), so the folder stays; all else is removed", .files.join(", "))]
    Foreign { path: std::path::PathBuf, files: Vec<String> },
    #[error("cannot print: {0}")]
    Output(#[from] io::Error),
}

/// Detaches. Works on a set of any version, whole or half, with an agent running on it or not.
///
/// # Errors
/// Where a file cannot be removed.
pub fn run(arguments: &Arguments, mut output: impl io::Write) -> Result<(), DetachError> {
    let flags = CountingFlags { config: arguments.config.clone(), ..CountingFlags::default() };
    let options = Options { pin_directory: arguments.pins.pin_directory.clone(), ..Options::default() };
    let settings = options.or(flags.options()?).resolve()?;
    let pins = Pins::new(&settings.pin_directory);
    let path = pins.path().display();
    if !pins.path().exists() {
        writeln!(output, "nothing is pinned in {path}")?;
        return Ok(());
    }
    // For the message alone: a set that this agent cannot read is removed all the same.
    let interfaces: Vec<String> = State::open(&pins).map_or_else(
        |_| Vec::new(),
        |state| {
            let interfaces = state.control().interfaces;
            interfaces
                .iter()
                .filter(|record| record.index != 0)
                .map(|record| unpadded(&record.name))
                .collect()
        },
    );
    let links = pins.links()?.len();
    let foreign = pins.remove_all()?;
    let names = if interfaces.is_empty() { format!("{links} interfaces") } else { interfaces.join(", ") };
    writeln!(output, "detached from {names}; removed {path}")?;
    if foreign.is_empty() {
        Ok(())
    } else {
        Err(DetachError::Foreign { path: settings.pin_directory, files: foreign })
    }
}
