//! `cargo xtask bench`: builds the sensor and the benchmarks, and becomes the benchmarks.

use std::ffi::OsString;
use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::{cargo, search_path, setup};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Arguments for the benchmarks; `-- --help` shows them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    forwarded: Vec<OsString>,
}

pub fn run(Arguments { forwarded }: &Arguments) -> Result<ExitCode> {
    setup::ensure(setup::Purpose::Bench)?;
    let sensor = cargo::release_program("apus-sensor")?;
    let bench = cargo::release_program("apus-bench")?;
    let mut command = Command::new(bench);
    command.args(forwarded).env("APUS_SENSOR", sensor).env("PATH", search_path::joined());
    cargo::become_program(command)
}
