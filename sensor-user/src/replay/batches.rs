//! A replay's intervals as files, each a batch, for a collector to import.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use wire::WireError;

use crate::batch::Facts;
use crate::spool::Interval;

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
    if path.exists() {
        return Err(BatchFileError::There(path));
    }
    let part = path.with_extension("batch.part");
    let mut file = File::create(&part).map_err(failed(&part))?;
    let written = file.write_all(&counts).and_then(|()| file.write_all(flows.as_deref().unwrap_or_default()));
    written.and_then(|()| file.sync_all()).map_err(failed(&part))?;
    fs::rename(&part, &path).map_err(failed(&path))
}
