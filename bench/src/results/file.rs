//! Results on the disk.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{Results, machine, page};

/// Why results cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("cannot {doing} {path}: {source}")]
    Io { doing: &'static str, path: PathBuf, source: io::Error },
    #[error("{path}, line {line}: no results of `bench all`: {source}; remove the file, or measure again")]
    Invalid { path: PathBuf, line: usize, source: serde_json::Error },
    #[error("results cannot be written as JSON: {0}")]
    NotWritable(serde_json::Error),
}

impl FileError {
    fn io(doing: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io { doing, path: path.into(), source }
    }
}

fn replace(path: &Path, text: &str) -> Result<(), FileError> {
    files::part::replace(path, &[text.as_bytes()], 0o644)
        .map_err(|source| FileError::io("write", path, source))
}

impl Results {
    /// `<date>-<host>`; a quick run does not replace one that took its time, nor a part one of all.
    fn file_name(&self) -> String {
        let date = self.begun.get(..10).unwrap_or(&self.begun);
        let quick = if self.is_quick { "-quick" } else { "" };
        let part = if self.is_part { "-part" } else { "" };
        format!("{date}-{}{quick}{part}", machine::host())
    }

    /// Writes the file, and the page beside it. Those of the same day and host are replaced.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn write(&self, folder: &Path) -> Result<[PathBuf; 2], FileError> {
        fs::create_dir_all(folder).map_err(|source| FileError::io("make", folder, source))?;
        let mut json = serde_json::to_string_pretty(self).map_err(FileError::NotWritable)?;
        json.push('\n');
        let path = folder.join(format!("{}.json", self.file_name()));
        replace(&path, &json)?;
        let page = self.write_page(&path)?;
        Ok([path, page])
    }

    /// Writes the page beside a file of results.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn write_page(&self, file: &Path) -> Result<PathBuf, FileError> {
        let path = file.with_extension("html");
        replace(&path, &page(self))?;
        Ok(path)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// Where it cannot be read, or is none.
    pub fn read(path: &Path) -> Result<Self, FileError> {
        let text = fs::read_to_string(path).map_err(|source| FileError::io("read", path, source))?;
        serde_json::from_str(&text).map_err(|source| FileError::Invalid {
            path: path.into(),
            line: source.line(),
            source,
        })
    }
}

/// The newest results in a folder, where there are any: a quick run's only where all are. Parts are none.
///
/// # Errors
/// Where the folder, or a file in it, cannot be read.
pub fn newest(folder: &Path) -> Result<Option<(PathBuf, Results)>, FileError> {
    let io = |source| FileError::io("read", folder, source);
    let mut found = Vec::new();
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        entries => entries.map_err(io)?,
    };
    for entry in entries {
        let path = entry.map_err(io)?.path();
        if path.extension().is_some_and(|ending| ending == "json") {
            let results = Results::read(&path)?;
            if !results.is_part {
                found.push((path, results));
            }
        }
    }
    let age = |(path, results): &(PathBuf, Results)| (!results.is_quick, results.begun.clone(), path.clone());
    Ok(found.into_iter().max_by_key(age))
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;

    #[test]
    fn what_is_written_is_read_and_the_newest_is_found() {
        let folder = tempfile::tempdir().unwrap();
        assert!(newest(&folder.path().join("absent")).unwrap().is_none());
        let older = testing::results();
        let [json, html] = older.write(folder.path()).unwrap();
        assert_eq!(Results::read(&json).unwrap(), older);
        assert!(fs::read_to_string(html).unwrap().starts_with("<!DOCTYPE html>"));
        let quick = Results { begun: "2026-03-03T00:00:00Z".into(), is_quick: true, ..older.clone() };
        quick.write(folder.path()).unwrap();
        assert_eq!(newest(folder.path()).unwrap().unwrap().1, older);
        let part = Results { begun: "2026-03-04T00:00:00Z".into(), is_part: true, ..older.clone() };
        let [path, _] = part.write(folder.path()).unwrap();
        assert!(path.to_str().unwrap().ends_with("-part.json"), "{}", path.display());
        assert_eq!(newest(folder.path()).unwrap().unwrap().1, older);
        let newer = Results { begun: "2026-03-02T00:00:00Z".into(), ..older };
        let [path, _] = newer.write(folder.path()).unwrap();
        assert_eq!(newest(folder.path()).unwrap().unwrap(), (path, newer));
    }

    #[test]
    fn a_file_that_is_none_is_named_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("2026-01-01-x.json"), "{\n  \"begun\": 3\n}").unwrap();
        let error = newest(folder.path()).unwrap_err().to_string();
        assert!(error.contains("2026-01-01-x.json, line 2:"), "{error}");
    }
}
