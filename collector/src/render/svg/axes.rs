//! What stands around a figure: its grid, days, ticks, units, and the days that were not observed.

use super::canvas::{Align, Canvas, LETTER, fitting, width_of};
use super::names::Names;
use super::palette::Paint;
use super::plot::Plot;
use crate::language::Language;
use crate::render::words::Words;
use crate::report::model::{Figure, Style};

/// Bands of the days that were not observed, with the words where they fit.
pub fn not_observed(canvas: &mut Canvas<'_>, plot: &Plot<'_>, words: &Words) {
    for gap in bands(plot) {
        let (from, to) = (plot.x(gap.start as f64), plot.x(gap.end as f64));
        canvas.hatch(from, plot.top, to - from, plot.height());
        if width_of(words.not_observed) + 16.0 <= to - from {
            let middle = (from + to) / 2.0;
            canvas.plate(middle, plot.top + 18.0, words.not_observed, to - from);
        }
    }
}

/// Days of which the figure shows nothing. A stack shows nothing, either, where one part of it is not known.
fn bands(plot: &Plot<'_>) -> Vec<std::ops::Range<usize>> {
    if plot.stack.is_empty() || plot.right_scale.is_some() {
        return plot.gaps.clone();
    }
    super::plot::runs(plot.days, |day| plot.stack.get(day).is_none_or(Option::is_none))
}

/// Whether there is a band that wants explaining.
#[must_use]
pub fn has_bands(plot: &Plot<'_>) -> bool {
    !bands(plot).is_empty()
}

pub fn grid(canvas: &mut Canvas<'_>, plot: &Plot<'_>) {
    for tick in plot.left_scale.ticks() {
        let y = plot.y(&plot.left_scale, tick);
        canvas.rule((plot.left, y), (plot.right, y), Paint::Grid);
    }
}

/// The days below, and the axis that they stand on.
pub fn days(canvas: &mut Canvas<'_>, plot: &Plot<'_>) {
    let Plot { left, right, bottom, .. } = *plot;
    canvas.rule((left, bottom), (right, bottom), Paint::Muted);
    for tick in &plot.time_axis.ticks {
        let x = plot.x(tick.at);
        canvas.rule((x, bottom), (x, bottom + if tick.is_long { 36.0 } else { 5.0 }), Paint::Muted);
    }
    for label in &plot.time_axis.labels {
        let y = bottom + if label.is_below { 36.0 } else { 18.0 };
        let paint = if label.is_below { Paint::Ink } else { Paint::Muted };
        canvas.text((plot.x(label.at), y), Align::Middle, paint, &label.text);
    }
}

/// The ticks' numbers, and the units above them.
pub fn values(canvas: &mut Canvas<'_>, plot: &Plot<'_>, figure: &Figure, language: Language) {
    let middle = LETTER * 0.35;
    let has_left = figure.style == Style::Stacked || plot.lines.iter().any(|line| !line.is_on_right_axis);
    for tick in plot.left_scale.ticks().into_iter().filter(|_| has_left) {
        let y = plot.y(&plot.left_scale, tick);
        let text = fitting(&plot.left_scale.label(tick), plot.left - 8.0);
        canvas.text((plot.left - 8.0, y + middle), Align::End, Paint::Muted, &text);
    }
    let right_unit = figure.right_unit.as_ref().filter(|_| plot.right_scale.is_some());
    let (from, to) = (4.0, plot.size.0 - 4.0);
    let room = if right_unit.is_some() { (to - from) / 2.0 - 8.0 } else { unit_room(plot) };
    let y = plot.top - 12.0;
    if has_left {
        canvas.text((from, y), Align::Start, Paint::Muted, &fitting(figure.unit.of(language), room));
    }
    if let Some(unit) = right_unit {
        canvas.text((to, y), Align::End, Paint::Muted, &fitting(unit.of(language), room));
    }
    if let Some(scale) = &plot.right_scale {
        canvas.rule((plot.right, plot.top), (plot.right, plot.bottom), Paint::Muted);
        for tick in scale.ticks() {
            let y = plot.y(scale, tick);
            canvas.rule((plot.right, y), (plot.right + 4.0, y), Paint::Muted);
            let text = fitting(&scale.label(tick), plot.size.0 - plot.right - 8.0);
            canvas.text((plot.right + 8.0, y + middle), Align::Start, Paint::Muted, &text);
        }
    }
}

/// Beside a unit there may be the key of the hatching.
fn unit_room(plot: &Plot<'_>) -> f64 {
    match plot.names {
        Names::Beside { .. } => plot.width() * 0.7,
        _ => plot.size.0 - 8.0,
    }
}
