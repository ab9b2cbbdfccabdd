//! `bench document`: the tables of `docs/performance.md`, from the newest results.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Args;

use crate::results::{document, newest};

/// Writes the tables of docs/performance.md from the newest results, and their page anew
#[derive(Args)]
pub struct Arguments {
    /// Folder of results
    #[arg(long, value_name = "FOLDER", default_value = "bench/results")]
    results: PathBuf,
    /// The document with marked tables
    #[arg(long, value_name = "FILE", default_value = "docs/performance.md")]
    document: PathBuf,
}

pub fn run(Arguments { results: folder, document: path }: &Arguments) -> Result<()> {
    let found = newest(folder)?;
    let (file, results) = found.with_context(|| {
        format!("there are no results in {}: `cargo xtask bench all` makes them", folder.display())
    })?;
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let written = document::rewritten(&text, &results).with_context(|| path.display().to_string())?;
    files::part::replace(path, &[written.as_bytes()], 0o644)
        .with_context(|| format!("cannot write {}", path.display()))?;
    let page = results.write_page(&file)?;
    println!("{} and {} are written from {}", path.display(), page.display(), file.display());
    Ok(())
}
