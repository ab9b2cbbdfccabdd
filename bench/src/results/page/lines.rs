//! Lines: each with a colour, a dash and a marker of its own; rounds that differ have a whisker.

use collector::render::svg::palette::Paint;
use collector::render::svg::{Align, At, Canvas, LETTER, WIDE, fitting, marker, path, stroke, width_of};

use super::super::{self as results, Scale, Series};
use super::axis::Axis;
use super::draw::Frame;

const LEGEND: f64 = 20.0;
/// More points than these have no marker each.
const MOST_MARKERS: usize = 14;

/// Where the plot's inside is.
pub struct Area {
    pub left: f64,
    pub right: f64,
    pub top: f64,
    pub bottom: f64,
}

impl Area {
    pub fn x(&self, fraction: f64) -> f64 {
        self.left + (self.right - self.left) * fraction
    }

    pub fn y(&self, fraction: f64) -> f64 {
        self.bottom - (self.bottom - self.top) * fraction
    }
}

pub fn draw(frame: &Frame<'_>, x: &results::Axis, y: Scale, series: &[Series]) -> String {
    let points = || series.iter().flat_map(|series| &series.points);
    let most_steps = if frame.is_narrow() { 3 } else { 6 };
    let below = Axis::of(x.scale, points().map(|point| point.x), most_steps);
    let beside = Axis::of(y, points().flat_map(|point| [point.y.min, point.y.max]), 5);
    let names: Vec<&str> = series.iter().map(|series| series.label.as_str()).collect();
    let (mut canvas, area) = begin(frame, &names, &beside);
    let mut taken = f64::MIN;
    for (tick, label) in below.ticks() {
        let at = area.x(below.fraction(tick));
        canvas.rule((at, area.bottom), (at, area.bottom + 5.0), Paint::Muted);
        let half = width_of(&label) / 2.0;
        if at - half > taken {
            canvas.text((at, area.bottom + 18.0), Align::Middle, Paint::Muted, &label);
            taken = at + half + 6.0;
        }
    }
    canvas.rule((area.left, area.bottom), (area.right, area.bottom), Paint::Muted);
    let middle = (area.left + area.right) / 2.0;
    canvas.text((middle, area.bottom + 36.0), Align::Middle, Paint::Muted, &x.title);
    for (place, series) in series.iter().enumerate().rev() {
        one(&mut canvas, &area, (&below, &beside), place, series);
    }
    canvas.close()
}

/// A drawing with the names of its lines above, and the lines across with their values.
pub fn begin<'a>(frame: &Frame<'a>, names: &[&str], beside: &Axis) -> (Canvas<'a>, Area) {
    let legend = Legend::of(names, f64::from(frame.look.width));
    let area = area(frame, beside, legend.height());
    let size = (f64::from(frame.look.width), f64::from(frame.look.height) + legend.height());
    let mut canvas = Canvas::open(frame.look, frame.id, &frame.figure.title, frame.words, size);
    legend.draw(&mut canvas);
    grid(&mut canvas, &area, beside);
    (canvas, area)
}

/// Below the legend, beside the ticks' words.
fn area(frame: &Frame<'_>, beside: &Axis, legend: f64) -> Area {
    let words = beside.ticks().iter().map(|(_, label)| width_of(label)).fold(0.0, f64::max);
    Area {
        left: words + 16.0,
        right: f64::from(frame.look.width) - 16.0,
        top: legend + 12.0,
        bottom: f64::from(frame.look.height) + legend - 46.0,
    }
}

/// The lines across, and their values.
fn grid(canvas: &mut Canvas<'_>, area: &Area, beside: &Axis) {
    for (tick, label) in beside.ticks() {
        let at = area.y(beside.fraction(tick));
        canvas.rule((area.left, at), (area.right, at), Paint::Grid);
        canvas.text((area.left - 8.0, at + LETTER * 0.35), Align::End, Paint::Muted, &label);
    }
}

fn one(canvas: &mut Canvas<'_>, area: &Area, (below, beside): (&Axis, &Axis), place: usize, series: &Series) {
    let shown = series.points.iter().filter(|point| below.has(point.x) && beside.has(point.y.median));
    let shown: Vec<_> = shown.collect();
    let paint = Paint::Line(place);
    let place_of = |x: f64, y: f64| (area.x(below.fraction(x)), area.y(beside.fraction(y)));
    for point in shown.iter().filter(|point| point.y.rounds > 1) {
        let ((x, low), (_, high)) = (place_of(point.x, point.y.min), place_of(point.x, point.y.max));
        let ink = canvas.paint(paint);
        let path = format!(
            "M{from} {low}H{to}M{from} {high}H{to}M{x} {low}V{high}",
            from = At(x - 3.0),
            to = At(x + 3.0),
            x = At(x),
            low = At(low),
            high = At(high)
        );
        canvas.svg.push_str(&format!("<path d=\"{path}\" stroke=\"{ink}\" fill=\"none\"/>\n"));
    }
    let places: Vec<(f64, f64)> = shown.iter().map(|point| place_of(point.x, point.y.median)).collect();
    if places.len() > 1 {
        stroke(canvas, &path(&places), place, paint, WIDE);
    }
    let stride = places.len().div_ceil(MOST_MARKERS).max(1);
    places.iter().step_by(stride).for_each(|at| marker(canvas, *at, place, paint));
}

/// Names with their lines, in as many rows as they need.
struct Legend<'a> {
    /// Where each is: from the left, and in which row.
    entries: Vec<(&'a str, f64, usize)>,
    width: f64,
}

const SWATCH: f64 = 30.0;

impl<'a> Legend<'a> {
    pub fn of(names: &[&'a str], width: f64) -> Self {
        let (mut entries, mut x, mut row) = (Vec::new(), 8.0, 0);
        for name in names {
            let needed = SWATCH + width_of(name) + 20.0;
            if x + needed > width && x > 8.0 {
                (x, row) = (8.0, row + 1);
            }
            entries.push((*name, x, row));
            x += needed;
        }
        Self { entries, width }
    }

    pub fn height(&self) -> f64 {
        self.entries.last().map_or(0.0, |(_, _, row)| LEGEND * (row + 1) as f64)
    }

    pub fn draw(&self, canvas: &mut Canvas<'_>) {
        for (place, (name, x, row)) in self.entries.iter().enumerate() {
            let y = LEGEND * *row as f64 + 11.0;
            let paint = Paint::Line(place);
            stroke(canvas, &path(&[(*x, y), (x + SWATCH - 6.0, y)]), place, paint, WIDE);
            marker(canvas, (x + SWATCH / 2.0 - 3.0, y), place, paint);
            let name = fitting(name, self.width - x - SWATCH - 4.0);
            canvas.text((x + SWATCH, y + LETTER * 0.35), Align::Start, Paint::Ink, &name);
        }
    }
}
