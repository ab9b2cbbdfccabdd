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

/// The published tables are those of the newest results.
#[test]
fn the_published_tables_are_those_of_the_newest_results() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let text = fs::read_to_string(root.join("docs/performance.md")).unwrap();
    if !has_blocks(&text).unwrap() {
        return;
    }
    let Some((path, results)) = newest(&root.join("bench/results")).unwrap() else {
        panic!(
            "docs/performance.md has tables of the benchmarks, and bench/results has no results: run \
             `cargo xtask bench all`, then `cargo xtask bench document`"
        );
    };
    let stale = stale(&text, &results).unwrap_or_else(|error| {
        panic!("docs/performance.md and {}: {error}", path.display());
    });
    assert!(
        stale.is_empty(),
        "these tables of docs/performance.md are not those of {}, the newest results: {stale:?}; run \
         `cargo xtask bench document`",
        path.display()
    );
}
