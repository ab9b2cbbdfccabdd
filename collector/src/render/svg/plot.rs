//! Where everything of a figure is: its lines, its scales, and the room that is left for drawing.

use std::ops::Range;

use super::canvas::width_of;
use super::names::Names;
use super::scale::{Scale, drawable};
use super::time_axis::{self, TimeAxis};
use super::{Look, paint};
use crate::language::Language;
use crate::render::svg::palette::Paint;
use crate::render::words::Words;
use crate::report::model::{Figure, Style};

/// Below the plot: two rows of days.
const BOTTOM: f64 = 44.0;
/// The row of the units.
const UNITS: f64 = 26.0;
/// The least height of a plot.
const LEAST_PLOT: f64 = 110.0;
/// Steps of an axis, at most.
const STEPS: u32 = 5;

/// A series, cleaned of what cannot be drawn.
pub struct Line<'a> {
    pub name: &'a str,
    /// One for each day.
    pub values: Vec<Option<f64>>,
    pub is_on_right_axis: bool,
    /// Among the lines, or among the areas, which have colours of their own.
    pub place: usize,
    pub paint: Paint,
}

pub struct Plot<'a> {
    /// Of the whole drawing.
    pub size: (f64, f64),
    pub left: f64,
    pub right: f64,
    pub top: f64,
    pub bottom: f64,
    pub days: usize,
    pub lines: Vec<Line<'a>>,
    /// For each day the upper edge of each area, by line; absent where the stack is not known.
    pub stack: Vec<Option<Vec<f64>>>,
    pub left_scale: Scale,
    /// Where a line is on it.
    pub right_scale: Option<Scale>,
    pub time_axis: TimeAxis,
    pub names: Names,
    /// Days on which nothing of the figure was observed.
    pub gaps: Vec<Range<usize>>,
}

impl<'a> Plot<'a> {
    #[must_use]
    pub fn of(figure: &'a Figure, language: Language, look: &Look<'_>) -> Self {
        let days = figure.days.len();
        let lines = lines(figure, language);
        let is_stacked = figure.style == Style::Stacked;
        let stack = if is_stacked { stack(&lines, days) } else { Vec::new() };
        let on_left = |line: &&Line<'_>| !line.is_on_right_axis && !is_stacked;
        let left_values = lines.iter().filter(on_left).flat_map(|line| line.values.iter().flatten().copied());
        let tops = stack.iter().flatten().filter_map(|edges| edges.last().copied());
        let least = if look.is_of_counts { 1.0 } else { 0.0 };
        let left_scale = Scale::of(left_values.chain(tops), STEPS, least);
        let right_values = || lines.iter().filter(|line| line.is_on_right_axis).flat_map(|line| &line.values);
        let right_scale = lines
            .iter()
            .any(|line| line.is_on_right_axis)
            .then(|| Scale::of(right_values().flatten().copied(), STEPS, least));

        let (width, height) = look.size();
        let margin = |scale: &Scale| {
            let widest =
                scale.ticks().into_iter().map(|tick| width_of(&scale.label(tick))).fold(0.0, f64::max);
            (widest + 12.0).clamp(28.0, width * 0.35)
        };
        let left = margin(&left_scale);
        let right_margin = right_scale.as_ref().map_or(14.0, margin);
        let gaps =
            runs(days, |day| lines.iter().all(|line| line.values.get(day).copied().flatten().is_none()));
        let mut plot = Self {
            size: (width, height),
            left,
            right: width - right_margin,
            top: UNITS,
            bottom: height - BOTTOM,
            days,
            stack,
            left_scale,
            right_scale,
            time_axis: TimeAxis::default(),
            names: Names::None,
            gaps,
            lines,
        };
        plot.place_names(Words::of(language));
        plot.time_axis = time_axis::of(&figure.days, plot.width(), language);
        plot
    }

    /// Makes room for what names the lines: beside them where it fits, above them where it does not.
    fn place_names(&mut self, words: &Words) {
        let names = Names::of(self, words);
        match &names {
            Names::Beside { width, .. } => self.right = self.size.0 - width,
            Names::Above { height, .. } => {
                self.top += height;
                let missing = (self.top + LEAST_PLOT - self.bottom).max(0.0);
                self.bottom += missing;
                self.size.1 += missing;
            }
            Names::None => {}
        }
        self.names = names;
    }

    #[must_use]
    pub fn width(&self) -> f64 {
        self.right - self.left
    }

    #[must_use]
    pub fn height(&self) -> f64 {
        self.bottom - self.top
    }

    /// Where a day is, counted in days from the first one's beginning.
    #[must_use]
    pub fn x(&self, days: f64) -> f64 {
        self.left + self.width() * days / (self.days.max(1) as f64)
    }

    /// The middle of a day.
    #[must_use]
    pub fn middle(&self, day: usize) -> f64 {
        self.x(day as f64 + 0.5)
    }

    #[must_use]
    pub fn y(&self, scale: &Scale, value: f64) -> f64 {
        self.bottom - self.height() * scale.fraction(value)
    }

    #[must_use]
    pub fn scale_of(&self, line: &Line<'_>) -> &Scale {
        match &self.right_scale {
            Some(scale) if line.is_on_right_axis => scale,
            _ => &self.left_scale,
        }
    }

    /// Where a line's name would stand best: at its last value, or in the middle of its area.
    #[must_use]
    pub fn end_of(&self, index: usize) -> Option<(f64, f64)> {
        let line = self.lines.get(index)?;
        if let Paint::Area(place) = line.paint {
            let day = self.stack.iter().rposition(Option::is_some)?;
            let edges = self.stack.get(day)?.as_ref()?;
            let low = place.checked_sub(1).and_then(|below| edges.get(below)).copied().unwrap_or(0.0);
            let high = edges.get(place).copied()?;
            return Some((self.x(day as f64 + 1.0), self.y(&self.left_scale, f64::midpoint(low, high))));
        }
        let day = line.values.iter().rposition(Option::is_some)?;
        let value = line.values.get(day).copied().flatten()?;
        Some((self.middle(day), self.y(self.scale_of(line), value)))
    }
}

fn lines(figure: &Figure, language: Language) -> Vec<Line<'_>> {
    let (mut lines, mut areas) = (0, 0);
    figure
        .series
        .iter()
        .map(|series| {
            let value = |day: usize| drawable(series.values.get(day).copied().flatten());
            let mut line = Line {
                name: series.name.of(language),
                values: (0..figure.days.len()).map(value).collect(),
                is_on_right_axis: series.is_on_right_axis,
                place: 0,
                paint: Paint::Ink,
            };
            let counter = if figure.style == Style::Stacked && !line.is_on_right_axis {
                &mut areas
            } else {
                &mut lines
            };
            line.place = *counter;
            *counter += 1;
            line.paint = paint(figure.style, &line);
            line
        })
        .collect()
}

/// The upper edges of the areas. A day of which one area is not known has no sum, and so no areas; a series that is
/// never known is no part of it.
fn stack(lines: &[Line<'_>], days: usize) -> Vec<Option<Vec<f64>>> {
    let areas: Vec<&Line<'_>> = lines.iter().filter(|line| !line.is_on_right_axis).collect();
    let is_known = |line: &&Line<'_>| line.values.iter().any(Option::is_some);
    if !areas.iter().any(is_known) {
        return vec![None; days];
    }
    let edges = |day: usize| {
        let mut sum = 0.0;
        let edge = |line: &&Line<'_>| {
            let value = line.values.get(day).copied().flatten();
            sum += if is_known(line) { value?.max(0.0) } else { 0.0 };
            Some(sum)
        };
        areas.iter().map(edge).collect()
    };
    (0..days).map(edges).collect()
}

/// The ranges of days of which something is so.
#[must_use]
pub fn runs(days: usize, is_so: impl Fn(usize) -> bool) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for day in (0..days).filter(|day| is_so(*day)) {
        match runs.last_mut() {
            Some(run) if run.end == day => run.end = day + 1,
            _ => runs.push(day..day + 1),
        }
    }
    runs
}
