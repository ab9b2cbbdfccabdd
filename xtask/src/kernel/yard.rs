//! Where kernels, tools and logs are kept, and one machine after the other is started and judged.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use super::folder::{Lock, OwnFolder};
use super::image::Image;
use super::initramfs::{self, Contents};
use super::machine::{self, Acceleration, Ending};
use super::name::Name;
use super::programs::Programs;
use super::report::Column;
use super::steps::{self, Step};
use super::tools::Tools;
use super::transcript::Transcript;
use super::{Order, results};
use crate::cargo::Workspace;
use crate::oracle;

/// Shared with other runs, but for the folder of this one.
pub struct Yard {
    workspace: PathBuf,
    cache: PathBuf,
    own: OwnFolder,
    tools: Tools,
}

impl Yard {
    pub fn open(workspace: &Workspace) -> Result<Self> {
        let (root, cache) = (workspace.root.clone(), workspace.target.join("kernels"));
        let hidden = initramfs::HIDDEN.iter().find(|folder| root.starts_with(folder));
        ensure!(
            hidden.is_none(),
            "{} cannot be read inside a virtual machine, which has a {} of its own: clone it elsewhere",
            root.display(),
            hidden.copied().unwrap_or_default()
        );
        fs::create_dir_all(&cache).with_context(|| format!("cannot make {}", cache.display()))?;
        let _lock = Lock::take(&cache)?;
        Ok(Self { workspace: root, tools: Tools::find(&cache)?, own: OwnFolder::make(&cache)?, cache })
    }

    fn image(&self, name: &Name) -> Result<Image> {
        let _lock = Lock::take(&self.cache)?;
        Image::of(name, &self.cache)
    }

    pub fn test(
        &self,
        name: &Name,
        order: &Order<'_>,
        programs: &Programs,
        acceleration: &mut Acceleration,
    ) -> Result<Column> {
        let image = self.image(name)?;
        let steps = steps::steps(name.support(), order.steps, &self.workspace);
        let initramfs = self.own.join("initramfs");
        let contents = Contents {
            image: &image,
            tools: &self.tools,
            programs,
            steps: &steps,
            support: name.support(),
            workspace: &self.workspace,
        };
        let size = contents.write(&initramfs)?;
        let log = self.own.join("kernel.log");
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
            let results = std::mem::take(&mut transcript.results);
            let mut column = column(name, &image, transcript, ending, &steps);
            if ending == Ending::Done {
                let results = results::unpack(&results, &self.own.join("results"))?;
                column.verifier =
                    fs::read(results.join("verifier.json")).ok().filter(|json| !json.is_empty());
                self.judge(&mut column, &results.join("oracle"))?;
            }
            if !column.is_well() {
                let kept = self.keep(&log, &image.release)?;
                let broken = column.broken.get_or_insert_with(|| "it did not pass".to_owned());
                broken.push_str(&format!("; its kernel's log is {}", kept.display()));
            }
            return Ok(column);
        }
    }

    /// Keeps the kernel's log where the next run does not remove it, with qemu's own complaints at its end.
    fn keep(&self, log: &Path, release: &str) -> Result<PathBuf> {
        let kept = self.cache.join(format!("{release}.log"));
        let mut text = fs::read(log).unwrap_or_default();
        text.extend(fs::read(machine::complaints(log)).unwrap_or_default());
        fs::write(&kept, text).with_context(|| format!("cannot write {}", kept.display()))?;
        Ok(kept)
    }

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

/// As the local run shows it: programs by name, and the harness's own words.
fn show(line: &str) {
    match line.strip_prefix("@apus begin ") {
        Some(name) => println!("\n     Running {name}"),
        None if line.starts_with("@apus ") || line.is_empty() => {}
        None => println!("{line}"),
    }
}

fn column(name: &Name, image: &Image, mut transcript: Transcript, ending: Ending, steps: &[Step]) -> Column {
    let during = transcript.unfinished().map_or_else(String::new, |(step, _)| format!(" in {step}"));
    let mut broken = match ending {
        Ending::Done if transcript.outcomes.len() == steps.len() && transcript.release.is_some() => None,
        Ending::Done => Some(format!("{} steps of {} were run", transcript.outcomes.len(), steps.len())),
        Ending::Stopped => Some(format!("the machine stopped{during}")),
        Ending::TooLong => Some(format!("time was up{during}")),
        Ending::Silent => Some("the machine said nothing".to_owned()),
    };
    for (outcome, step) in transcript.outcomes.iter_mut().zip(steps) {
        if let Some(lacking) = outcome.lacks(step) {
            outcome.code = 1;
            broken.get_or_insert_with(|| format!("{}: {lacking}", step.name));
        }
    }
    let release = transcript.release.unwrap_or_else(|| image.release.clone());
    Column { name: name.to_string(), release, outcomes: transcript.outcomes, broken, verifier: None }
}
