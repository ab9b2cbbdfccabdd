//! Another build of the sensor's object, to be measured beside the one that the bench has in it.

use std::fs;
use std::path::PathBuf;
use std::str::FromStr;

use anyhow::{Context as _, Result};

/// Where the object is, and what to call it.
#[derive(Clone)]
pub struct OtherBuild {
    name: String,
    path: PathBuf,
}

impl FromStr for OtherBuild {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('=') {
            Some((name, path)) if !name.is_empty() && !path.is_empty() => {
                Ok(Self { name: name.into(), path: path.into() })
            }
            _ => Err("a name and the object's path are expected, as NAME=PATH"),
        }
    }
}

impl OtherBuild {
    /// The object's bytes.
    pub fn read(&self) -> Result<Vec<u8>> {
        fs::read(&self.path).with_context(|| format!("cannot read {}", self.path.display()))
    }

    /// What to call a variant of this kind.
    pub fn label(&self, kind: &str) -> String {
        format!("{kind} {}", self.name)
    }

    /// Says which file an error is about.
    pub fn explain<T>(&self, result: Result<T>) -> Result<T> {
        result.with_context(|| format!("cannot measure {}", self.path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::OtherBuild;

    #[test]
    fn a_name_and_a_path_are_both_needed() {
        let build: OtherBuild = "words=/tmp/a=b".parse().expect("both are there");
        assert_eq!(build.label("sensor"), "sensor words");
        assert_eq!(build.path.to_str(), Some("/tmp/a=b"));
        for text in ["", "words", "words=", "=/tmp/sensor"] {
            assert!(text.parse::<OtherBuild>().is_err(), "{text:?}");
        }
    }
}
