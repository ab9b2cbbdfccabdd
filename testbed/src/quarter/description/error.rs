//! What can be wrong with a description.

use std::io;
use std::path::PathBuf;

/// Why a description cannot be followed.
#[derive(Debug, thiserror::Error)]
pub enum DescriptionError {
    #[error("cannot read {}: {source}", .path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{}, line {line}: {what}", .path.display())]
    Wrong { path: PathBuf, line: usize, what: String },
    #[error("no quarter {quarter} is described in {}; there are {known}, or all", .folder.display())]
    Unknown { quarter: String, folder: PathBuf, known: String },
}
