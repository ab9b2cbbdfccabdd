//! Lines: each with a colour, a dash, and a marker of its own.

use super::canvas::{At, Canvas, path, put};
use super::palette::Paint;
use super::plot::{Line, Plot, runs};

/// Seven dashes and six markers: a line after the seventh has another pair of them.
const DASHES: [&str; 7] = ["", "7 3", "2 2.5", "10 3 2 3", "4 3", "12 3", "7 2 2 2 2 2"];
const MARKERS: usize = 6;
/// Widths of lines: of more days they are thin, or would be nothing but a blot.
pub const WIDE: f64 = 1.8;
const THIN: f64 = 1.1;
const MOST_DAYS_WIDE: usize = 200;
/// About so many markers on a line.
const MARKERS_ON_LINE: usize = 13;
/// How far a marker goes from its middle.
pub const MARKER: f64 = 3.4;

/// Draws the lines that are asked for, the first on top.
pub fn draw(canvas: &mut Canvas<'_>, plot: &Plot<'_>, is_wanted: impl Fn(&Line<'_>) -> bool) {
    for line in plot.lines.iter().rev().filter(|line| is_wanted(line)) {
        one(canvas, plot, line);
    }
}

fn one(canvas: &mut Canvas<'_>, plot: &Plot<'_>, line: &Line<'_>) {
    let scale = plot.scale_of(line);
    let point = |day: usize| {
        let value = line.values.get(day).copied().flatten()?;
        Some((plot.middle(day), plot.y(scale, value)))
    };
    let stride = plot.days.div_ceil(MARKERS_ON_LINE).max(1);
    // Lines close to each other do not hide each other's markers.
    let first = line.place * stride / plot.lines.len().max(1);
    let width = if plot.days > MOST_DAYS_WIDE { THIN } else { WIDE };
    for run in runs(plot.days, |day| point(day).is_some()) {
        let points: Vec<(f64, f64)> = run.clone().filter_map(point).collect();
        if points.len() > 1 {
            stroke(canvas, &path(&points), line.place, line.paint, width);
        }
        let is_marked = |day: &usize| day % stride == first % stride;
        // A piece without one is drawn with its first, and a day between gaps is nothing but one.
        let marked = run
            .clone()
            .filter(is_marked)
            .chain((!run.clone().any(|day| is_marked(&day))).then_some(run.start));
        for at in marked.filter_map(point) {
            marker(canvas, at, line.place, line.paint);
        }
    }
}

/// A line of a width, with its place's dash.
pub fn stroke(canvas: &mut Canvas<'_>, path: &str, place: usize, paint: Paint, width: f64) {
    let paint = canvas.paint(paint);
    put!(
        canvas,
        "<path d=\"{path}\" fill=\"none\" stroke=\"{paint}\" stroke-width=\"{width}\" stroke-linejoin=\"round\""
    );
    match DASHES[place % DASHES.len()] {
        "" => put!(canvas, "/>\n"),
        dash => put!(canvas, " stroke-dasharray=\"{dash}\"/>\n"),
    }
}

/// A mark with a rim of paper, so that it is seen on lines.
pub fn marker(canvas: &mut Canvas<'_>, (x, y): (f64, f64), place: usize, paint: Paint) {
    let (fill, paper) = (canvas.paint(paint), canvas.paint(Paint::Paper));
    let r = MARKER;
    let corners: &[(f64, f64)] = match place % MARKERS {
        1 => &[(-0.85, -0.85), (0.85, -0.85), (0.85, 0.85), (-0.85, 0.85)],
        2 => &[(0.0, -1.0), (1.0, 0.85), (-1.0, 0.85)],
        3 => &[(0.0, -1.0), (1.0, 0.0), (0.0, 1.0), (-1.0, 0.0)],
        4 => &[(0.0, 1.0), (1.0, -0.85), (-1.0, -0.85)],
        // A circle, full or, for the sixth, hollow.
        which => {
            let (fill, rim, width) = if which == 5 { (paper, fill, 1.6) } else { (fill, paper, 0.8) };
            put!(
                canvas,
                "<circle cx=\"{}\" cy=\"{}\" r=\"{}\" fill=\"{fill}\" stroke=\"{rim}\" stroke-width=\"{width}\"/>\n",
                At(x),
                At(y),
                At(r * 0.9)
            );
            return;
        }
    };
    let points: Vec<(f64, f64)> = corners.iter().map(|(right, down)| (x + r * right, y + r * down)).collect();
    put!(
        canvas,
        "<path d=\"{}Z\" fill=\"{fill}\" stroke=\"{paper}\" stroke-width=\"0.8\"/>\n",
        path(&points)
    );
}
