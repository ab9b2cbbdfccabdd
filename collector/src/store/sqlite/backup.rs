//! A copy of the store, while it is written.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use super::failure::failure;
use crate::store::StoreError;

/// Pages that are copied before others get the disk.
const PAGES_AT_ONCE: i32 = 2_000;
const PAUSE: Duration = Duration::from_millis(2);

/// Copies the store as this connection's transaction sees it, so that the copy need not begin again whenever something
/// is written.
pub fn backup(connection: &Connection, from: &Path, to: &Path) -> Result<(), StoreError> {
    if to.exists() {
        return Err(StoreError::Exists { path: to.into() });
    }
    // The transaction begins with the first read.
    connection.query_row("SELECT count(*) FROM sensor", [], |_| Ok(())).map_err(failure)?;
    let mut name = to.as_os_str().to_owned();
    name.push(".part");
    let part = PathBuf::from(name);
    let failed = |source| StoreError::Write { path: to.into(), source };
    // Of a copy that was not finished; or a link, in a folder that others write, too, that may lead anywhere.
    match fs::remove_file(&part) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        _ => OpenOptions::new().write(true).create_new(true).open(&part).map_err(failed)?,
    };
    copy(connection, &part).inspect_err(|_| {
        let _first_error_counts = fs::remove_file(&part);
    })?;
    File::open(&part).and_then(|file| file.sync_all()).map_err(failed)?;
    // Unlike a rename, a link does not replace what came meanwhile; some file systems have none.
    match fs::hard_link(&part, to) {
        Ok(()) => fs::remove_file(&part),
        Err(_) if !to.exists() => fs::rename(&part, to),
        Err(error) => Err(error),
    }
    .map_err(failed)?;
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
    log::info!("copied {} to {}", from.display(), to.display());
    Ok(())
}

fn copy(connection: &Connection, part: &Path) -> Result<(), StoreError> {
    // Without its flag to create: an empty file is a new store.
    let mut copy = Connection::open_with_flags(part, OpenFlags::SQLITE_OPEN_READ_WRITE)
        .map_err(|error| StoreError::Open { path: part.into(), what: error.to_string() })?;
    let backup = Backup::new(connection, &mut copy).map_err(failure)?;
    loop {
        match backup.step(PAGES_AT_ONCE).map_err(failure)? {
            StepResult::Done => return Ok(()),
            _ => thread::sleep(PAUSE),
        }
    }
}
