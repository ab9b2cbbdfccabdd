use super::*;

fn row(kernel: &str, program: &str, instructions: u64, states: u64) -> Row {
    let cost =
        Cost { program: program.into(), instructions, states, peak_states: states, load_milliseconds: 1.5 };
    Row { kernel: kernel.into(), release: "6.1.0".into(), cost }
}

#[test]
fn what_is_kept_is_read_again() {
    let table =
        Table(vec![row("debian:12", "sensor", 12_345, 678), row("debian:13", "sensor", 9, 1_000_000)]);
    let document = format!("before\n{BEGIN}\nold\n{END}\nafter\n");
    let kept = table.put_into(&document).unwrap();
    assert!(kept.starts_with("before\n") && kept.ends_with(&format!("{END}\nafter\n")));
    assert!(kept.contains("| debian:12 | 6.1.0 | sensor | 12,345 | 678 | 678 | 1.5 |\n"), "{kept}");
    assert_eq!(Table::find(&kept).unwrap(), table);
    assert_eq!(table.put_into(&kept).unwrap(), kept);
}

#[test]
fn a_document_without_a_table_or_with_a_broken_one_is_refused() {
    for document in [
        "nothing".to_owned(),
        format!("{BEGIN}\n"),
        format!("{BEGIN}\n{HEAD}| a | b |\n{END}"),
        format!("{BEGIN}\n{HEAD}| a | b | c | x | 1 | 1 | 1 |\n{END}"),
    ] {
        assert!(Table::find(&document).is_err(), "{document}");
    }
}

#[test]
fn a_kernels_rows_stay_together() {
    let mut table = Table::default();
    for (kernel, program) in [("a", "one"), ("b", "one"), ("a", "two")] {
        table.put_row(row(kernel, program, 1, 1));
    }
    table.put_row(row("b", "one", 7, 7));
    let rows: Vec<_> =
        table.rows().map(|row| (row.kernel.as_str(), row.cost.program.as_str(), row.cost.states)).collect();
    assert_eq!(rows, [("a", "one", 1), ("a", "two", 1), ("b", "one", 7)]);
}

#[test]
fn a_fifth_more_is_allowed_and_one_more_is_not() {
    let kept = Table(vec![row("a", "one", 1000, 100)]);
    let regressions = |instructions, states| {
        kept.compare(&Table(vec![row("a", "one", instructions, states)])).regressions.len()
    };
    assert_eq!(regressions(1200, 120), 0);
    assert_eq!(regressions(10, 1), 0);
    assert_eq!(regressions(1201, 100), 1);
    // The states in all, and those at a time.
    assert_eq!(regressions(1000, 121), 2);
}

#[test]
fn what_is_not_kept_is_held_against_the_others() {
    let measured = Table(vec![row("new", "one", 1201, 1)]);
    let nothing = Table::default().compare(&measured);
    assert_eq!((nothing.regressions.len(), nothing.unknown.len()), (0, 1));
    let others = Table(vec![row("a", "one", 10, 100), row("b", "one", 1000, 100), row("b", "two", 9999, 1)]);
    let comparison = others.compare(&measured);
    assert_eq!((comparison.regressions.len(), comparison.unknown.len()), (1, 1));
    assert_eq!(others.compare(&Table(vec![row("new", "one", 1200, 1)])).regressions, [""; 0]);
}

#[test]
fn a_program_that_is_gone_is_a_regression() {
    let kept = Table(vec![row("a", "one", 1, 1), row("a", "two", 1, 1), row("b", "three", 1, 1)]);
    let regressions = kept.compare(&Table(vec![row("a", "one", 1, 1)])).regressions;
    assert_eq!(regressions, ["two on a is kept, and was not measured"]);
}
