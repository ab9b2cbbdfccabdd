//! `apus-sensor detach`: nothing of the sensor remains.

use std::io;

use clap::Args;

use crate::config::{ConfigError, SetFlags};
use crate::pins::{PinError, Pins};
use crate::state::{State, unpadded};

/// Detaches the sensor from all its interfaces and removes everything that it has pinned
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    set: SetFlags,
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
    let pins = Pins::new(&arguments.set.pin_directory()?);
    let path = pins.path().display();
    if !pins.exists()? {
        writeln!(output, "nothing is pinned in {path}")?;
        return Ok(());
    }
    pins.require_bpffs()?;
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
        Err(DetachError::Foreign { path: pins.path().into(), files: foreign })
    }
}
