//! The `[spool]` table of the configuration, and its flags.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use files::values::{deserialize_duration, parse_duration};
use serde::Deserialize;

use crate::spool::{LEAST_BYTES, Limits};

/// At a sensor of a few addresses the flows of years; the counts alone need some kilobytes each interval.
const DEFAULT_BYTES: u64 = 4 << 30;
const DEFAULT_AGE: Duration = Duration::from_hours(30 * 24);

/// The table's keys.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct SpoolOptions {
    pub folder: Option<PathBuf>,
    pub max_bytes: Option<u64>,
    #[serde(deserialize_with = "deserialize_duration")]
    pub max_age: Option<Duration>,
}

/// Flags about the spool.
#[derive(Args, Clone, Debug, Default)]
pub struct SpoolFlags {
    /// Keep every interval in this folder until a collector has stored it
    #[arg(long, value_name = "FOLDER")]
    pub spool: Option<PathBuf>,
    /// Bytes that the spool may take; beyond them flows go first, then counts of old intervals become one [default: 4 GiB]
    #[arg(long, value_name = "BYTES")]
    pub spool_bytes: Option<u64>,
    /// How long flows are kept at most, such as 72h [default: 720h]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub spool_age: Option<Duration>,
}

impl SpoolFlags {
    /// The same as options; none where no flag is given.
    #[must_use]
    pub fn options(&self) -> Option<SpoolOptions> {
        let Self { spool, spool_bytes, spool_age } = self.clone();
        let options = SpoolOptions { folder: spool, max_bytes: spool_bytes, max_age: spool_age };
        (options != SpoolOptions::default()).then_some(options)
    }
}

/// The spool, complete and checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpoolSettings {
    pub folder: PathBuf,
    pub max_bytes: u64,
    pub max_age: Duration,
}

impl SpoolSettings {
    /// How much it keeps.
    #[must_use]
    pub const fn limits(&self) -> Limits {
        Limits { max_bytes: self.max_bytes, max_age: self.max_age }
    }
}

/// Why the table cannot be followed.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SpoolOptionsError {
    #[error("[spool] has no folder: name one there, or with --spool FOLDER")]
    NoFolder,
    #[error("[spool] max_bytes is {0}: {LEAST_BYTES} is the least")]
    Bytes(u64),
    #[error("[spool] max_age is nothing: no flow would ever be kept")]
    Age,
}

impl SpoolOptions {
    /// These options, and those of `other` where these have none.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            folder: self.folder.or(other.folder),
            max_bytes: self.max_bytes.or(other.max_bytes),
            max_age: self.max_age.or(other.max_age),
        }
    }

    /// Fills in the defaults and checks the whole.
    ///
    /// # Errors
    /// Where there is no folder, or no room would be left in it.
    pub fn resolve(self) -> Result<SpoolSettings, SpoolOptionsError> {
        let settings = SpoolSettings {
            folder: self.folder.ok_or(SpoolOptionsError::NoFolder)?,
            max_bytes: self.max_bytes.unwrap_or(DEFAULT_BYTES),
            max_age: self.max_age.unwrap_or(DEFAULT_AGE),
        };
        if settings.max_bytes < LEAST_BYTES {
            return Err(SpoolOptionsError::Bytes(settings.max_bytes));
        }
        if settings.max_age == Duration::ZERO {
            return Err(SpoolOptionsError::Age);
        }
        Ok(settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_or_too_small_is_refused() {
        let folder = Some(PathBuf::from("/spool"));
        let options =
            |max_bytes, max_age| SpoolOptions { folder: folder.clone(), max_bytes, max_age }.resolve();
        assert_eq!(SpoolOptions::default().resolve(), Err(SpoolOptionsError::NoFolder));
        assert_eq!(options(Some(1_000), None), Err(SpoolOptionsError::Bytes(1_000)));
        assert_eq!(options(None, Some(Duration::ZERO)), Err(SpoolOptionsError::Age));
        assert_eq!(options(None, None).unwrap().max_bytes, DEFAULT_BYTES);
    }
}
