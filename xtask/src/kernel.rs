//! `cargo xtask test --kernel`: the privileged tests in virtual machines, on the kernels that users have.
//!
//! Kernels are fetched and unpacked, not installed. The machine has no disk: what it needs is in the archive that it
//! boots from, and its words come over a serial line.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::cargo::Workspace;
use crate::verifier;

mod apt;
mod cpio;
mod distributions;
mod folder;
mod image;
mod initramfs;
mod machine;
mod modules;
mod name;
mod programs;
mod report;
mod results;
mod steps;
mod tools;
mod transcript;
mod yard;

use distributions::Support;
use machine::Acceleration;
pub use name::Name;
use programs::Programs;
use report::Column;
use yard::Yard;

/// Kernels, and what to run on them.
pub struct Order<'a> {
    pub kernels: &'a [Name],
    /// Only these steps, where any are named.
    pub steps: &'a [String],
    /// How long each kernel may take.
    pub limit: Duration,
}

/// What a kernel's verifier said of the sensor's programs, in JSON, and which kernel it was.
pub struct Verified {
    pub kernel: String,
    pub json: Vec<u8>,
}

/// Boots each kernel, runs the tests, and prints a table. Fails where any test does.
pub fn test(order: &Order<'_>) -> Result<ExitCode> {
    let mut columns = run(order)?;
    columns.iter_mut().try_for_each(judge_verifier)?;
    print!("\n{}", report::table(&columns));
    for Column { name, broken, .. } in &columns {
        if let Some(broken) = broken {
            eprintln!("kernel {name}: {broken}");
        }
    }
    let well = columns.iter().all(Column::is_well);
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Boots each kernel, and has its verifier measured; of those where that fails, says why.
pub fn verify(kernels: &[Name], limit: Duration) -> Result<(Vec<Verified>, Vec<String>)> {
    let steps = [steps::VERIFIER.to_owned()];
    let columns = run(&Order { kernels, steps: &steps, limit })?;
    let (mut verified, mut failures) = (Vec::new(), Vec::new());
    for Column { name, release: _, outcomes: _, broken, verifier } in columns {
        match verifier {
            Some(json) => verified.push(Verified { kernel: name, json }),
            None => failures
                .push(format!("the verifier of {name} was not measured: {}", broken.unwrap_or_default())),
        }
    }
    Ok((verified, failures))
}

fn run(order: &Order<'_>) -> Result<Vec<Column>> {
    let workspace = Workspace::find()?;
    let unknown = steps::unknown(order.steps);
    ensure!(unknown.is_empty(), "no step is called {}; docs/kernels.md names them", unknown.join(" or "));
    for name in order.kernels {
        let none = steps::steps(name.support(), order.steps, &workspace.root).is_empty();
        ensure!(
            !none,
            "{name} is too old for the sensor, and `{}` says so: no other step is run",
            steps::FLOOR
        );
    }
    let yard = Yard::open(&workspace)?;
    let programs = Programs::build()?;
    eprintln!("kernel: the agent inside is {}", programs.path(programs::AGENT)?.display());
    let mut acceleration = Acceleration::first();
    let mut columns = Vec::new();
    for name in order.kernels {
        // One that cannot be fetched or booted does not take the others' results with it.
        let column = yard.test(name, order, &programs, &mut acceleration).unwrap_or_else(|error| Column {
            name: name.to_string(),
            release: "-".to_owned(),
            outcomes: Vec::new(),
            broken: Some(format!("{error:#}")),
            verifier: None,
        });
        columns.push(column);
    }
    Ok(columns)
}

/// Holds what the verifier said against what is kept of this kernel.
fn judge_verifier(column: &mut Column) -> Result<()> {
    let Column { name, outcomes, verifier, .. } = column;
    let Some(step) = outcomes.iter_mut().find(|outcome| outcome.name == steps::VERIFIER) else {
        return Ok(());
    };
    let is_well = match verifier {
        Some(json) => verifier::judge(name, json)?,
        None => {
            eprintln!("kernel {name}: what the verifier said is not there");
            false
        }
    };
    if !is_well && step.is_well() {
        step.code = 1;
    }
    Ok(())
}

impl Name {
    fn support(&self) -> Support {
        match self {
            Self::Distribution(distribution) => distribution.support,
            Self::File(_) => Support::Unknown,
        }
    }
}
