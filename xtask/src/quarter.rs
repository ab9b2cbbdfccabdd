//! `cargo xtask quarter`: builds sensor, collector and the quarters, and becomes the quarters.

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;

use crate::{cargo, setup};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// A quarter such as 2024Q2, or all; and further arguments, which `-- --help` shows
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    forwarded: Vec<OsString>,
}

pub fn run(Arguments { forwarded }: &Arguments) -> Result<ExitCode> {
    setup::ensure(setup::Purpose::Demo)?;
    cargo::become_testbed_program("checked", "apus-quarter", forwarded)
}
