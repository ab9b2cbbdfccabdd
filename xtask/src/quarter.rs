//! `cargo xtask quarter`: builds sensor, collector and the quarters, and becomes the quarters.

use std::process::ExitCode;

use anyhow::Result;

use crate::forwarded::Forwarded;
use crate::{cargo, setup};

pub fn run(Forwarded { forwarded }: &Forwarded) -> Result<ExitCode> {
    setup::ensure(setup::Purpose::Demo)?;
    cargo::become_testbed_program("checked", "apus-quarter", forwarded)
}
