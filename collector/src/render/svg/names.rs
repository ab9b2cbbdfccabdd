//! What names the lines: their names beside them where those fit, a legend above them where they do not.

use super::areas;
use super::axes::has_bands;
use super::canvas::{Align, Canvas, LETTER, fitting, path, put, width_of};
use super::lines::{WIDE, marker, stroke};
use super::palette::Paint;
use super::plot::{Line, Plot};
use crate::render::words::Words;

const SAMPLE: f64 = 24.0;
const ROW: f64 = 18.0;
/// From the plot to a name's sample: room for a line that leads to it.
const LEADER: f64 = 16.0;
/// Drawings below are too narrow for names beside lines, as are those with more names, or with wider ones.
const LEAST_WIDTH: f64 = 560.0;
const MOST_BESIDE: usize = 7;
const WIDEST_BESIDE: f64 = 164.0;

/// Where the names are.
pub enum Names {
    None,
    /// In a column of a width at the right.
    Beside {
        width: f64,
    },
    /// In rows of names: where each begins, and its text.
    Above {
        height: f64,
        items: Vec<Item>,
    },
}

/// One name of a legend.
pub struct Item {
    x: f64,
    row: usize,
    text: String,
    /// Of the line; absent is the hatching's.
    line: Option<usize>,
}

impl Names {
    #[must_use]
    pub fn of(plot: &Plot<'_>, words: &Words) -> Self {
        if plot.lines.iter().all(|line| line.values.iter().all(Option::is_none)) {
            return Self::None;
        }
        let widest = plot.lines.iter().map(|line| width_of(line.name)).fold(0.0, f64::max);
        let last_seen = |index| plot.end_of(index).map_or(0.0, |(x, _)| x);
        let all_end_late =
            (0..plot.lines.len()).all(|index| last_seen(index) >= plot.x(plot.days as f64 * 0.85));
        let is_beside = plot.size.0 >= LEAST_WIDTH
            && plot.right_scale.is_none()
            && plot.lines.len() <= MOST_BESIDE
            && plot.lines.len() as f64 * (ROW - 1.0) <= plot.height()
            && widest <= WIDEST_BESIDE
            && all_end_late;
        if is_beside {
            return Self::Beside { width: LEADER + SAMPLE + 6.0 + widest + 4.0 };
        }
        let lines = plot.lines.iter().enumerate().map(|(index, line)| {
            let suffix = if line.is_on_right_axis { words.right_axis } else { "" };
            (Some(index), format!("{}{suffix}", line.name))
        });
        let hatching = has_bands(plot).then(|| (None, words.not_observed.to_owned()));
        let (from, to) = (4.0, plot.size.0 - 4.0);
        let (mut x, mut row) = (from, 0);
        let mut items = Vec::new();
        for (line, name) in lines.chain(hatching) {
            let text = fitting(&name, to - from - SAMPLE - 6.0);
            let width = SAMPLE + 6.0 + width_of(&text);
            if x + width > to && x > from {
                (x, row) = (from, row + 1);
            }
            items.push(Item { x, row, text, line });
            x += width + 18.0;
        }
        Self::Above { height: (row + 1) as f64 * ROW + 8.0, items }
    }

    pub fn draw(canvas: &mut Canvas<'_>, plot: &Plot<'_>, words: &Words) {
        match &plot.names {
            Self::None => {}
            Self::Beside { .. } => beside(canvas, plot, words),
            Self::Above { items, .. } => {
                for item in items {
                    let middle = 12.0 + item.row as f64 * ROW;
                    sample(canvas, plot, item.line, (item.x, middle));
                    let at = (item.x + SAMPLE + 6.0, middle + LETTER * 0.35);
                    canvas.text(at, Align::Start, Paint::Ink, &item.text);
                }
            }
        }
    }
}

fn beside(canvas: &mut Canvas<'_>, plot: &Plot<'_>, words: &Words) {
    let mut ends: Vec<(usize, (f64, f64))> =
        (0..plot.lines.len()).filter_map(|index| Some((index, plot.end_of(index)?))).collect();
    ends.sort_by(|(a, (_, a_y)), (b, (_, b_y))| a_y.total_cmp(b_y).then(a.cmp(b)));
    let wanted: Vec<f64> = ends.iter().map(|(_, (_, y))| *y).collect();
    for ((index, (x, y)), at) in ends.into_iter().zip(spread(&wanted, ROW - 1.0, plot.top, plot.bottom)) {
        let Some(line) = plot.lines.get(index) else { continue };
        let begin = plot.right + LEADER;
        let paint = canvas.paint(Paint::Muted);
        let from = (x.max(plot.right - 4.0).min(plot.right) + 2.0, y);
        let leader = path(&[from, (plot.right + 5.0, y), (begin - 4.0, at), (begin - 1.0, at)]);
        put!(canvas, "<path d=\"{leader}\" fill=\"none\" stroke=\"{paint}\" stroke-width=\"0.7\"/>\n");
        sample(canvas, plot, Some(index), (begin, at));
        canvas.text((begin + SAMPLE + 6.0, at + LETTER * 0.35), Align::Start, Paint::Ink, line.name);
    }
    if has_bands(plot) {
        let width = width_of(words.not_observed) + SAMPLE + 6.0;
        let x = plot.right - width;
        sample(canvas, plot, None, (x, plot.top - 16.0));
        let at = (x + SAMPLE + 6.0, plot.top - 12.0);
        canvas.text(at, Align::Start, Paint::Muted, words.not_observed);
    }
}

fn sample(canvas: &mut Canvas<'_>, plot: &Plot<'_>, line: Option<usize>, (x, y): (f64, f64)) {
    let is_seen = |line: &&Line<'_>| line.values.iter().any(Option::is_some);
    let Some(line) = line.and_then(|index| plot.lines.get(index)).filter(is_seen) else {
        canvas.hatch(x + 3.0, y - 6.0, SAMPLE - 6.0, 12.0);
        return;
    };
    if let Paint::Area(place) = line.paint {
        // The pattern was defined where the area was drawn; defining it again would be a second of its name.
        let fill = areas::reference(canvas, place);
        canvas.rect((x + 5.0, y - 6.0), (SAMPLE - 10.0, 12.0), fill);
        canvas.frame(x + 5.0, y - 6.0, SAMPLE - 10.0, 12.0);
    } else {
        stroke(canvas, &path(&[(x, y), (x + SAMPLE, y)]), line.place, line.paint, WIDE);
        marker(canvas, (x + SAMPLE / 2.0, y), line.place, line.paint);
    }
}

/// Moves places apart until each is so far from the next, within bounds, in their order.
fn spread(wanted: &[f64], apart: f64, low: f64, high: f64) -> Vec<f64> {
    let mut places = wanted.to_vec();
    let mut least = low;
    for place in &mut places {
        *place = place.max(least);
        least = *place + apart;
    }
    let mut most = high;
    for place in places.iter_mut().rev() {
        *place = place.min(most);
        most = *place - apart;
    }
    places
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_move_no_more_than_they_must() {
        assert_eq!(spread(&[10.0, 50.0, 90.0], 17.0, 0.0, 100.0), [10.0, 50.0, 90.0]);
        assert_eq!(spread(&[98.0, 99.0, 100.0], 10.0, 0.0, 100.0), [80.0, 90.0, 100.0]);
    }

    proptest! {
        #[test]
        fn names_never_overlap(mut wanted in prop::collection::vec(0.0..200.0, 0..7)) {
            wanted.sort_by(f64::total_cmp);
            let places = spread(&wanted, 17.0, 0.0, 200.0);
            prop_assert!(places.windows(2).all(|pair| pair[1] - pair[0] >= 17.0 - 1e-9));
            prop_assert!(places.iter().all(|place| (-1e-9..=200.0 + 1e-9).contains(place)));
        }
    }
}
