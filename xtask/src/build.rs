//! `cargo xtask build`: the one file that a sensor needs.

use std::fs;
use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::{cargo, setup};

pub fn run() -> Result<ExitCode> {
    setup::ensure(setup::Purpose::Build)?;
    let sensor = cargo::release_program("apus-sensor")?;
    let size =
        fs::metadata(&sensor).with_context(|| format!("cannot read the size of {}", sensor.display()))?.len();
    println!("{} ({}.{} MB)", sensor.display(), size / 1_000_000, size / 100_000 % 10);
    Ok(ExitCode::SUCCESS)
}
