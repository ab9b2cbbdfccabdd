//! Which files are captures.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

const EXTENSIONS: [&str; 3] = ["pcap", "pcapng", "cap"];

/// Every capture that was named, and every one below the folders that were, in order of name.
pub fn find(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut captures = Vec::new();
    for path in paths {
        let before = captures.len();
        if path.is_dir() {
            search(path, &mut captures)?;
        } else {
            fs::metadata(path).with_context(|| format!("cannot find {}", path.display()))?;
            captures.push(path.clone());
        }
        let found = captures.len() > before;
        ensure!(found, "no capture (.pcap, .pcapng, .cap) in {}", path.display());
    }
    captures.sort();
    captures.dedup();
    Ok(captures)
}

fn search(folder: &Path, captures: &mut Vec<PathBuf>) -> Result<()> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot look into {}", folder.display()))?;
    for entry in entries {
        let entry = entry.with_context(|| format!("cannot look into {}", folder.display()))?;
        let (path, kind) = (entry.path(), entry.file_type());
        // Links are not followed to folders: they may lead in circles.
        if kind.is_ok_and(|kind| kind.is_dir()) {
            search(&path, captures)?;
        } else if path.is_file() && is_capture(&path) {
            captures.push(path);
        }
    }
    Ok(())
}

pub fn is_capture(path: &Path) -> bool {
    path.extension().is_some_and(|found| EXTENSIONS.iter().any(|known| found.eq_ignore_ascii_case(known)))
}
