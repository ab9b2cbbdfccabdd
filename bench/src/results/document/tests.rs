use std::fs;
use std::path::Path;

use proptest::prelude::*;

use super::super::{newest, testing};
use super::*;

const DOCUMENT: &str = "# Figures\n\nBefore.\n\n<!-- bench: kernel bars -->\nstale\n<!-- end -->\n\nBetween.\n\
                        <!-- bench: machine -->\n<!-- end -->\n<!-- bench: live rate -->\nold\n<!-- end -->\nAfter.\n";

#[test]
fn blocks_are_written_and_the_prose_is_left() {
    let results = testing::results();
    let written = rewritten(DOCUMENT, &results).unwrap();
    for words in [
        "# Figures\n\nBefore.\n\n<!-- bench: kernel bars -->\nTitle of bars (ns per packet; lower is better), \
         `cargo xtask bench kernel`, 2026-03-01:\n\n|  | min | median | max | rounds |\n|---|",
        "| bare drop | 17.4 | 18.8 | 21.8 | 21 |\n",
        "\n<!-- end -->\n\nBetween.\n<!-- bench: machine -->\nMeasured on 2026-03-01, on a virtual machine: A processor",
        "<!-- bench: live rate -->\nFailed: ended by signal 9\n<!-- end -->\nAfter.\n",
    ] {
        let words = words.replace("|---|", "| --- | ---: | ---: | ---: | ---: |\n");
        assert!(written.contains(&words), "no {words:?} in\n{written}");
    }
    assert_eq!(rewritten(&written, &results).unwrap(), written);
    assert_eq!(
        stale(DOCUMENT, &results).unwrap(),
        ["line 5: kernel bars", "line 10: machine", "line 12: live rate"]
    );
    assert!(stale(&written, &results).unwrap().is_empty());
}

#[test]
fn what_is_not_there_is_named_with_its_line() {
    let results = testing::results();
    let error = |text: &str| rewritten(text, &results).unwrap_err().to_string();
    let no_figure = error("\n<!-- bench: kernel above -->\n<!-- end -->\n");
    assert_eq!(no_figure, "line 2: kernel has no figure above; it has bars, lines, quantiles");
    assert!(error("<!-- bench: kernels bars -->\n<!-- end -->").contains("there are kernel, live, nic"));
    assert!(error("<!-- bench: kernel -->\n<!-- end -->").contains("line 1: `kernel`"));
    let spoken_of = "Between `<!-- bench: x -->` and `<!-- end -->` it is written.\n";
    assert_eq!(rewritten(spoken_of, &results).unwrap(), spoken_of);
    let swallowed = "<!-- bench: aims -->\n<!-- bench: machine -->\n<!-- end -->\n";
    assert_eq!(rewritten(swallowed, &results).unwrap_err(), DocumentError::NoEnd { line: 1 });
    assert_eq!(rewritten("<!-- bench: aims -->", &results).unwrap_err(), DocumentError::NoEnd { line: 1 });
}

/// Whether a document has any block.
fn has_blocks(text: &str) -> Result<bool, DocumentError> {
    Ok(parts(text)?.iter().any(|part| matches!(part, Part::Block { .. })))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_document_without_marks_stays_as_it_is(text in "[a-z<>!\\n -]{0,200}") {
        prop_assume!(!has_blocks(&text).unwrap_or(true));
        prop_assert_eq!(rewritten(&text, &testing::results()).unwrap(), text);
    }

    #[test]
    fn writing_twice_is_writing_once(before in "[a-z\\n]{0,40}", stale in "[a-z|\\n]{0,40}", after in "[a-z\\n]{0,40}") {
        let text = format!("{before}\n<!-- bench: kernel checked -->\n{stale}\n<!-- end -->\n{after}");
        let once = rewritten(&text, &testing::results()).unwrap();
        prop_assert_eq!(rewritten(&once, &testing::results()).unwrap(), once);
    }
}

/// Benchmarks of which the published document has at least a block each, measured.
const PUBLISHED: [&str; 10] =
    ["kernel", "live", "drain", "sustained", "ship", "ingest", "query", "regions", "peers", "scale"];
/// Those that may have been left out: a quick run is without the one, and a machine without a NIC without the other.
const MAY_BE_LEFT_OUT: [&str; 2] = ["outage", "nic"];

/// Comments that were to be marks and are none, with their lines. What stands in code spans is spoken of.
fn stray_marks(text: &str) -> Vec<String> {
    let spoken = |line: &str| line.split('`').step_by(2).collect::<String>();
    let is_mark = |line: &str| line.starts_with(BEGIN) && line.trim_end().ends_with(CLOSE);
    (1..)
        .zip(text.lines())
        .filter(|(_, line)| !is_mark(line))
        .filter(|(_, line)| spoken(line).split_once("<!--").is_some_and(|(_, rest)| rest.contains("bench:")))
        .map(|(number, line)| format!("line {number}: {line}"))
        .collect()
}

/// Everything for which a document is not what these results give.
fn faults(text: &str, results: &Results) -> Vec<String> {
    let mut faults = stray_marks(text);
    let parts = match parts(text) {
        Ok(parts) => parts,
        Err(error) => return [faults, vec![error.to_string()]].concat(),
    };
    let blocks = parts.iter().filter_map(|part| match part {
        Part::Block { line, what, .. } => Some((*line, what.split(' ').next().unwrap_or_default())),
        Part::Words(_) => None,
    });
    let blocks: Vec<(usize, &str)> = blocks.collect();
    for name in PUBLISHED {
        if blocks.iter().all(|(_, block)| *block != name) {
            faults.push(format!("no block of {name}"));
        }
    }
    for (line, name) in blocks {
        let outcome = results.benchmarks.iter().find(|benchmark| benchmark.name == name);
        match outcome.map(|benchmark| &benchmark.outcome) {
            Some(Outcome::Failed(reason)) => faults.push(format!("line {line}: {name} failed: {reason}")),
            Some(Outcome::LeftOut(reason)) if !MAY_BE_LEFT_OUT.contains(&name) => {
                faults.push(format!("line {line}: {name} was not measured: {reason}"));
            }
            _ => {}
        }
    }
    match stale(text, results) {
        Ok(stale) => faults.extend(stale),
        Err(error) => faults.push(error.to_string()),
    }
    faults
}

#[test]
fn a_document_without_its_blocks_or_with_broken_ones_is_faulty() {
    let results = testing::results();
    let has = |text: &str, words: &str| {
        let faults = faults(text, &results);
        assert!(faults.iter().any(|fault| fault.contains(words)), "no {words:?} in {faults:?}");
    };
    has("# Figures\n", "no block of kernel");
    has("<!-- bench: live rate -->\n<!-- end -->\n", "line 1: live failed: ended by signal 9");
    has("\n<!--bench: kernel bars -->\n", "line 2: <!--bench");
    has(" <!-- bench: kernel bars -->\n<!-- end -->\n", "line 1:  <!-- bench");
    has("<!-- bench: kernel bars -->\nstale\n<!-- end -->\n", "line 1: kernel bars");
    let spoken_of = faults("Between `<!-- bench: x -->` and `<!-- end -->`.\n", &results);
    assert!(spoken_of.iter().all(|fault| fault.starts_with("no block of")), "{spoken_of:?}");
    let left_out = faults("<!-- bench: nic rate -->\n<!-- end -->\n", &results);
    assert!(!left_out.iter().any(|fault| fault.contains("was not measured")), "{left_out:?}");
}

/// The published tables are those of the newest results.
#[test]
fn the_published_tables_are_those_of_the_newest_results() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let text = fs::read_to_string(root.join("docs/performance.md")).unwrap();
    let Some((path, results)) = newest(&root.join("bench/results")).unwrap() else {
        panic!(
            "docs/performance.md has tables of the benchmarks, and bench/results has no results: run \
             `cargo xtask bench all`, then `cargo xtask bench document`"
        );
    };
    let faults = faults(&text, &results);
    assert!(
        faults.is_empty(),
        "docs/performance.md is not what {}, the newest results, gives: {faults:?}; run `cargo xtask bench document`, or \
         measure what is missing first",
        path.display()
    );
}
