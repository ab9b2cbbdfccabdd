//! The tables of all days, for as long as a program runs; what is imported meanwhile is taken in.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::FOLDER;
use super::index::{INDEX, Index, IndexError, Version};
use super::table::Table;
use crate::store::{Day, RegionTable, Regions, UnknownRegions};

/// Tables that stay in memory: batches are mostly of today, and after an outage of days before; some megabytes each.
const MOST_TABLES: usize = 8;

/// Until an index that could not be used is read again, as long as it is the same: a file that it names may be back by
/// then. To try takes as long as to read all files of a table.
const PATIENCE: Duration = Duration::from_secs(30);

/// Gives each day its table. Tables are read when a day needs them.
pub struct Library {
    folder: PathBuf,
    state: Mutex<State>,
}

struct State {
    index: Index,
    /// What told that the index is this one.
    stamp: Option<Stamp>,
    /// The one that was needed last is the last.
    tables: Vec<Arc<Table>>,
    /// The index that could not be used last, and when that was.
    failed: Option<(Option<Stamp>, Instant)>,
    /// What was said last of an index that cannot be used.
    complaint: String,
}

/// Number, size, and times of a file, which is never changed but replaced.
type Stamp = [i64; 6];

impl Library {
    /// Reads the index in a collector's data folder, and the table that is in force last. Without an index no day has a
    /// table, until there is one.
    ///
    /// # Errors
    /// Where the index or a file that it names cannot be used.
    pub fn open(data: &Path) -> Result<Self, IndexError> {
        let folder = data.join(FOLDER);
        let stamp = stamp(&folder);
        let (index, table) = read(&folder)?;
        let state = State {
            index,
            stamp,
            tables: table.map(Arc::new).into_iter().collect(),
            failed: None,
            complaint: String::new(),
        };
        Ok(Self { folder, state: Mutex::new(state) })
    }

    /// The table in force on a day, if there is one.
    ///
    /// # Errors
    /// Where a file of it cannot be used.
    pub fn on(&self, day: Day) -> Result<Option<Arc<Table>>, IndexError> {
        self.on_at(day, Instant::now())
    }

    /// The same at a moment, which is no earlier than that of the call before.
    pub(super) fn on_at(&self, day: Day, now: Instant) -> Result<Option<Arc<Table>>, IndexError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.look(&self.folder, now);
        let Some(version) = state.index.in_force(day).cloned() else { return Ok(None) };
        let known = state.tables.iter().position(|table| table.version() == version.version);
        let table = match known {
            Some(place) => state.tables.remove(place),
            None => Arc::new(load(&self.folder, &version)?),
        };
        state.tables.push(Arc::clone(&table));
        if state.tables.len() > MOST_TABLES {
            state.tables.remove(0);
        }
        Ok(Some(table))
    }
}

impl Regions for Library {
    fn table(&self, day: Day) -> Result<Arc<dyn RegionTable>, String> {
        match self.on(day) {
            Ok(Some(table)) => Ok(table),
            Ok(None) => Ok(Arc::new(UnknownRegions)),
            Err(error) => Err(crate::one_line(&error)),
        }
    }
}

impl State {
    /// Takes in the index, should it be another one that can be used.
    fn look(&mut self, folder: &Path, now: Instant) {
        let stamp = stamp(folder);
        if stamp == self.stamp {
            return;
        }
        let is_waiting = |(failed, when)| failed == stamp && now.saturating_duration_since(when) < PATIENCE;
        if self.failed.is_some_and(is_waiting) {
            return;
        }
        // Whoever has had an index has not lost it on purpose.
        let read = if stamp.is_some() {
            read(folder)
        } else {
            let path = folder.join(INDEX);
            Err(IndexError::Unreadable { path, source: std::io::ErrorKind::NotFound.into() })
        };
        match read {
            Ok((index, table)) => {
                let versions = index.versions.len();
                let last = index.versions.last().map_or(0, |version| version.version);
                log::info!("regions were read anew: {versions} versions, the last of them {last}");
                // A number may mean another table after a person has put back an older index.
                self.tables = table.map(Arc::new).into_iter().collect();
                (self.index, self.stamp, self.failed) = (index, stamp, None);
                self.complaint.clear();
            }
            Err(error) => {
                self.failed = Some((stamp, now));
                let error = crate::one_line(&error);
                if error != self.complaint {
                    log::error!("regions stay as they were read before: {error}");
                    self.complaint = error;
                }
            }
        }
    }
}

/// The index, and the table that is in force last.
fn read(folder: &Path) -> Result<(Index, Option<Table>), IndexError> {
    let index = Index::read(folder)?;
    let table = index.in_force(Day(u32::MAX)).map(|version| load(folder, version)).transpose()?;
    Ok((index, table))
}

fn load(folder: &Path, version: &Version) -> Result<Table, IndexError> {
    let files = version.files.iter().map(|file| file.read(folder)).collect::<Result<Vec<_>, _>>()?;
    Ok(Table::new(version.version, &files))
}

fn stamp(folder: &Path) -> Option<Stamp> {
    let metadata = fs::metadata(folder.join(INDEX)).ok()?;
    let of_file = [metadata.ino().cast_signed(), metadata.size().cast_signed()];
    let modified = [metadata.mtime(), metadata.mtime_nsec()];
    let changed = [metadata.ctime(), metadata.ctime_nsec()];
    Some([of_file[0], of_file[1], modified[0], modified[1], changed[0], changed[1]])
}
