//! Which plot is drawn how, and how it is told in words.

use collector::render::svg::Look;

use super::super::{Figure, Grid, Plot};
use super::{bars, lines, quantiles};

/// Rows of the table that a description has at most: whoever wants all of them has the table.
const MOST_TOLD: usize = 24;

/// The figure as SVG.
pub fn figure(figure: &Figure, id: &str, look: &Look<'_>) -> String {
    let words = description(figure);
    let frame = Frame { figure, id, look, words: &words };
    match &figure.plot {
        Plot::Bars(all) => bars::draw(&frame, all),
        Plot::Lines { x, y, series } => lines::draw(&frame, x, *y, series),
        Plot::Quantiles(all) => quantiles::draw(&frame, all),
    }
}

/// What every drawing needs.
pub struct Frame<'a> {
    pub figure: &'a Figure,
    pub id: &'a str,
    pub look: &'a Look<'a>,
    /// What a reader who does not see it is told.
    pub words: &'a str,
}

impl Frame<'_> {
    /// Whether it is drawn for a phone.
    pub const fn is_narrow(&self) -> bool {
        self.look.width < 500
    }
}

fn description(figure: &Figure) -> String {
    let Grid { head, rows, notes } = Grid::of(figure);
    let row = |row: &Vec<String>| {
        let cells = head.iter().zip(row).skip(1).map(|(name, cell)| format!("{name} {cell}"));
        format!("{}: {}.", row.first().map_or("", String::as_str), cells.collect::<Vec<_>>().join(", "))
    };
    let step = rows.len().div_ceil(MOST_TOLD).max(1);
    let told =
        [format!("{}.", figure.unit)].into_iter().chain(rows.iter().step_by(step).map(row)).chain(notes);
    told.collect::<Vec<_>>().join(" ")
}
