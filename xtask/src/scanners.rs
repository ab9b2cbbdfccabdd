//! `cargo xtask scanners`: real scanners at work in network namespaces of their own, captured.
//!
//! The captures in `tests/captures` were made so. Each run writes new ones into a new folder.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::SystemTime;

use anyhow::{Context, Result, bail, ensure};

use crate::setup::{self, Purpose};
use crate::{cargo, search_path};

mod findings;
mod lab;
mod program;
mod readme;
mod recording;
mod scan;
#[cfg(test)]
mod tests;
mod waker;

use lab::Lab;
use scan::{SCANS, Scan};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Folder for the captures, new or empty [default: a new one beside cargo's other output]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// How this program calls itself in the namespaces, with the network that is outside
    #[arg(long, hide = true, requires = "out")]
    outside: Option<String>,
}

/// Fails where a scan was not captured, or not with what must be found in it.
pub fn run(Arguments { out, outside }: &Arguments) -> Result<ExitCode> {
    if let (Some(outside), Some(out)) = (outside, out) {
        return take_all(outside, out);
    }
    setup::ensure(Purpose::Scanners)?;
    let sensor = match env::var_os("APUS_SENSOR") {
        Some(path) => PathBuf::from(path),
        None => cargo::sensor()?,
    };
    let folder = match out {
        Some(folder) => folder.clone(),
        None => new_folder(&sensor)?,
    };
    fs::create_dir_all(&folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let folder = folder.canonicalize().with_context(|| format!("cannot find {}", folder.display()))?;
    let mut entries = fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))?;
    ensure!(entries.next().is_none(), "{} is not empty: captures replace nothing", folder.display());
    take_in_namespaces(&folder)?;
    fs::write(folder.join("README.md"), readme::readme()?).context("cannot write the description")?;
    summarize(&sensor, &folder)
}

/// Cargo's folder is the one above the sensor's, wherever that is; each run has a folder of its own there.
fn new_folder(sensor: &Path) -> Result<PathBuf> {
    let seconds = SystemTime::UNIX_EPOCH.elapsed().context("the clock is before 1970")?.as_secs();
    let target = sensor.parent().and_then(Path::parent).context("the sensor has no folder")?;
    Ok(target.join(format!("scanners-{seconds}")))
}

/// Calls this program again in a network and a mount namespace of its own, which end with it.
fn take_in_namespaces(folder: &Path) -> Result<()> {
    let this = env::current_exe().context("cannot find this program")?;
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--", "unshare", "--net", "--mount", "--"]).arg(this);
    command.args(["scanners", "--outside", &lab::network()?, "--out"]).arg(folder);
    let status = command.env("PATH", search_path::joined()).status().context("cannot start setpriv")?;
    ensure!(status.success(), "no captures ({status}): why is above; to make namespaces takes root");
    Ok(())
}

/// In the namespaces.
fn take_all(outside: &str, folder: &Path) -> Result<ExitCode> {
    let lab = Lab::open(outside)?;
    for scan in &SCANS {
        eprintln!("scanners: {}", scan.name);
        lab.take(scan, &capture(folder, scan)).with_context(|| scan.name)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn capture(folder: &Path, scan: &Scan) -> PathBuf {
    folder.join(scan.name).with_extension("pcap")
}

/// Writes the sensor's document of each capture beside it, and prints what there is.
fn summarize(sensor: &Path, folder: &Path) -> Result<ExitCode> {
    println!("{}", findings::head());
    let mut missing = Vec::new();
    for scan in &SCANS {
        let capture = capture(folder, scan);
        let document = findings::replay(sensor, &capture)?;
        let size = fs::metadata(&capture).context("the capture is gone")?.len();
        println!("{}", findings::row(scan, size, &document));
        let path = capture.with_extension("json");
        fs::write(&path, format!("{document:#}\n"))
            .with_context(|| format!("cannot write {}", path.display()))?;
        missing.extend(findings::missing(scan, &document).into_iter().map(|what| (scan.name, what)));
    }
    println!("\n{}\ncompare with tshark: cargo xtask oracle {}", folder.display(), folder.display());
    if missing.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    for (name, what) in &missing {
        eprintln!("{name}: {what}");
    }
    bail!("{} of the things that must be found were not", missing.len())
}
