//! Where the programs under test are.

use std::env;
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};

/// The program that `variable` names, or the one called `name` beside this one; a test is a folder deeper.
pub fn find(variable: &str, name: &str) -> Result<PathBuf> {
    let program = match env::var_os(variable) {
        Some(program) => program.into(),
        None => {
            let this = env::current_exe().context("cannot find this program's own folder")?;
            let beside = this.with_file_name(name);
            let above = this.parent().map_or_else(|| beside.clone(), |folder| folder.with_file_name(name));
            if beside.exists() { beside } else { above }
        }
    };
    ensure!(
        program.exists(),
        "there is no {}: `cargo xtask` builds it, and says so in {variable}",
        program.display()
    );
    Ok(program)
}
