//! `cargo xtask demo`: builds sensor, collector and the demonstration, and becomes the demonstration.

use std::process::ExitCode;

use anyhow::Result;

use crate::forwarded::Forwarded;
use crate::{cargo, setup};

pub fn run(Forwarded { forwarded }: &Forwarded) -> Result<ExitCode> {
    setup::ensure(setup::Purpose::Demo)?;
    // It measures nothing, and is the first that people wait for.
    cargo::become_testbed_program("checked", "apus-demo", forwarded)
}
