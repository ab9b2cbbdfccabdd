//! Why a store does not do what it is asked for.

use std::io;
use std::path::PathBuf;

use crate::config::ConfigError;

/// Why a store does not do what it is asked for. It names no engine's types.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("there is no store at {}: name the file that the collector writes, or start the collector first", .path.display())]
    Missing { path: PathBuf },
    #[error("{} is not a store of Apus: its application number is {found:#x}", .path.display())]
    Foreign { path: PathBuf, found: i64 },
    #[error(
        "the store {} has version {found}, this program knows versions up to {known}: use a newer apus-collector",
        .path.display()
    )]
    Newer { path: PathBuf, found: i64, known: i64 },
    #[error("the store {} has version {found}, and a reader cannot bring it to {known}: let the collector open it once", .path.display())]
    Older { path: PathBuf, found: i64, known: i64 },
    #[error("cannot open the store {}: {what}", .path.display())]
    Open { path: PathBuf, what: String },
    #[error("no room for the store ({what}): free some, and it goes on")]
    Full { what: String },
    #[error("the store is in use by another program ({what}); it may be tried again")]
    Busy { what: String },
    #[error("the disk does not do as the store wants ({what})")]
    Disk { what: String },
    #[error(
        "the store is damaged ({what}): take the backup, or have it checked with `apus-collector verify`"
    )]
    Damaged { what: String },
    #[error("a number is beyond what the store can hold ({what})")]
    Range { what: String },
    #[error("where addresses are registered cannot be told ({what})")]
    Regions { what: String },
    #[error("the store failed: {what}")]
    Failed { what: String },
    #[error("not a question that the store answers: {what}")]
    Question { what: String },
    #[error("no answer within {seconds} s: ask for a shorter period, or allow more time")]
    Timeout { seconds: f64 },
    #[error("{} is there already: name a file that is not", .path.display())]
    Exists { path: PathBuf },
    #[error("cannot write {}: {source}", .path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("cannot hand over rows: {0}")]
    Rows(String),
}

impl StoreError {
    /// Whether the same may succeed later.
    #[must_use]
    pub const fn is_passing(&self) -> bool {
        matches!(self, Self::Full { .. } | Self::Busy { .. } | Self::Disk { .. } | Self::Regions { .. })
    }
}
