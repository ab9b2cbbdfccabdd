//! A measurement as tables in a terminal.

use comfy_table::{CellAlignment, Table};

use super::{Aim, Better, Figure, Grid, Measurement};
use collector::render::numbers::Measure;

/// Longer tables are thinned out: a figure fits a screen.
const MOST_ROWS: usize = 24;

/// Everything that was measured, checked, aimed at, and warned of.
#[must_use]
pub fn text(measurement: &Measurement) -> String {
    let Measurement { figures, aims, checked, warnings } = measurement;
    let mut text: String = figures.iter().map(figure_text).collect();
    aims.iter().for_each(|aim| text.push_str(&format!("{}\n", aim_text(aim))));
    checked.iter().for_each(|sentence| text.push_str(&format!("checked: {sentence}\n")));
    warnings.iter().for_each(|warning| text.push_str(&format!("warning: {warning}\n")));
    text
}

/// Such as 'met: the sensor's share of the bare drop 86.1 %, aim at least 85.0 %'.
pub fn aim_text(aim: &Aim) -> String {
    let Aim { of, aim: wanted, measured, unit, better } = aim;
    let measure = Measure::of([*wanted, *measured].into_iter());
    let outcome = if aim.is_met() { "met" } else { "missed" };
    let bound = match better {
        Better::Lower => "at most",
        Better::Higher => "at least",
    };
    format!(
        "{outcome}: {of} {} {unit}, aim {bound} {} {unit}",
        measure.write(*measured),
        measure.write(*wanted)
    )
}

/// Which way a figure is better.
pub const fn better(better: Better) -> &'static str {
    match better {
        Better::Lower => "lower is better",
        Better::Higher => "higher is better",
    }
}

fn figure_text(figure: &Figure) -> String {
    let Grid { head, rows, notes } = Grid::of(figure);
    let mut table = Table::new();
    table.load_style(comfy_table::presets::UTF8_BORDERS_ONLY);
    let columns = head.len();
    table.set_header(head);
    let step = rows.len().div_ceil(MOST_ROWS).max(1);
    rows.into_iter().step_by(step).for_each(|row| {
        table.add_row(row);
    });
    for column in 1..columns {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let Figure { title, unit, better: way, .. } = figure;
    let notes: String = notes.iter().map(|note| format!("{note}\n")).collect();
    format!("{title} ({unit}; {})\n{table}\n{notes}\n", better(*way))
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;

    #[test]
    fn every_plot_aim_check_and_warning_is_shown() {
        let text = text(&testing::measurement());
        for words in [
            "Title of bars (ns per packet; lower is better)",
            "bare drop",
            "18.8",
            "<argus> & co: not measured: no package of that name",
            "26 (25 to 27)",
            "p99.9",
            "met: the sensor above the bare drop 14.3 ns per packet, aim at most 25.0 ns per packet",
            "missed: the sensor above the bare drop 31 ns per packet",
            "checked: sent 50,331,648, counted 50,331,648",
            "warning: the machine is noisy",
        ] {
            assert!(text.contains(words), "no {words:?} in\n{text}");
        }
    }
}
