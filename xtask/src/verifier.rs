//! `cargo xtask verifier`: what the sensor's programs cost each kernel's verifier, against what is kept in
//! `docs/performance.md`.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::cargo::{self, Workspace};
use crate::kernel::{self, Verified};
use crate::setup::{self, Purpose};

mod costs;
mod table;

use costs::Costs;
use table::Table;

/// Where the table is kept.
const KEPT: &str = "docs/performance.md";

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Kernel to ask, in a virtual machine: a file, or one that a distribution ships, as `debian:12`; may be repeated.
    /// Without any, this machine's own
    #[arg(long = "kernel", value_name = "FILE|NAME")]
    kernels: Vec<kernel::Name>,
    /// Minutes that each kernel may take
    #[arg(long, value_name = "MINUTES", default_value_t = 5, requires = "kernels")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=1440))]
    kernel_limit: u64,
    /// Keep what was measured in docs/performance.md, in the place of what was kept of these kernels
    #[arg(long)]
    keep: bool,
}

/// Fails where instructions or states have grown by more than a fifth.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let Arguments { kernels, kernel_limit, keep } = arguments;
    setup::ensure(Purpose::Kernels)?;
    let (verified, failures) = if kernels.is_empty() {
        (vec![here()?], Vec::new())
    } else {
        kernel::verify(kernels, Duration::from_mins(*kernel_limit))?
    };
    let mut measured = Table::default();
    for Verified { kernel, json } in verified {
        measured.put(Costs::read(&kernel, &json)?);
    }
    print!("{measured}");
    for failure in &failures {
        eprintln!("error: {failure}");
    }

    if *keep {
        let (path, document, mut kept) = kept()?;
        measured.rows().for_each(|row| kept.put_row(row.clone()));
        fs::write(&path, kept.put_into(&document)?)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    let is_well = failures.is_empty() && (*keep || is_within_limits(&measured)?);
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Compares what one kernel's verifier said with what is kept of it, and says what has grown too much.
pub fn judge(kernel: &str, json: &[u8]) -> Result<bool> {
    let mut measured = Table::default();
    measured.put(Costs::read(kernel, json)?);
    is_within_limits(&measured)
}

fn is_within_limits(measured: &Table) -> Result<bool> {
    let (_, _, kept) = kept()?;
    let comparison = kept.compare(measured);
    for remark in &comparison.unknown {
        println!("{remark}");
    }
    for regression in &comparison.regressions {
        eprintln!("error: {regression}");
    }
    Ok(comparison.regressions.is_empty())
}

/// The document, what it says, and the table in it.
fn kept() -> Result<(PathBuf, String, Table)> {
    let path = Workspace::find()?.root.join(KEPT);
    let document = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let table = Table::find(&document).with_context(|| format!("in {}", path.display()))?;
    Ok((path, document, table))
}

/// This machine's own kernel, which goes by the first two numbers of its release: they decide what its verifier does.
fn here() -> Result<Verified> {
    let output = Command::new(cargo::verifier()?).output().context("cannot start apus-verifier")?;
    ensure!(
        output.status.success(),
        "this kernel's verifier was not measured: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    let release =
        fs::read_to_string("/proc/sys/kernel/osrelease").context("cannot read this kernel's release")?;
    let numbers: Vec<_> = release.trim().split('.').take(2).collect();
    Ok(Verified { kernel: format!("Linux {}", numbers.join(".")), json: output.stdout })
}
