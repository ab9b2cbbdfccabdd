//! Batches that were refused, kept for a person to look at.
//!
//! A folder with two files for each: `20260102T030405Z-tokyo-1-0123456789abcdef.batch`, as it came, and the same with
//! `.json`, which says why. Each sensor has its share, and its own oldest make room for its youngest, so that nobody
//! fills the disk or pushes out what others have sent.

use std::collections::HashMap;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use files::part::{self, PART};
use jiff::Timestamp;
use rustls::crypto::ring::cipher_suite::TLS13_AES_128_GCM_SHA256;
use serde::Serialize;

use crate::file_name;

pub const BATCH: &str = ".batch";
const REASON: &str = ".json";
/// What a file takes a multiple of.
const BLOCK: u64 = 4096;

/// Where, and how much.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AsideSettings {
    pub folder: PathBuf,
    /// All batches together.
    pub bytes: u64,
    /// Those of one sensor.
    pub bytes_per_sensor: u64,
    pub batches_per_sensor: u64,
}

/// Why a batch is kept.
#[derive(Clone, Debug, Serialize)]
pub struct Reason<'a> {
    /// When it came, by this host's clock.
    pub arrived: Timestamp,
    /// Whose certificate it came with.
    pub sensor: &'a str,
    /// Where it came from.
    pub peer: String,
    /// See [`crate::validate::Word`].
    pub word: &'a str,
    pub reason: &'a str,
    /// When it was sent, by the sensor's clock, in nanoseconds since the Unix epoch.
    pub sent: Option<u64>,
}

#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    reason: &'a Reason<'a>,
    bytes: usize,
    sha256: String,
}

/// What became of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    Now(PathBuf),
    /// The same batch of the same sensor is there.
    Before,
    /// There is no room, and what is there is others'.
    Nowhere,
}

/// The folder.
#[derive(Debug)]
pub struct Aside {
    settings: AsideSettings,
    kept: Mutex<HashMap<String, Vec<Entry>>>,
}

/// A batch and its reason, or one of them, where a person has removed the other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    /// Begins with the time, so that the oldest comes first.
    stem: String,
    bytes: u64,
}

impl Aside {
    /// Opens the folder, made where it is not there, for its owner alone.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn open(settings: AsideSettings) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(&settings.folder)?;
        for entry in fs::read_dir(&settings.folder)? {
            let path = entry?.path();
            // Left by a process that was killed.
            if path.to_string_lossy().ends_with(PART) {
                fs::remove_file(path)?;
            }
        }
        let kept = Mutex::new(list(&settings.folder)?);
        Ok(Self { settings, kept })
    }

    /// Keeps a batch. It is safe on disk when this returns.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn keep(&self, bytes: &[u8], reason: &Reason<'_>) -> io::Result<Kept> {
        let sensor = file_name::escape(reason.sensor);
        let sha256 = sha256(bytes);
        let hash = sha256.get(..16).unwrap_or_default().to_owned();
        let document = serde_json::to_vec_pretty(&Document { reason, bytes: bytes.len(), sha256 })?;
        let size = room(bytes.len() as u64).saturating_add(room(document.len() as u64));
        // One at a time: refusals are rare, and a disk has one arm.
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_kept(&mut kept, &sensor, &hash)? {
            return Ok(Kept::Before);
        }
        if !self.has_room(&kept, &sensor, size) {
            // A person may have cleaned up.
            *kept = list(&self.settings.folder)?;
        }
        if !self.can_have_room(&kept, &sensor, size) {
            // All of its own would be lost for nothing.
            return Ok(Kept::Nowhere);
        }
        while !self.has_room(&kept, &sensor, size) {
            let Some(mine) = kept.get_mut(&sensor).filter(|mine| !mine.is_empty()) else {
                return Ok(Kept::Nowhere);
            };
            let oldest = mine.remove(0);
            self.remove(&oldest)?;
        }
        let stem = format!("{}-{sensor}-{hash}", reason.arrived.strftime("%Y%m%dT%H%M%SZ"));
        let path = self.path(&stem, BATCH);
        let entry = Entry { stem, bytes: size };
        let written = part::replace(&self.path(&entry.stem, REASON), &[&document], 0o600)
            .and_then(|()| part::replace(&path, &[bytes], 0o600));
        if let Err(error) = written {
            // The reason of what is not there explains nothing.
            let _first_error_counts = self.remove(&entry);
            return Err(error);
        }
        let mine = kept.entry(sensor).or_default();
        mine.push(entry);
        mine.sort();
        Ok(Kept::Now(path))
    }

    /// Whether the same batch is there. What a person has removed is forgotten.
    fn is_kept(&self, kept: &mut HashMap<String, Vec<Entry>>, sensor: &str, hash: &str) -> io::Result<bool> {
        let Some(mine) = kept.get_mut(sensor) else { return Ok(false) };
        while let Some(place) = mine.iter().position(|entry| entry.stem.ends_with(hash)) {
            if self.path(&mine[place].stem, BATCH).try_exists()? {
                return Ok(true);
            }
            let entry = mine.remove(place);
            self.remove(&entry)?;
        }
        Ok(false)
    }

    /// Removes both files, each whatever becomes of the other.
    fn remove(&self, entry: &Entry) -> io::Result<()> {
        let [batch, reason] = [BATCH, REASON].map(|ending| {
            let removed = fs::remove_file(self.path(&entry.stem, ending));
            removed.or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
        });
        batch.and(reason)
    }

    /// Whether there would be room if all of this sensor's were gone.
    fn can_have_room(&self, kept: &HashMap<String, Vec<Entry>>, sensor: &str, size: u64) -> bool {
        let others = kept.iter().filter(|(known, _)| *known != sensor);
        let of_others: u64 = others.map(|(_, entries)| sum(entries)).sum();
        self.settings.batches_per_sensor > 0
            && size <= self.settings.bytes_per_sensor
            && of_others.saturating_add(size) <= self.settings.bytes
    }

    fn has_room(&self, kept: &HashMap<String, Vec<Entry>>, sensor: &str, size: u64) -> bool {
        let mine = kept.get(sensor).map(Vec::as_slice).unwrap_or_default();
        let of_all: u64 = kept.values().map(|entries| sum(entries)).sum();
        (mine.len() as u64) < self.settings.batches_per_sensor
            && sum(mine).saturating_add(size) <= self.settings.bytes_per_sensor
            && of_all.saturating_add(size) <= self.settings.bytes
    }

    fn path(&self, stem: &str, ending: &str) -> PathBuf {
        self.settings.folder.join(format!("{stem}{ending}"))
    }
}

fn sum(entries: &[Entry]) -> u64 {
    entries.iter().map(|entry| entry.bytes).sum()
}

/// What a file takes of the disk.
const fn room(bytes: u64) -> u64 {
    bytes.div_ceil(BLOCK).saturating_mul(BLOCK)
}

/// What is in the folder, by sensor, the oldest first. Files with names that are not of our making are not ours.
fn list(folder: &Path) -> io::Result<HashMap<String, Vec<Entry>>> {
    let mut kept: HashMap<String, Vec<Entry>> = HashMap::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        let Some(stem) = name.strip_suffix(BATCH).or_else(|| name.strip_suffix(REASON)) else { continue };
        let Some((_, rest)) = stem.split_once('-') else { continue };
        let Some((sensor, _)) = rest.rsplit_once('-') else { continue };
        let bytes = room(entry.metadata()?.len());
        kept.entry(sensor.to_owned()).or_default().push(Entry { stem: stem.to_owned(), bytes });
    }
    for entries in kept.values_mut() {
        entries.sort();
        entries.dedup_by(|next, first| {
            let is_same = next.stem == first.stem;
            first.bytes += if is_same { next.bytes } else { 0 };
            is_same
        });
    }
    Ok(kept)
}

/// SHA-256, in hexadecimal digits.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    let digest = TLS13_AES_128_GCM_SHA256.tls13().map(|suite| suite.common.hash_provider.hash(bytes));
    digest.iter().flat_map(|digest| digest.as_ref()).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
