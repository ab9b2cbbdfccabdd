//! Which versions of the table there are, and of which files.
//!
//! The folder has files, each once and never changed, and `index.json`, which is replaced as a whole. A version that is
//! in it stays as it is; what is in force on a day may become a later version.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::registry::Registry;
use super::statistics::{Fault, Statistics};
use crate::aside::sha256;
use crate::store::Day;

/// The index in its folder.
pub const INDEX: &str = "index.json";
/// What this program writes.
const FORMAT: u32 = 1;
/// Versions are below: sums in the store have 20 bits for them.
pub const MOST_VERSIONS: u32 = 1 << 20;

/// Why versions of the table cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    #[error("cannot read {}: {source}; it has to be this user's to read", .path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{} is not an index of regions that can be used: {what}; take it from a backup", .path.display())]
    Invalid { path: PathBuf, what: String },
    #[error("{}: {what}; import the same file again, or take it from a backup", .path.display())]
    Changed { path: PathBuf, what: String },
    #[error("{}, {source}", .path.display())]
    Fault { path: PathBuf, source: Fault },
}

/// All versions, by their numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Index {
    format: u32,
    pub versions: Vec<Version>,
}

impl Default for Index {
    fn default() -> Self {
        Self { format: FORMAT, versions: Vec::new() }
    }
}

/// A version of the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Version {
    pub version: u32,
    /// First day on which it is in force.
    #[serde(with = "day")]
    pub from: Day,
    /// It has each registry's newest file as of that day.
    #[serde(with = "day")]
    pub date: Day,
    /// One of a registry, by their names.
    pub files: Vec<StoredFile>,
}

/// A registry's file.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredFile {
    pub registry: Registry,
    /// The last day that it is of.
    #[serde(with = "day")]
    pub date: Day,
    pub bytes: u64,
    /// 64 digits.
    pub sha256: String,
}

mod day {
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::store::Day;

    pub fn serialize<S: Serializer>(day: &Day, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(day)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Day, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|why| serde::de::Error::custom(format!("{text:?} is not a day: {why}")))
    }
}

impl StoredFile {
    /// A file of this content.
    #[must_use]
    pub fn of(statistics: &Statistics, content: &[u8]) -> Self {
        let Statistics { registry, date, records: _ } = *statistics;
        Self { registry, date, bytes: content.len() as u64, sha256: sha256(content) }
    }

    /// Its name in the folder.
    #[must_use]
    pub fn name(&self) -> String {
        let Self { registry, date, sha256, bytes: _ } = self;
        format!("{registry}-{date}-{}.txt", sha256.get(..16).unwrap_or_default())
    }

    /// Its content, which has to be what it was.
    ///
    /// # Errors
    /// Where it cannot be read, or is another one.
    pub fn content(&self, folder: &Path) -> Result<Vec<u8>, IndexError> {
        let path = folder.join(self.name());
        match fs::read(&path) {
            Ok(content) if sha256(&content) == self.sha256 => Ok(content),
            Ok(_) => Err(IndexError::Changed { path, what: "it is not what was imported".into() }),
            Err(source) => Err(IndexError::Unreadable { path, source }),
        }
    }

    /// What is in it.
    ///
    /// # Errors
    /// As [`StoredFile::content`].
    pub fn read(&self, folder: &Path) -> Result<Statistics, IndexError> {
        let content = self.content(folder)?;
        Statistics::parse(&content)
            .map_err(|source| IndexError::Fault { path: folder.join(self.name()), source })
    }
}

impl Index {
    /// Reads the index of a folder; without any version where there is none.
    ///
    /// # Errors
    /// Where it cannot be read, is not what this program writes, or a file that it names is not there.
    pub fn read(folder: &Path) -> Result<Self, IndexError> {
        let index = Self::read_alone(folder)?;
        index.check_files(folder)?;
        Ok(index)
    }

    /// Reads the index, whatever has become of the files that it names.
    ///
    /// # Errors
    /// Where it cannot be read, or is not what this program writes.
    pub fn read_alone(folder: &Path) -> Result<Self, IndexError> {
        let path = folder.join(INDEX);
        let content = match fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            read => read.map_err(|source| IndexError::Unreadable { path: path.clone(), source })?,
        };
        let index: Self = serde_json::from_slice(&content)
            .map_err(|error| IndexError::Invalid { path: path.clone(), what: error.to_string() })?;
        index.check().map_err(|what| IndexError::Invalid { path, what })?;
        Ok(index)
    }

    /// Whether every file is there, by its size.
    fn check_files(&self, folder: &Path) -> Result<(), IndexError> {
        let mut files: Vec<&StoredFile> = self.files().collect();
        files.sort_unstable_by_key(|file| (file.registry, file.date, &file.sha256));
        files.dedup();
        for file in files {
            let path = folder.join(file.name());
            let metadata = fs::metadata(&path);
            let bytes =
                metadata.map_err(|source| IndexError::Unreadable { path: path.clone(), source })?.len();
            if bytes != file.bytes {
                let what = format!("it has {bytes} bytes, and {} were imported", file.bytes);
                return Err(IndexError::Changed { path, what });
            }
        }
        Ok(())
    }

    fn check(&self) -> Result<(), String> {
        if self.format != FORMAT {
            return Err(format!("its format is {}, this program knows {FORMAT}", self.format));
        }
        let mut last = 0;
        for Version { version, files, .. } in &self.versions {
            if *version <= last || *version >= MOST_VERSIONS {
                return Err(format!("version {version} comes after {last}"));
            }
            last = *version;
            if files.is_empty() || !files.is_sorted_by(|one, other| one.registry < other.registry) {
                return Err(format!(
                    "version {version} does not have one file of a registry, in their order"
                ));
            }
            let is_hash = |text: &str| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
            if let Some(file) = files.iter().find(|file| !is_hash(&file.sha256)) {
                return Err(format!("version {version} has a file with the hash {:?}", file.sha256));
            }
        }
        Ok(())
    }

    /// As it is written.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        // Plain structs have no form that JSON lacks.
        let mut text = serde_json::to_vec_pretty(self).unwrap_or_default();
        text.push(b'\n');
        text
    }

    /// The version in force on a day: the one that is in force from the latest day, of several the highest.
    #[must_use]
    pub fn in_force(&self, day: Day) -> Option<&Version> {
        let begun = self.versions.iter().filter(|version| version.from <= day);
        begun.max_by_key(|version| (version.from, version.version))
    }

    /// All files, in the order in which they were taken in; some more than once.
    pub fn files(&self) -> impl Iterator<Item = &StoredFile> {
        self.versions.iter().flat_map(|version| &version.files)
    }
}

/// Each registry's newest file as of a day; of several of one day the one that came last.
pub fn as_of<'a>(files: impl IntoIterator<Item = &'a StoredFile>, day: Day) -> Vec<StoredFile> {
    let mut newest: BTreeMap<Registry, &StoredFile> = BTreeMap::new();
    for file in files.into_iter().filter(|file| file.date <= day) {
        let kept = newest.entry(file.registry).or_insert(file);
        if file.date >= kept.date {
            *kept = file;
        }
    }
    newest.into_values().cloned().collect()
}
