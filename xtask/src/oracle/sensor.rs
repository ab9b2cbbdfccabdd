//! The sensor that is judged: one that runs here, or one that has run elsewhere and left what it said.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::workshop::{WorkFile, Workshop};

pub enum Sensor {
    /// The program.
    Here(PathBuf),
    /// A folder with one for each capture, and in it one for each way to tell flows apart, with the files `code`,
    /// `output`, `errors` and `flows.csv`.
    Elsewhere(PathBuf),
}

/// What it said of a capture.
pub struct Played {
    /// None where a signal ended it.
    pub code: Option<i32>,
    pub output: Vec<u8>,
    pub errors: String,
    pub flows: PathBuf,
    /// Removes the flows when they have been read.
    pub _file: Option<WorkFile>,
}

impl Sensor {
    pub fn play(&self, flow_key: &str, workshop: &Workshop, capture: &Path) -> Result<Played> {
        match self {
            Self::Here(program) => {
                let file = workshop.file_ending(".csv");
                let output = Command::new(program)
                    .args(["replay", "--json", "--flow-key", flow_key, "--flows"])
                    .arg(file.path())
                    .arg(capture)
                    .output()
                    .with_context(|| format!("cannot start {}", program.display()))?;
                Ok(Played {
                    code: output.status.code(),
                    output: output.stdout,
                    errors: String::from_utf8_lossy(&output.stderr).into_owned(),
                    flows: file.path().to_owned(),
                    _file: Some(file),
                })
            }
            Self::Elsewhere(folder) => {
                let folder = folder.join(capture.file_name().unwrap_or_default()).join(flow_key);
                let read = |name: &str| {
                    let file = folder.join(name);
                    fs::read(&file).with_context(|| format!("the sensor has left no {}", file.display()))
                };
                let code = String::from_utf8_lossy(&read("code")?).trim().parse::<i32>();
                Ok(Played {
                    // A shell tells a signal by a code above 128.
                    code: Some(code.context("the sensor's exit code is no number")?)
                        .filter(|code| *code < 128),
                    output: read("output")?,
                    errors: String::from_utf8_lossy(&read("errors")?).into_owned(),
                    flows: folder.join("flows.csv"),
                    _file: None,
                })
            }
        }
    }
}
