//! Areas on top of each other, of distinct lightness, with thin lines of paper between them; those after the fifth
//! are hatched.

use super::canvas::{Canvas, path, put};
use super::palette::{AREAS, Paint};
use super::plot::{Plot, runs};

pub fn draw(canvas: &mut Canvas<'_>, plot: &Plot<'_>) {
    let pieces = runs(plot.days, |day| plot.stack.get(day).is_some_and(Option::is_some));
    let areas = plot.lines.iter().filter(|line| !line.is_on_right_axis);
    for (place, line) in areas.enumerate() {
        // One that was never observed has no area, and no height in the stack.
        if line.values.iter().all(Option::is_none) {
            continue;
        }
        let fill = fill(canvas, place);
        for piece in &pieces {
            let edge = |day: usize, of: Option<usize>| {
                let edges = plot.stack.get(day)?.as_ref()?;
                let value = of.map_or(Some(0.0), |of| edges.get(of).copied())?;
                Some(plot.y(&plot.left_scale, value))
            };
            // A piece begins and ends with its days, not in their middles, so that one day alone is seen.
            let ends = (plot.x(piece.start as f64), plot.x(piece.end as f64));
            let points = |of: Option<usize>| {
                let mut points: Vec<(f64, f64)> =
                    piece.clone().filter_map(|day| Some((plot.middle(day), edge(day, of)?))).collect();
                if let (Some(first), Some(last)) = (points.first().copied(), points.last().copied()) {
                    points.insert(0, (ends.0, first.1));
                    points.push((ends.1, last.1));
                }
                points
            };
            let mut outline = points(Some(place));
            outline.extend(points(place.checked_sub(1)).into_iter().rev());
            let paper = canvas.paint(Paint::Paper);
            put!(
                canvas,
                "<path d=\"{}Z\" fill=\"{fill}\" stroke=\"{paper}\" stroke-width=\"0.7\"/>\n",
                path(&outline)
            );
        }
    }
}

/// What fills an area that was drawn.
pub fn reference(canvas: &Canvas<'_>, place: usize) -> String {
    if place < AREAS { canvas.paint(Paint::Area(place)).to_string() } else { canvas.reference(&name(place)) }
}

fn name(place: usize) -> String {
    format!("area-{place}")
}

/// Defines what fills an area: a colour, and hatching from the sixth on.
fn fill(canvas: &mut Canvas<'_>, place: usize) -> String {
    let colour = canvas.paint(Paint::Area(place));
    if place < AREAS {
        return colour.to_string();
    }
    let paint = canvas.paint(if place % AREAS < 2 { Paint::Paper } else { Paint::Ink });
    let lines = match (place / AREAS) % 3 {
        1 => "M-1 7L7 -1M-1 1L1 -1M5 7L7 5",
        2 => "M-1 -1L7 7M-1 5L1 7M5 -1L7 1",
        _ => "M3 0V6M0 3H6",
    };
    let content = format!(
        "<rect width=\"6\" height=\"6\" fill=\"{colour}\"/><path d=\"{lines}\" stroke=\"{paint}\" \
         stroke-width=\"1\" fill=\"none\"/>"
    );
    canvas.pattern(&name(place), 6, &content);
    canvas.reference(&name(place))
}
