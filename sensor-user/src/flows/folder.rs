//! A folder that the flows of every interval are written to.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::Flows;
use super::file::{FlowsFile, FlowsFileError, ending};
use crate::config::{FlowKey, FlowsFormat};

/// A folder of flows, a file an interval: `20260102T030405Z-00000007.parquet`, by epoch and sequence.
pub struct FlowsFolder {
    path: PathBuf,
    format: FlowsFormat,
    key: FlowKey,
}

/// Which interval it is: start and end in nanoseconds since the Unix epoch.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    pub epoch: Timestamp,
    pub sequence: u64,
    pub start: u64,
    pub end: u64,
}

impl FlowsFolder {
    /// The folder, made where it is not there.
    ///
    /// # Errors
    /// Where it cannot be made.
    pub fn open(path: &Path, format: FlowsFormat, key: FlowKey) -> Result<Self, FlowsFileError> {
        std::fs::create_dir_all(path)
            .map_err(|source| FlowsFileError::Create { path: path.into(), source })?;
        Ok(Self { path: path.into(), format, key })
    }

    /// Writes the flows of one interval. A file of the same interval, by an agent that was killed before it
    /// noted that, is replaced.
    ///
    /// # Errors
    /// Where the file system is against it.
    pub fn write(&self, span: Span, flows: &Flows) -> Result<(), FlowsFileError> {
        let Span { epoch, sequence, start, end } = span;
        let name = format!("{}-{sequence:08}.{}", epoch.strftime("%Y%m%dT%H%M%SZ"), ending(self.format));
        let mut file = FlowsFile::create(&self.path.join(name), self.format, self.key)?;
        file.write(start, end, flows)?;
        file.finish()
    }
}
