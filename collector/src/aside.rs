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

use jiff::Timestamp;
use rustls::crypto::ring::cipher_suite::TLS13_AES_128_GCM_SHA256;
use serde::Serialize;

use crate::files;

pub const BATCH: &str = ".batch";
const REASON: &str = ".json";
/// What a file takes at least, however short: a block, and one for its reason.
const LEAST: u64 = 8192;

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
            if path.to_string_lossy().ends_with(files::PART) {
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
        let sensor = files::escape(reason.sensor);
        let sha256 = sha256(bytes);
        let hash = sha256.get(..16).unwrap_or_default().to_owned();
        let size = room(bytes.len() as u64);
        // One at a time: refusals are rare, and a disk has one arm.
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.get(&sensor).is_some_and(|mine| mine.iter().any(|entry| entry.stem.ends_with(&hash))) {
            return Ok(Kept::Before);
        }
        if !self.has_room(&kept, &sensor, size) {
            // A person may have cleaned up.
            *kept = list(&self.settings.folder)?;
        }
        while !self.has_room(&kept, &sensor, size) {
            let Some(mine) = kept.get_mut(&sensor).filter(|mine| !mine.is_empty()) else {
                return Ok(Kept::Nowhere);
            };
            let oldest = mine.remove(0);
            for ending in [BATCH, REASON] {
                match fs::remove_file(self.path(&oldest.stem, ending)) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    _ => {}
                }
            }
        }
        let stem = format!("{}-{sensor}-{hash}", reason.arrived.strftime("%Y%m%dT%H%M%SZ"));
        let document = serde_json::to_vec_pretty(&Document { reason, bytes: bytes.len(), sha256 })?;
        files::replace(&self.path(&stem, REASON), &document, 0o600)?;
        let path = self.path(&stem, BATCH);
        files::replace(&path, bytes, 0o600)?;
        let mine = kept.entry(sensor).or_default();
        mine.push(Entry { stem, bytes: size });
        mine.sort();
        Ok(Kept::Now(path))
    }

    fn has_room(&self, kept: &HashMap<String, Vec<Entry>>, sensor: &str, size: u64) -> bool {
        let sum = |entries: &Vec<Entry>| entries.iter().map(|entry| entry.bytes).sum::<u64>();
        let mine = kept.get(sensor);
        let of_all: u64 = kept.values().map(sum).sum();
        mine.map_or(0, |mine| mine.len() as u64) < self.settings.batches_per_sensor
            && mine.map_or(0, sum).saturating_add(size) <= self.settings.bytes_per_sensor
            && of_all.saturating_add(size) <= self.settings.bytes
    }

    fn path(&self, stem: &str, ending: &str) -> PathBuf {
        self.settings.folder.join(format!("{stem}{ending}"))
    }
}

fn room(bytes: u64) -> u64 {
    bytes.saturating_add(LEAST)
}

/// What is in the folder, by sensor, the oldest first. Files with names that are not of our making are not ours.
fn list(folder: &Path) -> io::Result<HashMap<String, Vec<Entry>>> {
    let mut kept: HashMap<String, Vec<Entry>> = HashMap::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let Some(stem) = name.to_str().and_then(|name| name.strip_suffix(BATCH)) else { continue };
        let Some((_, rest)) = stem.split_once('-') else { continue };
        let Some((sensor, _)) = rest.rsplit_once('-') else { continue };
        let bytes = room(entry.metadata()?.len());
        kept.entry(sensor.to_owned()).or_default().push(Entry { stem: stem.to_owned(), bytes });
    }
    kept.values_mut().for_each(|entries| entries.sort());
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
