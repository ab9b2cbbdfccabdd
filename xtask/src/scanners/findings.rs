//! What the sensor counts of a capture, against what must be in it.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::scan::Scan;

/// Columns of the table, and where they are in the sensor's document.
const COLUMNS: [(&str, &str); 8] = [
    ("packets", "/packets"),
    ("scan", "/tcp/classes/scan"),
    ("synack", "/tcp/classes/backscatter_syn_ack"),
    ("rst", "/tcp/classes/backscatter_rst"),
    ("mirai", "/signatures/mirai/packets"),
    ("zmap", "/signatures/zmap/packets"),
    ("masscan", "/signatures/masscan/packets"),
    ("5656", "/signatures/window/5656"),
];

/// The sensor's document of a capture.
pub fn replay(sensor: &Path, capture: &Path) -> Result<Value> {
    let mut command = Command::new(sensor);
    let output = command.args(["replay", "--json"]).arg(capture).output();
    let output = output.with_context(|| format!("cannot start {}", sensor.display()))?;
    let words = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{}: {}, {}", capture.display(), output.status, words.trim());
    serde_json::from_slice(&output.stdout).context("the sensor's document is not JSON")
}

/// A count of the document; what is not in it is zero.
fn count(document: &Value, pointer: &str) -> u64 {
    document.pointer(pointer).and_then(Value::as_u64).unwrap_or(0)
}

/// Everything that must be found and is not.
pub fn missing(scan: &Scan, document: &Value) -> Vec<String> {
    let counted = scan.finds.iter().map(|(pointer, packets)| (pointer, packets, count(document, pointer)));
    let wrong = counted.filter(|(_, packets, counted)| *packets != counted);
    wrong.map(|(pointer, packets, counted)| format!("{pointer} is {counted}, not {packets}")).collect()
}

pub fn head() -> String {
    let columns: String = COLUMNS.iter().map(|(title, _)| format!("{title:>9}")).collect();
    format!("{:<18}{:>7}{columns}", "capture", "bytes")
}

pub fn row(scan: &Scan, size: u64, document: &Value) -> String {
    let columns: String =
        COLUMNS.iter().map(|(_, pointer)| format!("{:>9}", count(document, pointer))).collect();
    format!("{:<18}{size:>7}{columns}", scan.name)
}
