//! The table of `docs/metrics.md`, made from the registry.

use std::path::{Path, PathBuf};

use super::registry::{self, Metric};

const BEGIN: &str = "<!-- made from the registry: begin -->\n";
const END: &str = "<!-- made from the registry: end -->\n";

fn table() -> String {
    let mut table = String::from("| metric | kind | unit | labels | what it is |\n|---|---|---|---|---|\n");
    for metric in registry::all() {
        let Metric { name, help, kind, unit, labels, .. } = metric;
        let labels: Vec<String> = labels.iter().map(|label| format!("`{label}`")).collect();
        let (kind, unit, labels) = (kind.name(), unit.words(), labels.join(", "));
        table.push_str(&format!("| `{name}` | {kind} | {unit} | {labels} | {help} |\n"));
    }
    table
}

fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/metrics.md")
}

/// With `APUS_WRITE_DOCS=1` in the environment it is made current instead.
#[test]
fn the_table_in_the_documentation_is_current() {
    let text = std::fs::read_to_string(page()).unwrap();
    let (before, rest) = text.split_once(BEGIN).expect("the table's begin");
    let (written, after) = rest.split_once(END).expect("the table's end");
    if std::env::var_os("APUS_WRITE_DOCS").is_some() {
        std::fs::write(page(), format!("{before}{BEGIN}{}{END}{after}", table())).unwrap();
        return;
    }
    assert_eq!(written, table(), "run this test with APUS_WRITE_DOCS=1, and look at what has changed");
}
