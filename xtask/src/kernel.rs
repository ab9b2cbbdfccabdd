//! `cargo xtask test --kernel`: the privileged tests in virtual machines, on the kernels that users have.
//!
//! Kernels are fetched and unpacked, not installed. The machine has no disk: what it needs is in the archive that it
//! boots from, and its words come over a serial line.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::cargo::Workspace;
use crate::{oracle, verifier};

mod apt;
mod cpio;
mod distributions;
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

use distributions::Support;
use image::Image;
use machine::{Acceleration, Ending};
pub use name::Name;
use programs::Programs;
use report::Column;
use tools::Tools;
use transcript::Transcript;

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
    let well = columns.iter().all(Column::is_well);
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Boots each kernel, and has its verifier measured.
pub fn verify(kernels: &[Name], limit: Duration) -> Result<Vec<Verified>> {
    let steps = [steps::VERIFIER.to_owned()];
    let columns = run(&Order { kernels, steps: &steps, limit })?;
    let verified = |column: Column| {
        let Column { name, release: _, outcomes: _, broken, verifier } = column;
        let json = verifier.with_context(|| {
            format!("the verifier of {name} was not measured: {}", broken.unwrap_or_default())
        })?;
        Ok(Verified { kernel: name, json })
    };
    columns.into_iter().map(verified).collect()
}

fn run(order: &Order<'_>) -> Result<Vec<Column>> {
    let unknown = steps::unknown(order.steps);
    ensure!(unknown.is_empty(), "no step is called {}; docs/kernels.md names them", unknown.join(" or "));
    let workspace = Workspace::find()?;
    let yard = Yard::open(&workspace)?;
    let mut programs = Programs::build()?;
    if let Some(agent) = env::var_os("APUS_SENSOR") {
        programs.use_agent(PathBuf::from(agent));
    }
    let mut acceleration = Acceleration::first();
    let mut columns = Vec::new();
    for name in order.kernels {
        let column = yard.test(name, order, &programs, &mut acceleration)?;
        if let Some(broken) = &column.broken {
            eprintln!("kernel {name}: {broken}");
        }
        columns.push(column);
    }
    Ok(columns)
}

/// Where kernels, tools and logs are kept.
struct Yard {
    workspace: PathBuf,
    cache: PathBuf,
    tools: Tools,
}

impl Yard {
    fn open(workspace: &Workspace) -> Result<Self> {
        let cache = workspace.target.join("kernels");
        fs::create_dir_all(&cache).with_context(|| format!("cannot make {}", cache.display()))?;
        Ok(Self { tools: Tools::find(&cache)?, workspace: workspace.root.clone(), cache })
    }

    fn test(
        &self,
        name: &Name,
        order: &Order<'_>,
        programs: &Programs,
        acceleration: &mut Acceleration,
    ) -> Result<Column> {
        let image = Image::of(name, &self.cache)?;
        let steps = steps::steps(name.support(), order.steps, &self.workspace);
        let initramfs = self.cache.join("initramfs");
        let size = initramfs::write(&initramfs, &image, &self.tools, programs, &steps, &self.workspace)?;
        let log = self.cache.join(format!("{}.log", image.release));
        loop {
            eprintln!(
                "kernel {name}: {}, by {}, {} MiB of programs",
                image.release,
                acceleration.name(),
                size >> 20
            );
            let mut transcript = Transcript::default();
            let begin = Instant::now();
            let hear = |line: &str| {
                let is_last = transcript.hear(line);
                if !transcript.is_in_results() {
                    show(line);
                }
                is_last
            };
            let ending = machine::run(
                &self.tools,
                *acceleration,
                &image.vmlinuz,
                &initramfs,
                &log,
                order.limit,
                hear,
            )?;
            if ending == Ending::Silent && *acceleration == Acceleration::Hardware {
                eprintln!("kernel {name}: it says nothing; from here on machines are emulated");
                *acceleration = Acceleration::Emulation;
                continue;
            }
            eprintln!("kernel {name}: {:.0} s", begin.elapsed().as_secs_f64());
            let results = results::unpack(&transcript.results, &self.cache.join("results"))?;
            let mut column = column(name, &image, transcript, ending, steps.len(), &log);
            column.verifier = fs::read(results.join("verifier.json")).ok().filter(|json| !json.is_empty());
            self.judge(&mut column, &results.join("oracle"))?;
            if column.is_well() {
                // Only of interest where something went wrong.
                let _kept = (fs::remove_file(&log), fs::remove_file(machine::complaints(&log)));
            }
            return Ok(column);
        }
    }
}

impl Yard {
    /// Compares what the sensor has said of captures inside with what tshark says of them here.
    fn judge(&self, column: &mut Column, said: &Path) -> Result<()> {
        let Some(outcome) = column.outcomes.iter_mut().find(|outcome| outcome.name == steps::ORACLE) else {
            return Ok(());
        };
        println!("\n     Judging {}", steps::ORACLE);
        if !oracle::judge_elsewhere(&self.workspace.join(steps::CAPTURES), said)? {
            outcome.code = 1;
        }
        Ok(())
    }
}

/// Holds what the verifier said against what is kept of this kernel.
fn judge_verifier(column: &mut Column) -> Result<()> {
    let Column { name, outcomes, verifier, .. } = column;
    let step = outcomes.iter_mut().find(|outcome| outcome.name == steps::VERIFIER);
    if let (Some(step), Some(json)) = (step, verifier)
        && !verifier::judge(name, json)?
    {
        step.code = 1;
    }
    Ok(())
}

/// As the local run shows it: programs by name, and the harness's own words.
fn show(line: &str) {
    match line.strip_prefix("@apus begin ") {
        Some(name) => println!("\n     Running {name}"),
        None if line.starts_with("@apus ") || line.is_empty() => {}
        None => println!("{line}"),
    }
}

fn column(
    name: &Name,
    image: &Image,
    transcript: Transcript,
    ending: Ending,
    steps: usize,
    log: &Path,
) -> Column {
    let during = transcript.unfinished().map_or_else(String::new, |(step, _)| format!(" in {step}"));
    let log = log.display();
    let broken = match ending {
        Ending::Done if transcript.outcomes.len() == steps && transcript.release.is_some() => None,
        Ending::Done => Some(format!("{} steps of {steps} were run; see {log}", transcript.outcomes.len())),
        Ending::Stopped => Some(format!("the machine stopped{during}; its kernel's log is {log}")),
        Ending::TooLong => Some(format!("time was up{during}; the kernel's log is {log}")),
        Ending::Silent => Some(format!("the machine said nothing; its kernel's log is {log}")),
    };
    let release = transcript.release.unwrap_or_else(|| image.release.clone());
    Column { name: name.to_string(), release, outcomes: transcript.outcomes, broken, verifier: None }
}

impl Name {
    fn support(&self) -> Support {
        match self {
            Self::Distribution(distribution) => distribution.support,
            Self::File(_) => Support::Runs,
        }
    }
}
