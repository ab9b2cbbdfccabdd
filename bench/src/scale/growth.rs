//! One figure that grows, and whether it grows faster than it should.

use anyhow::{Context as _, Result};

use crate::results::{Axis, Better, Figure, Plot, Point, Scale, Series};
use crate::statistics::{Spread, at_most};

/// How far above 1 an exponent has to be to be told: 12 % for each tenfold.
const TOLERANCE: f64 = 0.05;
/// How often chance alone may make rounds agree that a cost is steeper than it is.
const CHANCE: f64 = 0.011;

/// What the work is that a figure is the cost of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Work {
    /// The same at every size, so that the cost is linear where doubling the size at most doubles it.
    Same,
    /// As much as the size, of which the figure is the cost of one: linear where it stays.
    Each,
    /// The figure is no cost.
    None,
}

/// What a figure is.
pub struct Kind {
    pub name: &'static str,
    pub title: &'static str,
    pub unit: &'static str,
    pub better: Better,
    pub work: Work,
    /// Of the sizes, with its unit.
    pub size: &'static str,
    pub sizes_scale: Scale,
    pub scale: Scale,
}

/// A figure at several sizes, for each of several things.
pub struct Growth {
    kind: Kind,
    lines: Vec<Line>,
}

struct Line {
    label: String,
    /// By growing size; for each its figures, round by round.
    places: Vec<(f64, Vec<f64>)>,
}

impl Growth {
    /// Nothing measured yet.
    pub fn new(kind: Kind, labels: &[&str], sizes: &[f64]) -> Self {
        let places = || sizes.iter().map(|size| (*size, Vec::new())).collect();
        let line = |label: &&str| Line { label: (*label).into(), places: places() };
        Self { kind, lines: labels.iter().map(line).collect() }
    }

    /// Notes a figure of this round.
    pub fn note(&mut self, line: usize, place: usize, figure: f64) {
        self.lines[line].places[place].1.push(figure);
    }

    pub fn figure(&self) -> Result<Figure> {
        let point = |(x, figures): &(f64, Vec<f64>)| {
            Ok(Point { x: *x, y: Spread::new(figures.clone()).context("a size without a round")? })
        };
        let series = |line: &Line| {
            let points = line.places.iter().map(point).collect::<Result<_>>()?;
            Ok(Series { label: line.label.clone(), points })
        };
        let Kind { name, title, unit, better, size, sizes_scale, scale, work: _ } = self.kind;
        Ok(Figure {
            name: name.into(),
            title: title.into(),
            unit: unit.into(),
            better,
            plot: Plot::Lines {
                x: Axis { title: size.into(), scale: sizes_scale },
                y: scale,
                series: self.lines.iter().map(series).collect::<Result<_>>()?,
            },
        })
    }

    /// Where a line is steeper than linear, the steepest span of each.
    pub fn warnings(&self) -> Vec<String> {
        let linear = match self.kind.work {
            Work::Same => 1.0,
            Work::Each => 0.0,
            Work::None => return Vec::new(),
        };
        let Kind { name, title, size, .. } = self.kind;
        let warning = |line: &Line| {
            let Steepest { from, to, slope } = line.steepest(linear + TOLERANCE)?;
            Some(format!(
                "{name} ({title}), {}: steeper than linear from {from} to {to} {size}: all of the work costs as much \
                 as the {:.2}th power of their number",
                line.label,
                slope + 1.0 - linear,
            ))
        };
        self.lines.iter().filter_map(warning).collect()
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Steepest {
    from: f64,
    to: f64,
    slope: f64,
}

impl Line {
    /// The span between two neighbours, or the two ends, that is steepest of those that are steeper than `least`, in
    /// logarithms, in so many rounds that it is hardly chance.
    fn steepest(&self, least: f64) -> Option<Steepest> {
        let last = self.places.len().checked_sub(1)?;
        let neighbours = (0..last).map(|place| (place, place + 1));
        let spans = neighbours.chain((last > 1).then_some((0, last)));
        let steep = spans.filter_map(|(from, to)| {
            let ((x, before), (larger_x, after)) = (&self.places[from], &self.places[to]);
            if *x <= 0.0 {
                return None;
            }
            let run = (larger_x / x).ln();
            let slopes = before.iter().zip(after).map(|(y, larger_y)| (larger_y / y).ln() / run);
            // What is not above zero has no logarithm, and speaks against.
            let slopes: Vec<f64> = slopes.filter(|slope| slope.is_finite()).collect();
            let steeper = slopes.iter().filter(|slope| **slope > least).count();
            let is_told = probability(steeper, before.len()) <= CHANCE;
            let slope = Spread::new(slopes)?.median;
            is_told.then_some(Steepest { from: *x, to: *larger_x, slope })
        });
        steep.max_by(|one, other| one.slope.total_cmp(&other.slope))
    }
}

/// That of so many tosses of a coin at least so many are heads: the others are tails.
fn probability(heads: usize, tosses: usize) -> f64 {
    let [heads, tosses] = [heads, tosses].map(|count| u32::try_from(count).unwrap_or(u32::MAX));
    tosses.checked_sub(heads).map_or(0.0, |tails| at_most(tails, tosses))
}

#[cfg(test)]
mod tests;
