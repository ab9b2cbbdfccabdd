//! The store: how batches are grouped, and how long what is kept.

use serde::{Deserialize, Deserializer};

use super::ConfigError;
use crate::committer::CommitSettings;
use crate::retention::Retention;

/// Pages of the store that are kept in memory.
const DEFAULT_CACHE: u64 = 256 << 20;
const LEAST_CACHE: u64 = 1 << 20;
/// Longer than this a sensor would not wait for its answer.
const LONGEST_COMMIT: f64 = 30.0;
const LEAST_HOUR_DAYS: u32 = 3;

/// Table `store`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StoreOptions {
    pub commit_seconds: Option<f64>,
    pub cache_bytes: Option<u64>,
    pub flow_days: Option<Days>,
    pub counter_days: Option<Days>,
    pub rollup_days: Option<Days>,
    pub hour_days: Option<Days>,
}

/// A number of days, or `"forever"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Days(pub Option<u32>);

impl<'de> Deserialize<'de> for Days {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Number(u32),
            Word(String),
        }
        match Written::deserialize(deserializer) {
            Ok(Written::Number(days)) => Ok(Self(Some(days))),
            Ok(Written::Word(word)) if word == "forever" => Ok(Self(None)),
            _ => Err(serde::de::Error::custom("a number of days such as 30, or \"forever\", is expected")),
        }
    }
}

/// The store, complete and checked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StoreSettings {
    /// Bytes of pages in memory.
    pub cache_bytes: u64,
    /// Whether rows of flows are kept besides their sums.
    pub keep_flows: bool,
    /// Days that sums by hour are kept.
    pub hour_days: Option<u32>,
    pub commit: CommitSettings,
}

impl StoreSettings {
    /// The same for who only adds to a store: what is in it stays, whoever's configuration that one has read.
    #[must_use]
    pub fn adding(self) -> Self {
        // One after the other: there is nothing to wait for.
        let commit = CommitSettings { retention: Retention::FOREVER, commit_seconds: 0.0, ..self.commit };
        Self { commit, ..self }
    }
}

impl StoreOptions {
    /// These options, and those of `other` where these have none.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            commit_seconds: self.commit_seconds.or(other.commit_seconds),
            cache_bytes: self.cache_bytes.or(other.cache_bytes),
            flow_days: self.flow_days.or(other.flow_days),
            counter_days: self.counter_days.or(other.counter_days),
            rollup_days: self.rollup_days.or(other.rollup_days),
            hour_days: self.hour_days.or(other.hour_days),
        }
    }

    /// Fills in the defaults and checks them.
    ///
    /// # Errors
    /// Where a number cannot be meant.
    pub fn resolve(self) -> Result<StoreSettings, ConfigError> {
        let defaults = CommitSettings::default();
        let commit_seconds = self.commit_seconds.unwrap_or(defaults.commit_seconds);
        if !(0.0..=LONGEST_COMMIT).contains(&commit_seconds) {
            return Err(ConfigError::CommitSeconds(commit_seconds));
        }
        let cache_bytes = self.cache_bytes.unwrap_or(DEFAULT_CACHE);
        if cache_bytes < LEAST_CACHE {
            let (value, least) = (cache_bytes.to_string(), LEAST_CACHE.to_string());
            return Err(ConfigError::TooSmall { name: "store.cache_bytes", value, least, reason: "" });
        }
        let days = |days: Option<Days>, otherwise| days.map_or(otherwise, |Days(days)| days);
        let retention = Retention {
            flow_days: days(self.flow_days, defaults.retention.flow_days),
            counter_days: days(self.counter_days, defaults.retention.counter_days),
            rollup_days: days(self.rollup_days, defaults.retention.rollup_days),
            hour_days: days(self.hour_days, defaults.retention.hour_days),
        };
        if let Some(days) = retention.hour_days.filter(|days| *days < LEAST_HOUR_DAYS) {
            let (value, least) = (days.to_string(), LEAST_HOUR_DAYS.to_string());
            let reason = ": the page's last 24 hours are of two days, and batches come late";
            return Err(ConfigError::TooSmall { name: "store.hour_days", value, least, reason });
        }
        Ok(StoreSettings {
            cache_bytes,
            keep_flows: retention.keeps_flows(),
            hour_days: retention.hour_days,
            commit: CommitSettings { commit_seconds, retention, ..defaults },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(text: &str) -> Result<StoreSettings, String> {
        let options: StoreOptions = toml::from_str(text).map_err(|error| error.to_string())?;
        options.resolve().map_err(|error| error.to_string())
    }

    #[test]
    fn days_are_numbers_or_for_ever() {
        let settings = resolved("flow_days = 0\ncounter_days = \"forever\"\nrollup_days = 7").unwrap();
        let expected = Retention {
            flow_days: Some(0),
            counter_days: None,
            rollup_days: Some(7),
            ..Retention::default()
        };
        assert_eq!(settings.commit.retention, expected);
        assert_eq!(resolved("").unwrap().commit.retention, Retention::default());
        assert!(!settings.keep_flows && resolved("").unwrap().keep_flows);
        // An import keeps its flows or not as configured, and removes nothing.
        let adding = settings.adding();
        assert_eq!((adding.commit.retention, adding.keep_flows), (Retention::FOREVER, false));
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for (text, words) in [
            ("flow_days = \"never\"", "forever"),
            ("flow_days = -1", "forever"),
            ("commit_seconds = 31.0", "commit_seconds"),
            ("hour_days = 1", "store.hour_days"),
            ("commit_seconds = nan", "commit_seconds"),
            ("cache_bytes = 1", "store.cache_bytes"),
            ("days = 1", "days"),
        ] {
            let error = resolved(text).unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
