//! `cargo xtask bench`: builds sensor, collector and the benchmarks, and becomes the benchmarks.

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;

use crate::{cargo, setup};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Arguments for the benchmarks; `-- --help` shows them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    forwarded: Vec<OsString>,
}

pub fn run(Arguments { forwarded }: &Arguments) -> Result<ExitCode> {
    setup::ensure(setup::Purpose::Bench)?;
    cargo::become_testbed_program("release", "apus-bench", forwarded)
}
