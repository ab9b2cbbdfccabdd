//! Flows compared, row by row and column by column.

use std::collections::BTreeSet;

use super::collect::TARGETS_KEPT;
use super::{Key, Schema, Table};
use crate::oracle::counters::Difference;

/// Of a sketch of 256 registers: 1.04 / √256. Its seed is random, so five of them are allowed, which
/// fails by chance once in a million flows of so many targets.
const STANDARD_ERROR: f64 = 0.065;
const STANDARD_ERRORS: f64 = 5.0;

/// Rows of which it is told how they differ. The rest of them are counted.
const ROWS_TOLD: usize = 20;

/// Every column that is not the same in both.
pub fn differences(schema: &Schema, apus: &Table, tshark: &Table) -> Vec<Difference> {
    let keys: BTreeSet<&Key> = apus.keys().chain(tshark.keys()).collect();
    let (mut differences, mut rows) = (Vec::new(), 0);
    for key in keys {
        let of_row = of_row(schema, key, apus.get(key), tshark.get(key));
        if !of_row.is_empty() {
            rows += 1;
            if rows <= ROWS_TOLD {
                differences.extend(of_row);
            }
        }
    }
    if rows > ROWS_TOLD {
        let what = format!("flows by {} that differ, in all", schema.flow_key);
        let [apus, tshark] = [apus, tshark].map(|table| format!("{rows} of {}", table.len()));
        differences.push(Difference { what, apus, tshark });
    }
    differences
}

fn of_row(
    schema: &Schema,
    key: &Key,
    apus: Option<&Vec<String>>,
    tshark: Option<&Vec<String>>,
) -> Vec<Difference> {
    let name = name(schema, key);
    let (Some(ours), Some(theirs)) = (apus, tshark) else {
        let text = |row: Option<&Vec<String>>| row.map_or("no such flow".to_owned(), |row| row.join(","));
        return vec![Difference { what: name, apus: text(apus), tshark: text(tshark) }];
    };
    let columns = schema.values.iter().zip(ours.iter().zip(theirs));
    columns
        .filter(|(column, (ours, theirs))| !agree(column, ours, theirs))
        .map(|(column, (ours, theirs))| Difference {
            what: format!("{name} {column}"),
            apus: ours.clone(),
            tshark: theirs.clone(),
        })
        .collect()
}

/// A flow by what of its key is not absent.
fn name(schema: &Schema, key: &Key) -> String {
    let mut name = format!("flow by {}:", schema.flow_key);
    for (column, text) in schema.keys.iter().zip(key).filter(|(_, text)| !text.is_empty()) {
        name += &format!(" {column}={text}");
    }
    name
}

fn agree(column: &str, ours: &str, theirs: &str) -> bool {
    if column != "targets" {
        return ours == theirs;
    }
    let (Ok(ours), Ok(theirs)) = (ours.parse::<u32>(), theirs.parse::<u32>()) else {
        return false;
    };
    if theirs as usize <= TARGETS_KEPT {
        return ours == theirs;
    }
    f64::from(ours.abs_diff(theirs)) <= STANDARD_ERRORS * STANDARD_ERROR * f64::from(theirs)
}
