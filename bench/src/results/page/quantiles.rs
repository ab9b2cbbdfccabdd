//! Latencies by quantile, on decades: how long as large a share took at most.

use collector::render::numbers::Measure;
use collector::render::svg::palette::Paint;
use collector::render::svg::{Align, WIDE, marker, path, stroke};

use super::super::{Quantiles, Scale};
use super::axis::Axis;
use super::draw::Frame;
use super::lines::begin;

const NAMES: [&str; 5] = ["p50", "p90", "p99", "p99.9", "max"];

pub fn draw(frame: &Frame<'_>, quantiles: &[Quantiles]) -> String {
    let values = |of: &Quantiles| [of.p50, of.p90, of.p99, of.p999, of.max];
    let beside = Axis::of(Scale::Logarithmic, quantiles.iter().flat_map(values), 5);
    let names: Vec<&str> = quantiles.iter().map(|quantiles| quantiles.label.as_str()).collect();
    let (mut canvas, area) = begin(frame, &names, &beside);
    // As far apart as each is from the next, with room at both ends.
    let x = |place: usize| area.x((place as f64 + 0.5) / NAMES.len() as f64);
    for (place, name) in NAMES.iter().enumerate() {
        canvas.text((x(place), area.bottom + 18.0), Align::Middle, Paint::Muted, name);
    }
    canvas.rule((area.left, area.bottom), (area.right, area.bottom), Paint::Muted);
    let measure = Measure::of(quantiles.iter().flat_map(values));
    for (line, quantiles) in quantiles.iter().enumerate().rev() {
        let places: Vec<(f64, f64)> = values(quantiles)
            .iter()
            .enumerate()
            .map(|(place, value)| (x(place), area.y(beside.fraction(*value))))
            .collect();
        stroke(&mut canvas, &path(&places), line, Paint::Line(line), WIDE);
        for (at, value) in places.iter().zip(values(quantiles)) {
            marker(&mut canvas, *at, line, Paint::Line(line));
            // Of several lines the words would lie on each other: they are in the table.
            if names.len() == 1 {
                canvas.text((at.0, at.1 - 9.0), Align::Middle, Paint::Ink, &measure.write(value));
            }
        }
    }
    canvas.close()
}
