//! Figures: lines that stretch with the page, and words beside them that do not.
//!
//! What stretches is SVG without a word in it; axes and legend are HTML, so that they are as legible on a phone as on a wall.
//! Lines differ by their dashes besides their colours. Where nobody was observing, a line has a gap.

use std::fmt::Write as _;

use super::html::{Escaped, count};
use super::words;
use crate::language::Language;
use crate::report::model::Figure;

const HEIGHT: f64 = 100.0;
/// Places of the grid's lines, from the top.
const STEPS: u32 = 4;
/// Words below the axis at most.
const MOST_MARKS: usize = 5;

/// The least number of one, two or five and zeros that is not below a value, times the steps: where the axis ends.
fn top(most: f64) -> f64 {
    let step = (most / f64::from(STEPS)).max(1.0);
    let magnitude = 10_f64.powf(step.log10().floor());
    let round = [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().find(|round| round * magnitude >= step - 1e-9);
    let step = round.unwrap_or(10.0) * magnitude;
    step.ceil() * f64::from(STEPS)
}

/// The strokes of a line: as many as there are stretches that were observed.
fn path(values: &[Option<f64>], top: f64) -> String {
    let width = (values.len().saturating_sub(1)).max(1) as f64;
    let mut path = String::new();
    let mut is_down = false;
    for (place, value) in values.iter().enumerate() {
        let Some(value) = value else {
            is_down = false;
            continue;
        };
        let x = if values.len() == 1 { 500.0 } else { place as f64 / width * 1000.0 };
        let y = HEIGHT - value / top * HEIGHT;
        let letter = if is_down { 'L' } else { 'M' };
        let _infallible = write!(path, "{letter}{x:.1} {y:.2}");
        let is_alone = !is_down && values.get(place + 1).is_none_or(Option::is_none);
        if is_alone {
            // A line of no length has round ends, and so is a dot.
            path += "h0.01";
        }
        is_down = true;
    }
    path
}

/// Draws a figure.
pub fn figure(figure: &Figure, language: Language) -> String {
    let values = figure.series.iter().flat_map(|series| series.values.iter().flatten());
    let top = top(values.fold(0.0, |most, value| f64::max(most, *value)));
    let mut html = String::new();
    let title = Escaped(figure.title.of(language));
    let unit = Escaped(figure.unit.of(language));
    let _infallible =
        write!(html, "<figure class=\"figure\"><figcaption>{title} <span>({unit})</span></figcaption>");
    let _infallible = write!(html, "<div class=\"plot\"><div class=\"axis\" aria-hidden=\"true\">");
    for step in (0..=STEPS).rev() {
        let value = top / f64::from(STEPS) * f64::from(step);
        let _infallible = write!(html, "<span>{}</span>", short(value));
    }
    let _infallible = write!(
        html,
        "</div><svg viewBox=\"0 -2 1000 104\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{title}\">"
    );
    for step in 0..=STEPS {
        let y = HEIGHT / f64::from(STEPS) * f64::from(step);
        let _infallible = write!(html, "<path class=\"grid\" d=\"M0 {y}H1000\"/>");
    }
    gaps(figure, &mut html);
    // The greatest on top of the others.
    for (number, series) in figure.series.iter().enumerate().rev() {
        let _infallible =
            write!(html, "<path class=\"line s{number}\" d=\"{}\"/>", path(&series.values, top));
    }
    html += "</svg><div></div><svg class=\"marks\" aria-hidden=\"true\">";
    for (percent, anchor, mark) in marks(&figure.days) {
        let mark = Escaped(mark);
        let _infallible =
            write!(html, "<text x=\"{percent:.2}%\" y=\"12\" text-anchor=\"{anchor}\">{mark}</text>");
    }
    html += "</svg></div><ul class=\"legend\">";
    for (number, series) in figure.series.iter().enumerate() {
        let sum: f64 = series.values.iter().flatten().sum();
        let _infallible = write!(
            html,
            "<li><svg class=\"sample\" viewBox=\"0 0 30 8\" aria-hidden=\"true\"><path class=\"line s{number}\" \
             d=\"M1 4H29\"/></svg>{}",
            Escaped(series.name.of(language))
        );
        if figure.series.len() > 1 {
            let _infallible = write!(html, " <span>{}</span>", count(sum as u64));
        }
        html += "</li>";
    }
    if (0..figure.days.len()).any(|place| is_gap(figure, place)) {
        let _infallible = write!(
            html,
            "<li><svg class=\"sample\" viewBox=\"0 0 30 8\" aria-hidden=\"true\"><rect class=\"gap\" width=\"30\" \
             height=\"8\"/></svg>{}</li>",
            words::NOT_OBSERVED.of(language)
        );
    }
    html += "</ul></figure>";
    html
}

/// Whether nobody was observing.
fn is_gap(figure: &Figure, place: usize) -> bool {
    figure.series.iter().all(|series| series.values.get(place).is_none_or(Option::is_none))
}

/// Shades where no series has a value.
fn gaps(figure: &Figure, html: &mut String) {
    let places = figure.days.len();
    let width = places.saturating_sub(1).max(1) as f64;
    let mut place = 0;
    while place < places {
        let begin = place;
        while place < places && is_gap(figure, place) {
            place += 1;
        }
        if place > begin {
            let from = ((begin as f64 - 0.5) / width * 1000.0).max(0.0);
            let to = ((place as f64 - 0.5) / width * 1000.0).min(1000.0);
            let _infallible = write!(
                html,
                "<rect class=\"gap\" x=\"{from:.1}\" y=\"0\" width=\"{:.1}\" height=\"{HEIGHT}\"/>",
                to - from
            );
        }
        place += 1;
    }
}

/// A number on an axis, in a few characters.
fn short(value: f64) -> String {
    let with = |divided: f64, letter: &str| {
        let text = format!("{divided:.1}");
        format!("{}{letter}", text.strip_suffix(".0").unwrap_or(&text))
    };
    match value {
        value if value >= 1e9 => with(value / 1e9, "G"),
        value if value >= 1e6 => with(value / 1e6, "M"),
        value if value >= 1e4 => with(value / 1e3, "k"),
        value => count(value as u64),
    }
}

/// Words below the axis, of hours without their day: at how much of its width, which part of them is there, and the words.
fn marks(days: &[String]) -> Vec<(f64, &'static str, &str)> {
    let last = days.len().saturating_sub(1);
    let step = days.len().div_ceil(MOST_MARKS).max(1);
    let words = days.iter().enumerate().step_by(step);
    words
        .map(|(place, day)| {
            let words = match day.split_once(' ') {
                Some((_, hour)) => hour,
                None => day.get(5..).unwrap_or(day),
            };
            let anchor = match place {
                0 => "start",
                place if place == last => "end",
                _ => "middle",
            };
            (place as f64 / last.max(1) as f64 * 100.0, anchor, words)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Text;
    use crate::report::model::{Series, Style};

    #[test]
    fn what_was_not_observed_is_a_gap_and_never_zero() {
        assert_eq!(path(&[Some(0.0), None, Some(10.0)], 10.0), "M0.0 100.00h0.01M1000.0 0.00h0.01");
        assert_eq!(path(&[Some(5.0), Some(10.0), None], 10.0), "M0.0 50.00L500.0 0.00");
        assert_eq!(path(&[Some(0.0)], 4.0), "M500.0 100.00h0.01");
        assert_eq!(path(&[None, None], 4.0), "");
    }

    #[test]
    fn words_stand_below_what_they_are_of() {
        let days: Vec<String> = (1..=7).map(|day| format!("2026-01-0{day}")).collect();
        let marks = marks(&days);
        let words: Vec<_> =
            marks.iter().map(|(percent, anchor, word)| (percent.round(), *anchor, *word)).collect();
        let expected = [
            (0.0, "start", "01-01"),
            (33.0, "middle", "01-03"),
            (67.0, "middle", "01-05"),
            (100.0, "end", "01-07"),
        ];
        assert_eq!(words, expected);
        assert_eq!(super::marks(&["2026-01-01 07:00".to_owned()]), [(0.0, "start", "07:00")]);
    }

    #[test]
    fn axes_end_at_round_numbers() {
        let tops = [0.0, 1.0, 4.0, 5.0, 37.0, 100.0, 1_234.0].map(top);
        assert_eq!(tops, [4.0, 4.0, 4.0, 8.0, 40.0, 100.0, 2_000.0]);
        assert_eq!([0.0, 9_999.0, 12_500.0, 2e6, 3e9].map(short), ["0", "9,999", "12.5k", "2M", "3G"]);
    }

    #[test]
    fn a_name_is_no_markup_in_a_figure() {
        let series = Series {
            id: "s0".into(),
            name: Text::same("<script>\"&"),
            values: vec![Some(1.0), None],
            is_on_right_axis: false,
        };
        let drawn = figure(
            &Figure {
                id: "f".into(),
                title: Text::same("<b>\""),
                style: Style::Lines,
                unit: Text::same("<i>"),
                right_unit: None,
                days: vec!["2026-01-01".into(), "2026-01-02".into()],
                series: vec![series],
            },
            Language::English,
        );
        assert!(!drawn.contains("<script>") && !drawn.contains("<b>") && !drawn.contains("<i>"), "{drawn}");
        assert!(drawn.contains("class=\"gap\"") && drawn.contains(">01-02<"), "{drawn}");
        assert!(!drawn.contains("style="), "{drawn}");
    }
}
