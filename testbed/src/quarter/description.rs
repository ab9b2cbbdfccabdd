//! A quarter as `tests/quarters/*.toml` describes it: what was published of it, and traffic that comes to that.

mod check;
mod error;
mod model;
mod service;
#[cfg(test)]
mod tests;

use std::fs;
use std::path::{Path, PathBuf};

use files::configuration::line;

pub use error::DescriptionError;
pub use model::{
    Change, Description, Finding, Group, PublishedPort, PublishedRegion, Signature, Traffic, Unusual,
};
pub use service::{Class, Service};

/// Where descriptions are, unless another folder is named.
pub const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/quarters");

/// The ending of a description's file, whose stem is the quarter.
const ENDING: &str = "toml";

impl Description {
    /// Reads a file.
    ///
    /// # Errors
    /// Where it cannot be read or understood, or contradicts itself; with the line.
    pub fn read(path: &Path) -> Result<Self, DescriptionError> {
        let text = fs::read_to_string(path)
            .map_err(|source| DescriptionError::Read { path: path.to_owned(), source })?;
        Self::parse(&text, path)
    }

    /// The same of a text; `path` is for errors.
    ///
    /// # Errors
    /// As [`Description::read`].
    pub fn parse(text: &str, path: &Path) -> Result<Self, DescriptionError> {
        let wrong = |span: Option<std::ops::Range<usize>>, what: String| DescriptionError::Wrong {
            path: path.to_owned(),
            line: span.map_or(1, |span| line(text, span.start)),
            what,
        };
        let description: Self =
            toml::from_str(text).map_err(|error| wrong(error.span(), error.message().to_owned()))?;
        check::check(&description).map_err(|fault| wrong(fault.span, fault.what))?;
        Ok(description)
    }
}

/// The files of a folder that are meant: one quarter's, or all, oldest first.
///
/// # Errors
/// Where there is none.
pub fn find(folder: &Path, quarter: &str) -> Result<Vec<PathBuf>, DescriptionError> {
    let failed = |source| DescriptionError::Read { path: folder.to_owned(), source };
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|ending| ending == ENDING) {
            all.push(path);
        }
    }
    all.sort();
    let stem = |path: &PathBuf| path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let known = all.iter().filter_map(stem).collect::<Vec<_>>().join(", ");
    all.retain(|path| quarter == "all" || stem(path).is_some_and(|stem| stem.eq_ignore_ascii_case(quarter)));
    if all.is_empty() {
        return Err(DescriptionError::Unknown { quarter: quarter.into(), folder: folder.to_owned(), known });
    }
    Ok(all)
}
