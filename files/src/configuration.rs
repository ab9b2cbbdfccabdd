//! Configuration files.

use std::io;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

/// Why a configuration file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigurationError {
    #[error("cannot read the configuration {path}: {source}")]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{path}, line {line}: {message}")]
    Invalid { path: PathBuf, line: usize, message: String },
}

/// Reads a file of TOML.
///
/// # Errors
/// Where it cannot be read, is not TOML, or has a key or value that is not ours, with its line.
pub fn read<T: DeserializeOwned>(path: &Path) -> Result<T, ConfigurationError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| ConfigurationError::Unreadable { path: path.into(), source })?;
    toml::from_str(&text).map_err(|error| ConfigurationError::Invalid {
        path: path.into(),
        line: error.span().map_or(1, |span| line(&text, span.start)),
        message: error.message().replace('\n', " "),
    })
}

/// The number of the line that a byte is in, from 1.
#[must_use]
pub fn line(text: &str, at: usize) -> usize {
    1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Options {
        #[expect(dead_code, reason = "it is only read")]
        interval: String,
    }

    #[test]
    fn an_error_names_the_file_and_the_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("apus.toml");
        let error = read::<Options>(&path).unwrap_err().to_string();
        assert!(error.contains("apus.toml"), "{error}");
        std::fs::write(&path, "interval = \"60s\"\n\nintervall = \"60s\"\n").unwrap();
        let error = read::<Options>(&path).unwrap_err().to_string();
        assert!(error.contains("apus.toml, line 3: ") && error.contains("intervall"), "{error}");
    }
}
