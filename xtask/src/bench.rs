//! `cargo xtask bench`: builds sensor, collector and the benchmarks, and becomes the benchmarks.

use std::process::ExitCode;

use anyhow::Result;

use crate::forwarded::Forwarded;
use crate::{cargo, setup};

pub fn run(Forwarded { forwarded }: &Forwarded) -> Result<ExitCode> {
    setup::ensure(setup::Purpose::Bench)?;
    let subcommand = forwarded.first().and_then(|word| word.to_str());
    // Of a peer that is not to be had the benchmark says so; the others are measured.
    if let Some("peers" | "all") = subcommand
        && let Err(error) = setup::ensure(setup::Purpose::Peers)
    {
        eprintln!("setup: without some peers, which will be reported as absent: {error:#}");
    }
    cargo::become_testbed_program("release", "apus-bench", forwarded)
}
