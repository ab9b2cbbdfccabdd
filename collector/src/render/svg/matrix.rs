//! Counts by row and day in shades: days on top, the row's sum at the right, the scale below.

use super::Look;
use super::canvas::{Align, At, Canvas, LETTER, fitting, put, width_of};
use super::palette::Paint;
use super::plot::runs;
use super::shades::Shades;
use super::time_axis;
use crate::language::Language;
use crate::render::calendar::from_to;
use crate::render::numbers::count;
use crate::render::words::Words;
use crate::report::model::{Matrix, MatrixRow};

/// Unit, and two rows of days.
const TOP: f64 = 66.0;
const ROW: f64 = 20.0;
/// The scale.
const BOTTOM: f64 = 34.0;
/// Cells of at least this width stand apart from each other; narrower ones of one shade are drawn as one.
const LEAST_APART: f64 = 3.0;

struct Grid<'a> {
    matrix: &'a Matrix,
    left: f64,
    of_day: f64,
    shades: Shades,
    are_counts_written: bool,
}

/// Draws a matrix. It is as high as its rows ask for; [`Look::height`] is not used.
#[must_use]
pub fn matrix(matrix: &Matrix, language: Language, look: &Look<'_>) -> String {
    let words = Words::of(language);
    let (width, _) = look.size();
    let is_seen =
        matrix.rows.iter().any(|row| row.values.iter().take(matrix.days.len()).any(Option::is_some));
    let names = matrix.rows.iter().map(|row| width_of(row.name.of(language))).fold(0.0, f64::max);
    let left = (names + 12.0).clamp(28.0, width * 0.34);
    let totals: Vec<String> = matrix.rows.iter().map(|row| total(matrix, row)).collect();
    let of_totals = totals.iter().map(|total| width_of(total)).fold(width_of(words.total), f64::max) + 12.0;
    let right = width - of_totals.clamp(20.0, width * 0.3);
    let of_day = (right - left) / matrix.days.len().max(1) as f64;
    let counts = || matrix.rows.iter().flat_map(|row| row.values.iter().take(matrix.days.len()).flatten());
    let most = counts().copied().max().unwrap_or(0);
    let grid = Grid {
        matrix,
        left,
        of_day,
        shades: Shades::upto(most),
        are_counts_written: width_of(&count(most as f64)) + 3.0 <= of_day,
    };
    let bottom = TOP + matrix.rows.len().max(1) as f64 * ROW;
    let description = describe(matrix, &totals, language);
    let legend = legend(&grid, words, width);
    let size = (width, bottom + BOTTOM + legend.rows as f64 * 18.0);
    let mut canvas = Canvas::open(look, &matrix.id, matrix.title.of(language), &description, size);
    let unit = fitting(matrix.unit.of(language), width - 8.0);
    canvas.text((4.0, 14.0), Align::Start, Paint::Muted, &unit);
    if !is_seen {
        canvas.hatch(left, TOP, right - left, bottom - TOP);
        canvas.plate(
            (left + right) / 2.0,
            f64::midpoint(TOP, bottom) + 4.0,
            words.nothing_observed,
            right - left,
        );
        return canvas.close();
    }
    grid.days(&mut canvas, right, language);
    canvas.text((width - 4.0, TOP - 8.0), Align::End, Paint::Muted, words.total);
    for (at, (row, total)) in matrix.rows.iter().zip(&totals).enumerate() {
        let top = TOP + at as f64 * ROW;
        let line = top + ROW / 2.0 + LETTER * 0.35;
        let name = fitting(row.name.of(language), left - 10.0);
        canvas.text((left - 6.0, line), Align::End, Paint::Ink, &name);
        grid.row(&mut canvas, row, top);
        canvas.text((width - 4.0, line), Align::End, Paint::Ink, &fitting(total, width - right - 4.0));
    }
    legend.draw(&mut canvas, &grid, bottom + 14.0);
    canvas.close()
}

/// The sum of what was observed; nothing where nothing was.
fn total(matrix: &Matrix, row: &MatrixRow) -> String {
    let known = || row.values.iter().take(matrix.days.len()).flatten();
    match known().next() {
        Some(_) => count(known().fold(0_u64, |sum, value| sum.saturating_add(*value)) as f64),
        None => crate::render::numbers::NOTHING.to_owned(),
    }
}

fn describe(matrix: &Matrix, totals: &[String], language: Language) -> String {
    let words = Words::of(language);
    let mut text = format!("{}; {}.", matrix.unit.of(language), from_to(&matrix.days, language));
    for (row, total) in matrix.rows.iter().zip(totals) {
        text.push_str(&format!(" {}{}{} {total}.", row.name.of(language), words.colon, words.total));
    }
    text
}

impl Grid<'_> {
    fn x(&self, days: f64) -> f64 {
        self.left + days * self.of_day
    }

    fn days(&self, canvas: &mut Canvas<'_>, right: f64, language: Language) {
        let axis = time_axis::of(&self.matrix.days, right - self.left, language);
        for tick in &axis.ticks {
            let x = self.x(tick.at);
            canvas.rule((x, TOP - if tick.is_long { 36.0 } else { 5.0 }), (x, TOP - 1.0), Paint::Muted);
        }
        for label in &axis.labels {
            let (y, paint) =
                if label.is_below { (TOP - 26.0, Paint::Ink) } else { (TOP - 9.0, Paint::Muted) };
            canvas.text((self.x(label.at), y), Align::Middle, paint, &label.text);
        }
    }

    fn row(&self, canvas: &mut Canvas<'_>, row: &MatrixRow, top: f64) {
        let days = self.matrix.days.len();
        let value = |day: usize| row.values.get(day).copied().flatten();
        let class = |day: usize| value(day).and_then(|value| self.shades.class(value));
        let gap = if self.of_day >= LEAST_APART { 0.6 } else { 0.0 };
        canvas.frame(self.left, top + 1.0, self.of_day * days as f64, ROW - 2.0);
        for absent in runs(days, |day| value(day).is_none()) {
            let width = absent.len() as f64 * self.of_day;
            canvas.hatch(self.x(absent.start as f64), top + 1.0, width, ROW - 2.0);
        }
        let classes = self.shades.labels().len();
        for of_class in 0..classes {
            let fill = Paint::Shade(self.shades.shade(of_class));
            let painted = canvas.paint(fill);
            let mut cells = String::new();
            for run in runs(days, |day| class(day) == Some(of_class)) {
                let pieces: Vec<_> =
                    if gap > 0.0 { run.map(|day| day..day + 1).collect() } else { vec![run] };
                for piece in pieces {
                    let (from, to) =
                        (self.x(piece.start as f64) + gap / 2.0, self.x(piece.end as f64) - gap / 2.0);
                    cells.push_str(&format!(
                        "M{} {}H{}V{}H{}Z",
                        At(from),
                        At(top + 1.0),
                        At(to),
                        At(top + ROW - 1.0),
                        At(from)
                    ));
                }
            }
            if !cells.is_empty() {
                put!(canvas, "<path d=\"{cells}\" fill=\"{painted}\"/>\n");
            }
        }
        if self.are_counts_written {
            for (day, value) in (0..days).filter_map(|day| Some((day, value(day)?))) {
                let paint = self
                    .shades
                    .class(value)
                    .map_or(Paint::Muted, |of| Paint::Shade(self.shades.shade(of)).letters());
                let at = (self.x(day as f64 + 0.5), top + ROW / 2.0 + LETTER * 0.35);
                canvas.text(at, Align::Middle, paint, &count(value as f64));
            }
        }
    }
}

/// The scale: zero, each class, and what was not observed.
struct Legend {
    items: Vec<(f64, usize, Option<Key>, String)>,
    rows: usize,
}

#[derive(Clone, Copy)]
enum Key {
    Zero,
    Class(usize),
}

fn legend(grid: &Grid<'_>, words: &Words, width: f64) -> Legend {
    let classes =
        grid.shades.labels().into_iter().enumerate().map(|(at, label)| (Some(Key::Class(at)), label));
    let days = grid.matrix.days.len();
    let has_gap = grid
        .matrix
        .rows
        .iter()
        .any(|row| (0..days).any(|day| row.values.get(day).copied().flatten().is_none()));
    let gap = has_gap.then(|| (None, words.not_observed.to_owned()));
    let (mut x, mut row) = (4.0, 0);
    let mut items = Vec::new();
    for (key, text) in [(Some(Key::Zero), "0".to_owned())].into_iter().chain(classes).chain(gap) {
        let text = fitting(&text, width - 40.0);
        let needed = 22.0 + width_of(&text) + 14.0;
        if x + needed > width && x > 4.0 {
            (x, row) = (4.0, row + 1);
        }
        items.push((x, row, key, text));
        x += needed;
    }
    Legend { items, rows: row }
}

impl Legend {
    fn draw(&self, canvas: &mut Canvas<'_>, grid: &Grid<'_>, top: f64) {
        for (x, row, key, text) in &self.items {
            let y = top + *row as f64 * 18.0;
            match key {
                None => canvas.hatch(*x, y, 16.0, 12.0),
                Some(Key::Zero) => {}
                Some(Key::Class(class)) => {
                    let fill = canvas.paint(Paint::Shade(grid.shades.shade(*class)));
                    canvas.rect((*x, y), (16.0, 12.0), fill);
                }
            }
            canvas.frame(*x, y, 16.0, 12.0);
            canvas.text((x + 22.0, y + 6.0 + LETTER * 0.35), Align::Start, Paint::Muted, text);
        }
    }
}
