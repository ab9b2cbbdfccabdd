//! What a text can show of a figure: each series by week in block characters, and the weeks' means.

use super::grid;
use crate::language::Language;
use crate::render::calendar::day;
use crate::render::escape::markdown as escaped;
use crate::render::numbers::{Measure, NOTHING, count};
use crate::render::words::Words;
use crate::report::model::{Figure, Matrix};

const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// A week that was not observed.
const GAP: char = '·';
const WEEK: usize = 7;

/// Sparklines and weekly means.
pub fn figure(figure: &Figure, language: Language) -> String {
    let words = Words::of(language);
    let unit = escaped(figure.unit.of(language));
    let right = figure
        .right_unit
        .as_ref()
        .map(|unit| format!("; {}{}", escaped(unit.of(language)), words.right_axis));
    let unit = format!("{unit}{}", right.unwrap_or_default());
    let days = figure.days.len();
    let values: Vec<Vec<Option<f64>>> = figure
        .series
        .iter()
        .map(|series| (0..days).map(|day| value(series.values.get(day))).collect())
        .collect();
    if values.iter().flatten().all(Option::is_none) {
        return format!("{unit}{}{}\n\n", words.colon, words.nothing_observed);
    }
    let weeks: Vec<Vec<Option<f64>>> =
        values.iter().map(|values| values.chunks(WEEK).map(mean).collect()).collect();
    let measures: Vec<Measure> =
        values.iter().map(|values| Measure::of(values.iter().flatten().copied())).collect();
    let head = [words.series, words.trend, words.mean, words.lowest, words.highest].map(str::to_owned);
    let rows = figure.series.iter().zip(&values).zip(&weeks).zip(&measures).map(
        |(((series, values), weeks), measure)| {
            let least = values.iter().flatten().copied().min_by(f64::total_cmp);
            let most = values.iter().flatten().copied().max_by(f64::total_cmp);
            let name = if series.is_on_right_axis { words.right_axis } else { "" };
            let name = format!("{}{name}", escaped(series.name.of(language)));
            let number = |value| number(value, *measure);
            vec![name, sparkline(weeks), number(mean(values)), number(least), number(most)]
        },
    );
    let summary = grid(&head, &[false, false, true, true, true], rows);
    let names = figure.series.iter().map(|series| escaped(series.name.of(language)));
    let head: Vec<String> = [words.week_from.to_owned()].into_iter().chain(names).collect();
    let mut are_numbers = vec![true; head.len()];
    are_numbers[0] = false;
    let rows = figure.days.iter().step_by(WEEK).enumerate().map(|(week, first)| {
        let of_week = weeks.iter().zip(&measures);
        let of_week = of_week.map(|(weeks, measure)| number(weeks.get(week).copied().flatten(), *measure));
        [escaped(&day(first, language))].into_iter().chain(of_week).collect()
    });
    let means = grid(&head, &are_numbers, rows);
    format!("{unit}\n\n{summary}{}\n\n{means}", words.weekly_means)
}

/// Each row's weeks, sum, and highest day.
pub fn matrix(matrix: &Matrix, language: Language) -> String {
    let words = Words::of(language);
    let head =
        [words.row, words.trend, words.observed_total, words.highest, words.highest_day].map(str::to_owned);
    let unit = escaped(matrix.unit.of(language));
    if matrix.rows.is_empty() || matrix.days.is_empty() {
        return format!("{unit}{}{}\n\n", words.colon, words.nothing_observed);
    }
    let rows = matrix.rows.iter().map(|row| {
        let values: Vec<Option<u64>> =
            (0..matrix.days.len()).map(|day| row.values.get(day).copied().flatten()).collect();
        let counts: Vec<Option<f64>> = values.iter().map(|value| value.map(|value| value as f64)).collect();
        let weeks: Vec<Option<f64>> = counts.chunks(WEEK).map(mean).collect();
        let total = values.iter().flatten().fold(0_u64, |sum, value| sum.saturating_add(*value));
        let known = values.iter().zip(&matrix.days).filter_map(|(value, day)| Some(((*value)?, day)));
        // Of days alike the first.
        let most = known.rev().max_by_key(|(value, _)| *value);
        let nothing = || NOTHING.to_owned();
        vec![
            escaped(row.name.of(language)),
            sparkline(&weeks),
            most.map_or_else(nothing, |_| count(total as f64)),
            most.map_or_else(nothing, |(value, _)| count(value as f64)),
            most.map_or_else(nothing, |(_, text)| escaped(&day(text, language))),
        ]
    });
    format!("{unit}\n\n{}", grid(&head, &[false, false, true, true, false], rows))
}

fn value(value: Option<&Option<f64>>) -> Option<f64> {
    value.copied().flatten().filter(|value| value.is_finite())
}

fn number(value: Option<f64>, measure: Measure) -> String {
    value.map_or_else(|| NOTHING.to_owned(), |value| measure.write(value))
}

/// Of what is known.
fn mean(values: &[Option<f64>]) -> Option<f64> {
    let known = values.iter().flatten().count() as f64;
    // Divided first, so that no sum is too great for its type.
    (known > 0.0).then(|| values.iter().flatten().map(|value| value / known).sum())
}

/// From zero to the highest.
fn sparkline(values: &[Option<f64>]) -> String {
    let most = values.iter().flatten().copied().fold(0.0, f64::max);
    let block = |value: &Option<f64>| match value {
        None => GAP,
        Some(value) if most > 0.0 => BLOCKS[((value.max(0.0) / most * 7.0).round() as usize).min(7)],
        Some(_) => BLOCKS[0],
    };
    values.iter().map(block).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_week_without_days_is_no_zero() {
        assert_eq!(sparkline(&[Some(0.0), None, Some(5.0), Some(10.0)]), "▁·▅█");
        assert_eq!(mean(&[None, Some(2.0), Some(4.0)]), Some(3.0));
        assert_eq!(mean(&[None]), None);
    }
}
