//! Flows as the agent writes them: CSV, of which no value has a comma or a quote.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};

/// A row's values by the names of their columns.
pub type Rows = Vec<BTreeMap<String, String>>;

/// Reads a file of flows.
///
/// # Errors
/// Where it is none.
pub fn read(path: &Path) -> Result<Rows> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().context("a file without names of columns")?.split(',').collect();
    lines
        .map(|line| {
            let values: Vec<&str> = line.split(',').collect();
            ensure!(
                values.len() == names.len(),
                "{} values for {} columns: {line}",
                values.len(),
                names.len()
            );
            Ok(names.iter().zip(values).map(|(name, value)| ((*name).to_owned(), value.to_owned())).collect())
        })
        .collect()
}
