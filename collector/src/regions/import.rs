//! Takes in registries' files: all of a call, or none.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use files::part;

use super::FOLDER;
use super::index::{INDEX, Index, IndexError, MOST_VERSIONS, StoredFile, Version, as_of};
use super::registry::Registry;
use super::statistics::{Fault, Statistics};
use crate::store::Day;

/// Files and index are no secret.
const MODE: u32 = 0o644;
const LOCK: &str = "import.lock";

/// Why files were not taken in.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error("cannot read {}: {source}", .path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{}, {source}", .path.display())]
    Fault { path: PathBuf, source: Fault },
    #[error("two files of {registry}: a version has one of each registry; import them one after the other")]
    Twice { registry: Registry },
    #[error(transparent)]
    Index(#[from] IndexError),
    #[error("cannot write {}: {source}; it has to be this user's to write", .path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("there is no room for another version: {MOST_VERSIONS} are the most that a store can tell apart")]
    Versions,
}

/// What became of files that were taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// Versions that were made: none where what they would be is in force already.
    pub versions: Vec<Version>,
}

/// A registry's file, read and found to be whole.
#[derive(Clone, Debug)]
pub struct Checked {
    pub statistics: Statistics,
    content: Vec<u8>,
}

impl Checked {
    /// Checks a file.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn new(content: Vec<u8>) -> Result<Self, Fault> {
        Ok(Self { statistics: Statistics::parse(&content)?, content })
    }

    /// Reads a file, and checks it.
    ///
    /// # Errors
    /// Where it cannot be read, or something is wrong with it.
    pub fn read(path: &Path) -> Result<Self, ImportError> {
        let content =
            fs::read(path).map_err(|source| ImportError::Unreadable { path: path.into(), source })?;
        Self::new(content).map_err(|source| ImportError::Fault { path: path.into(), source })
    }
}

/// Takes in files, into the data folder of a collector: of the day of each of these files a version of the newest file of
/// each registry as of that day, in force from it; or where a day is told, one as of the newest of these files' day, in
/// force from the day that is told. Versions for which one of these files would have been the newest of its registry are
/// made anew with it; a version in force from before its own date is so from its own date on, too, whatever is in force
/// in between.
///
/// # Errors
/// Where something of it cannot be done; no version is made then.
pub fn import(data: &Path, checked: &[Checked], from: Option<Day>) -> Result<Imported, ImportError> {
    let mut registries: Vec<_> = checked.iter().map(|file| file.statistics.registry).collect();
    registries.sort_unstable();
    if let Some(pair) = registries.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(ImportError::Twice { registry: pair[0] });
    }
    let folder = data.join(FOLDER);
    let write = |path: &Path| {
        let path = path.to_owned();
        |source| ImportError::Write { path, source }
    };
    fs::create_dir_all(&folder).map_err(write(&folder))?;
    let path = folder.join(LOCK);
    let lock =
        OpenOptions::new().write(true).create(true).truncate(false).open(&path).map_err(write(&path))?;
    // One after the other: each makes versions of what is there.
    lock.lock().map_err(write(&path))?;
    // A file that is missing may be among those that come.
    let mut index = Index::read_alone(&folder)?;
    let mut new = Vec::new();
    for Checked { statistics, content } in checked {
        let file = StoredFile::of(statistics, content);
        keep(&folder, &file, content)?;
        new.push(file);
    }
    let versions = versions(&index, &new, from)?;
    if !versions.is_empty() {
        index.versions.extend_from_slice(&versions);
        let path = folder.join(INDEX);
        part::replace(&path, &[&index.to_json()], MODE).map_err(write(&path))?;
    }
    Ok(Imported { versions })
}

/// Writes a file, unless it is there.
fn keep(folder: &Path, file: &StoredFile, content: &[u8]) -> Result<(), ImportError> {
    let path = folder.join(file.name());
    match part::write_new(&path, &[content], MODE) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists && file.content(folder).is_ok() => Ok(()),
        // It was damaged, and here it is whole.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => part::replace(&path, &[content], MODE),
        written => written,
    }
    .map_err(|source| ImportError::Write { path, source })
}

/// The versions that new files make: on each day from which a table is in force, one where the newest files are others
/// than by then.
fn versions(index: &Index, new: &[StoredFile], from: Option<Day>) -> Result<Vec<Version>, ImportError> {
    let dates: BTreeSet<Day> = new.iter().map(|file| file.date).collect();
    let (Some(&oldest), Some(&newest)) = (dates.first(), dates.last()) else { return Ok(Vec::new()) };
    let all: Vec<StoredFile> = index.files().chain(new).cloned().collect();
    let told: Vec<(Day, Day)> = match from {
        Some(from) => vec![(from, newest)],
        None => dates.iter().map(|date| (*date, *date)).collect(),
    };
    let mut begins = begins(index, &told);
    // What is told has a newer file of a registry where there is one. The one that comes then is of its own day on.
    let of_told = as_of(&all, newest);
    for file in new.iter().filter(|file| !of_told.contains(file)) {
        begins.entry(file.date).or_insert(file.date);
    }
    let mut known = index.clone();
    let mut number = index.versions.last().map_or(0, |version| version.version);
    for (from, date) in begins {
        let before = known.in_force(from);
        let is_there = before.is_some_and(|version| (version.from, version.date) == (from, date));
        // Such a version has none of the new files.
        if is_there && date < oldest {
            continue;
        }
        let files = as_of(&all, date);
        // What a person has told to begin on this day has to outlast what comes to be in force from days before it. What
        // begins on its own date does: it is made once it differs.
        let stays = |version: &Version| version.from == from || from == date;
        if before.is_some_and(|version| version.files == files && stays(version)) {
            continue;
        }
        number += 1;
        if number >= MOST_VERSIONS {
            return Err(ImportError::Versions);
        }
        known.versions.push(Version { version: number, from, date, files });
    }
    Ok(known.versions.split_off(index.versions.len()))
}

/// The days from which a table is in force, and as of which day it has its files; those that are imported now included.
///
/// What is in force from days before its own date is so from its own date on, too: of the time in between there may be
/// files that are newer than those before, and older than it.
fn begins(index: &Index, new: &[(Day, Day)]) -> BTreeMap<Day, Day> {
    let known = index.versions.iter().map(|version| (version.from, version.date));
    let told = known.chain(new.iter().copied());
    // Of several from one day the last one counts.
    let mut begins: BTreeMap<Day, Day> = told.clone().collect();
    for (_, date) in told.filter(|(from, date)| from < date) {
        begins.entry(date).or_insert(date);
    }
    begins
}

#[cfg(test)]
mod tests;
