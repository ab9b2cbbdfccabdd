//! `backup`: a copy of the store, which may be written meanwhile.

use std::io::{self, Write};
use std::path::PathBuf;

use crate::store::{StoreArguments, StoreError};

#[derive(Clone, Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    pub store: StoreArguments,
    /// The file of the copy; it must not be there yet.
    #[arg(long, value_name = "FILE")]
    pub to: PathBuf,
}

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("cannot print: {0}")]
    Print(#[from] io::Error),
}

/// Makes the copy.
///
/// # Errors
/// Where the store cannot be read, or the copy cannot be written.
pub fn run(arguments: &Arguments, output: &mut impl Write) -> Result<(), BackupError> {
    arguments.store.reader()?.backup(&arguments.to)?;
    writeln!(output, "The copy is {}", arguments.to.display())?;
    Ok(())
}
