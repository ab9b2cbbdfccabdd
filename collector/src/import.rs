//! Batches from files: those that were kept aside, and those that an agent exported.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc;

use bytes::Bytes;
use clap::Args;

use crate::aside::BATCH;
use crate::config::{ConfigError, Settings, StoreFlags};
use crate::intake::{Accepted, Intake, IntakeError, Receipt, unix_nanoseconds};
use crate::validate::{Refusal, Span, Validator};

/// Stores batches from files, each exactly once
#[derive(Args, Debug)]
pub struct Arguments {
    #[command(flatten)]
    pub store: StoreFlags,
    /// Makes a new store where there is none
    #[arg(long)]
    pub create: bool,
    /// Takes the batches' times as they are, however far from this host's clock and from each other's
    #[arg(long)]
    pub trust_times: bool,
    /// Files of batches (.batch), such as those in the folder aside
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
}

impl Arguments {
    /// Configuration, with what the flags say.
    ///
    /// # Errors
    /// Those of the configuration.
    pub fn settings(&self) -> Result<Settings, ConfigError> {
        let mut settings = self.store.options()?.resolve()?;
        settings.rules.trust_times = self.trust_times;
        Ok(settings)
    }
}

/// Why a file was not stored.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("not a file that ends in {BATCH}: captures are for \"apus-sensor replay\"")]
    Ending,
    #[error("cannot be read: {0}")]
    Read(#[from] io::Error),
    #[error("{0} bytes, at most {1} are taken: raise limits.body_bytes")]
    Long(u64, u64),
    #[error(transparent)]
    Refused(#[from] Box<Refusal>),
    #[error(transparent)]
    Intake(#[from] IntakeError),
    #[error("the store ended before it answered")]
    Gone,
}

/// Why an import ended early, or is not whole.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error("{failed} of {files} files were not stored")]
    Incomplete { failed: usize, files: usize },
    #[error("cannot write to the standard output: {0}")]
    Output(#[source] io::Error),
}

/// Stores batches, one after the other, and says of each what became of it. No file is removed.
///
/// # Errors
/// Where one was not stored; the others are.
pub fn run(
    files: &[PathBuf],
    most_bytes: u64,
    validator: &Validator,
    intake: &dyn Intake,
    output: &mut impl io::Write,
) -> Result<(), ImportError> {
    let mut failed = 0;
    for path in files {
        let line = match store(path, most_bytes, validator, intake) {
            Ok(Receipt { already: false }) => "stored".into(),
            Ok(Receipt { already: true }) => "stored before".into(),
            Err(error) => {
                failed += 1;
                format!("NOT STORED: {}", crate::one_line(&error))
            }
        };
        writeln!(output, "{}: {line}", path.display()).map_err(ImportError::Output)?;
    }
    if failed == 0 { Ok(()) } else { Err(ImportError::Incomplete { failed, files: files.len() }) }
}

fn store(
    path: &Path,
    most_bytes: u64,
    validator: &Validator,
    intake: &dyn Intake,
) -> Result<Receipt, FileError> {
    if !path.to_string_lossy().ends_with(BATCH) {
        return Err(FileError::Ending);
    }
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    let mut content = Vec::new();
    // It may grow meanwhile.
    file.take(most_bytes.saturating_add(1)).read_to_end(&mut content)?;
    if content.len() as u64 > most_bytes {
        return Err(FileError::Long(length, most_bytes));
    }
    let bytes = Bytes::from(content);
    let arrived = unix_nanoseconds();
    let batch = match validator.read(&bytes, None, arrived) {
        Ok(batch) => batch,
        Err(refusal) if validator.is_stored(&bytes, &refusal) => return Ok(Receipt { already: true }),
        Err(refusal) => return Err(Box::new(refusal).into()),
    };
    let (sensor, span) = (batch.header.sensor.clone(), Span::from(&batch.header));
    let (sender, receiver) = mpsc::channel();
    let reply = Box::new(move |result| {
        // Nobody waits where this process is ending.
        let _gone = sender.send(result);
    });
    intake.submit(Accepted { batch, bytes, arrived, sent: None }, reply);
    let receipt = receiver.recv().map_err(|_| FileError::Gone)??;
    validator.known().note(&sensor, span);
    Ok(receipt)
}

#[cfg(test)]
mod tests;
