//! `cargo xtask build`: the one file that a sensor needs, and the one that a collector needs.

use std::fs;
use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::cargo;
use crate::setup;

pub fn run() -> Result<ExitCode> {
    setup::ensure(setup::Purpose::Build)?;
    // The agent is one file that needs no other, and runs on any distribution whose kernel does.
    let sensor = cargo::static_sensor()?;
    let collector = cargo::collector()?;
    for program in [sensor, collector] {
        let size = fs::metadata(&program)
            .with_context(|| format!("cannot read the size of {}", program.display()))?
            .len();
        println!("{} ({}.{} MB)", program.display(), size / 1_000_000, size / 100_000 % 10);
    }
    Ok(ExitCode::SUCCESS)
}
