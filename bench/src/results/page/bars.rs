//! Bars from zero to the median, with a whisker from the least round to the greatest.

use collector::render::numbers::Measure;
use collector::render::svg::palette::Paint;
use collector::render::svg::{Align, At, Canvas, LETTER, fitting, width_of};

use super::super::{Bar, Measured, Scale};
use super::axis::Axis;
use super::draw::Frame;
use crate::statistics::Spread;

const BAR: f64 = 18.0;
/// Between bars; on a phone a bar's name stands above it.
const GAP: f64 = 10.0;
const NAME_ABOVE: f64 = 18.0;
/// How far the ends of a whisker go to each side.
const CAP: f64 = 4.0;
const TOP: f64 = 8.0;
/// Below the bars: ticks.
const FOOT: f64 = 26.0;
const MOST_NAME: f64 = 260.0;

pub fn draw(frame: &Frame<'_>, bars: &[Bar]) -> String {
    let width = f64::from(frame.look.width);
    let above = if frame.is_narrow() { NAME_ABOVE } else { 0.0 };
    let names = bars.iter().map(|bar| width_of(&bar.label)).fold(0.0, f64::max).min(MOST_NAME);
    let left = if frame.is_narrow() { 6.0 } else { names + 12.0 };
    let spreads = || {
        bars.iter().filter_map(|bar| match &bar.measured {
            Measured::Spread(spread) => Some(*spread),
            Measured::Absent(_) => None,
        })
    };
    let measure = Measure::of(spreads().flat_map(|spread| [spread.min, spread.median, spread.max]));
    let values = spreads().map(|spread| width_of(&measure.write(spread.median))).fold(0.0, f64::max);
    let right = width - values - 16.0;
    let step = BAR + GAP + above;
    let bottom = TOP + step * bars.len() as f64;
    let axis = Axis::of(Scale::Linear, spreads().flat_map(|spread| [spread.min, spread.max]), 5);
    let (figure, size) = (frame.figure, (width, bottom + FOOT));
    let mut canvas = Canvas::open(frame.look, frame.id, &figure.title, frame.words, size);
    let x = |value: f64| left + (right - left) * axis.fraction(value);
    for (tick, label) in axis.ticks() {
        canvas.rule((x(tick), TOP), (x(tick), bottom), Paint::Grid);
        canvas.text((x(tick), bottom + 16.0), Align::Middle, Paint::Muted, &label);
    }
    for (place, bar) in bars.iter().enumerate() {
        let top = TOP + step * place as f64 + above + GAP / 2.0;
        let line = top + BAR / 2.0 + LETTER * 0.35;
        if frame.is_narrow() {
            canvas.text((left, top - 5.0), Align::Start, Paint::Ink, &fitting(&bar.label, width - 12.0));
        } else {
            canvas.text((left - 8.0, line), Align::End, Paint::Ink, &fitting(&bar.label, left - 12.0));
        }
        match &bar.measured {
            Measured::Absent(reason) => {
                canvas.hatch(left, top, right - left, BAR);
                canvas.plate((left + right) / 2.0, line, &format!("not measured: {reason}"), right - left);
            }
            Measured::Spread(spread) => {
                one(&mut canvas, top, &x, spread);
                let value = measure.write(spread.median);
                canvas.text((x(spread.max.max(spread.median)) + 8.0, line), Align::Start, Paint::Ink, &value);
            }
        }
    }
    canvas.rule((x(0.0), TOP), (x(0.0), bottom), Paint::Muted);
    canvas.close()
}

fn one(canvas: &mut Canvas<'_>, top: f64, x: &impl Fn(f64) -> f64, spread: &Spread) {
    let (zero, median) = (x(0.0), x(spread.median));
    let fill = canvas.paint(Paint::Area(1));
    canvas.rect((zero.min(median), top), ((median - zero).abs(), BAR), fill);
    if spread.rounds > 1 {
        let (from, to, middle) = (x(spread.min), x(spread.max), top + BAR / 2.0);
        // Ink with a rim of paper is seen on the bar and beside it.
        for (paint, width) in [(Paint::Paper, 4.0), (Paint::Ink, 1.6)] {
            let paint = canvas.paint(paint);
            let (up, down) = (At(middle - CAP), At(middle + CAP));
            let path = format!(
                "M{from} {up}V{down}M{to} {up}V{down}M{from} {middle}H{to}",
                from = At(from),
                to = At(to),
                middle = At(middle)
            );
            canvas.svg.push_str(&format!(
                "<path d=\"{path}\" stroke=\"{paint}\" stroke-width=\"{width}\" fill=\"none\"/>\n"
            ));
        }
    }
}
