//! `cargo xtask demo`: builds sensor, collector and the demonstration, and becomes the demonstration.

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;

use crate::{cargo, setup};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Arguments for the demonstration; `-- --help` shows them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    forwarded: Vec<OsString>,
}

pub fn run(Arguments { forwarded }: &Arguments) -> Result<ExitCode> {
    setup::ensure(setup::Purpose::Demo)?;
    // It measures nothing, and is the first that people wait for.
    cargo::become_testbed_program("checked", "apus-demo", forwarded)
}
