//! A replay's intervals as files, each a batch, for a collector to import.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use files::part;
use wire::WireError;

use crate::batch::Facts;
use crate::spool::Interval;

/// Who may read a file: as the process's mask has it.
const MODE: u32 = 0o666;

/// Why a batch is not in a file.
#[derive(Debug, thiserror::Error)]
pub enum BatchFileError {
    #[error("cannot make a batch: {0}; please report it")]
    Make(#[from] WireError),
    #[error("cannot write {}: {source}", .path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("{} is there already: name another folder, or move it away", .0.display())]
    There(PathBuf),
}

/// Writes one interval into a folder, which is made where it is not there: `<epoch>-<sequence>.batch`. A file that is
/// there is never replaced, and one that is there is whole.
///
/// # Errors
/// Where the file system is against it.
pub fn write(folder: &Path, facts: &Facts<'_>) -> Result<(), BatchFileError> {
    let Interval { name, counts, flows, .. } = facts.batch()?;
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| BatchFileError::Write { path, source }
    };
    fs::create_dir_all(folder).map_err(failed(folder))?;
    let path = folder.join(format!("{}-{:08}.batch", name.epoch, name.last));
    match part::write_new(&path, &[&counts, flows.as_deref().unwrap_or_default()], MODE) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(BatchFileError::There(path)),
        written => written.map_err(failed(&path)),
    }
}
