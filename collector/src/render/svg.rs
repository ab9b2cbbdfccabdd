//! Figures as SVG, for the report and for the live page: drawn here, since a chart is little more than its scales.
//!
//! What is drawn is inline in a page of HTML: it asks for no other file, has no style of its own but attributes, and
//! is told to whoever cannot see it by its `title` and `desc`.

mod areas;
mod axes;
mod canvas;
mod lines;
mod matrix;
mod names;
pub mod palette;
mod plot;
mod scale;
mod shades;
mod time_axis;

pub use canvas::{Align, At, Canvas, LETTER, fitting, path, width_of};
pub use lines::{WIDE, marker, stroke};
pub use matrix::matrix;
pub use scale::{Scale, drawable};

use self::names::Names;
use self::palette::Paint;
use self::plot::Plot;
use super::calendar::{day, from_to};
use super::numbers::measured;
use super::words::Words;
use crate::language::Language;
use crate::report::model::{Figure, Style};

/// How a figure is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look<'a> {
    /// Of the view box, in units of which a letter is 12 high; at least 240.
    pub width: u32,
    /// The least, and at least 160: a long legend and a matrix's rows make it higher.
    pub height: u32,
    /// Before every class and id, so that one page can hold a figure twice: of `a-z0-9-`.
    pub prefix: &'a str,
    /// Whether colours are custom properties that [`palette::theme`] sets, so that a page can go dark.
    pub is_themed: bool,
    /// Whether values are counts, so that axes have no parts of one.
    pub is_of_counts: bool,
}

impl Look<'_> {
    /// As wide as the text on A4.
    pub const PAGE: Self =
        Self { width: 720, height: 300, prefix: "figure", is_themed: false, is_of_counts: false };
    /// As wide as a phone.
    pub const PHONE: Self = Self { width: 360, height: 280, prefix: "phone", ..Self::PAGE };

    fn size(&self) -> (f64, f64) {
        (f64::from(self.width.clamp(240, 10_000)), f64::from(self.height.clamp(160, 10_000)))
    }
}

/// Draws values by day. Where nothing was observed the figure says so.
#[must_use]
pub fn figure(figure: &Figure, language: Language, look: &Look<'_>) -> String {
    let words = Words::of(language);
    let plot = Plot::of(figure, language, look);
    let description = describe(figure, &plot, language);
    let mut canvas = Canvas::open(look, &figure.id, figure.title.of(language), &description, plot.size);
    let is_empty = plot.lines.iter().all(|line| line.values.iter().all(Option::is_none));
    if is_empty {
        canvas.hatch(plot.left, plot.top, plot.width(), plot.height());
        canvas.frame(plot.left, plot.top, plot.width(), plot.height());
        let (x, y) = (plot.left + plot.width() / 2.0, plot.top + plot.height() / 2.0);
        canvas.plate(x, y + 4.0, words.nothing_observed, plot.width());
        axes::days(&mut canvas, &plot);
        return canvas.close();
    }
    axes::not_observed(&mut canvas, &plot, words);
    axes::grid(&mut canvas, &plot);
    match figure.style {
        Style::Lines => lines::draw(&mut canvas, &plot, |_| true),
        Style::Stacked => {
            areas::draw(&mut canvas, &plot);
            lines::draw(&mut canvas, &plot, |line| line.is_on_right_axis);
        }
    }
    axes::days(&mut canvas, &plot);
    axes::values(&mut canvas, &plot, figure, language);
    Names::draw(&mut canvas, &plot, words);
    canvas.close()
}

/// The figure in a few sentences, for whoever does not see it.
fn describe(figure: &Figure, plot: &Plot<'_>, language: Language) -> String {
    let words = Words::of(language);
    let mut text = format!("{}; {}.", figure.unit.of(language), from_to(&figure.days, language));
    for line in &plot.lines {
        let known =
            || line.values.iter().enumerate().filter_map(|(at, value)| value.map(|value| (at, value)));
        let highest = known().max_by(|a, b| a.1.total_cmp(&b.1));
        let lowest = known().min_by(|a, b| a.1.total_cmp(&b.1));
        text.push_str(&match (lowest, highest) {
            (Some((_, low)), Some((at, high))) => format!(
                " {}{}{} {}{}{} {} ({}).",
                line.name,
                words.colon,
                words.lowest,
                measured(low),
                words.between_names,
                words.highest,
                measured(high),
                figure.days.get(at).map(|text| day(text, language)).unwrap_or_default()
            ),
            _ => format!(" {}{}{}.", line.name, words.colon, words.not_observed),
        });
    }
    text
}

/// The paints that lines and areas are drawn with, by their place.
fn paint(figure_style: Style, line: &plot::Line<'_>) -> Paint {
    if figure_style == Style::Stacked && !line.is_on_right_axis {
        Paint::Area(line.place)
    } else {
        Paint::Line(line.place)
    }
}
