//! `cargo xtask demo`: builds the sensor and the demonstration, and becomes the demonstration.

use std::ffi::OsString;
use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::{cargo, search_path, setup};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Arguments for the demonstration; `-- --help` shows them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    forwarded: Vec<OsString>,
}

pub fn run(Arguments { forwarded }: &Arguments) -> Result<ExitCode> {
    setup::ensure(setup::Purpose::Demo)?;
    let sensor = cargo::release_program("apus-sensor")?;
    let demo = cargo::release_program("apus-demo")?;
    let mut command = Command::new(demo);
    command.args(forwarded).env("APUS_SENSOR", sensor).env("PATH", search_path::joined());
    cargo::become_program(command)
}
