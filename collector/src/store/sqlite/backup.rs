//! A copy of the store, while it is written.

use std::fs::File;
use std::path::Path;
use std::thread;
use std::time::Duration;

use files::part;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use super::failure::failure;
use crate::store::StoreError;

/// Who may read the copy: as the process's mask has it.
const MODE: u32 = 0o666;
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
    let failed = |source| StoreError::Write { path: to.into(), source };
    let (part, _) = part::create(to, MODE).map_err(failed)?;
    copy(connection, &part).inspect_err(|_| part::remove(to))?;
    let on_disk = File::open(&part).and_then(|file| file.sync_all()).inspect_err(|_| part::remove(to));
    on_disk.and_then(|()| part::name_new(to)).map_err(failed)?;
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
