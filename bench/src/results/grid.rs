//! A figure as a table of words: the same one in the terminal, on the page, and in documents.

use collector::render::numbers::{Measure, NOTHING, count};

use super::{Figure, Measured, Plot, Point, Quantiles, Series};
use crate::statistics::Spread;

/// The first column says what a row is of; all others are numbers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Grid {
    pub head: Vec<String>,
    pub rows: Vec<Vec<String>>,
    /// Why something is not in it.
    pub notes: Vec<String>,
}

impl Grid {
    #[must_use]
    pub fn of(figure: &Figure) -> Self {
        match &figure.plot {
            Plot::Bars(bars) => Self::of_bars(bars),
            Plot::Lines { x, series, .. } => Self::of_lines(&x.title, series),
            Plot::Quantiles(quantiles) => Self::of_quantiles(quantiles),
        }
    }

    fn of_bars(bars: &[super::Bar]) -> Self {
        let spreads = bars.iter().filter_map(|bar| match &bar.measured {
            Measured::Spread(spread) => Some(spread),
            Measured::Absent(_) => None,
        });
        let measure = Measure::of(spreads.flat_map(|spread| [spread.min, spread.median, spread.max]));
        let mut notes = Vec::new();
        let mut row = |bar: &super::Bar| {
            let figures = match &bar.measured {
                Measured::Spread(Spread { min, median, max, rounds, .. }) => {
                    let [min, median, max] = [min, median, max].map(|figure| measure.write(*figure));
                    [min, median, max, rounds.to_string()]
                }
                Measured::Absent(reason) => {
                    notes.push(format!("{}: not measured: {reason}", bar.label));
                    [NOTHING; 4].map(Into::into)
                }
            };
            [bar.label.clone()].into_iter().chain(figures).collect()
        };
        let rows = bars.iter().map(&mut row).collect();
        Self { head: ["", "min", "median", "max", "rounds"].map(Into::into).into(), rows, notes }
    }

    fn of_lines(x: &str, series: &[Series]) -> Self {
        let points = || series.iter().flat_map(|series| &series.points);
        let mut places: Vec<f64> = points().map(|point| point.x).collect();
        places.sort_by(f64::total_cmp);
        places.dedup();
        let of_place = Measure::of(places.iter().copied());
        let row = |place: &f64| {
            let cell = |series: &Series| {
                let measure = Measure::of(series.points.iter().map(|point| point.y.median));
                let found = series.points.iter().find(|point| point.x.total_cmp(place).is_eq());
                found.map_or_else(|| NOTHING.into(), |point| Self::point(point, measure))
            };
            [of_place.write(*place)].into_iter().chain(series.iter().map(cell)).collect()
        };
        let head = [x.to_owned()].into_iter().chain(series.iter().map(|series| series.label.clone()));
        Self { head: head.collect(), rows: places.iter().map(row).collect(), notes: Vec::new() }
    }

    fn point(Point { y, .. }: &Point, measure: Measure) -> String {
        let [min, median, max] = [y.min, y.median, y.max].map(|figure| measure.write(figure));
        if y.rounds > 1 { format!("{median} ({min} to {max})") } else { median }
    }

    fn of_quantiles(quantiles: &[Quantiles]) -> Self {
        let of = |quantiles: &Quantiles| {
            let Quantiles { p50, p90, p99, p999, max, .. } = *quantiles;
            [p50, p90, p99, p999, max]
        };
        let measure = Measure::of(quantiles.iter().flat_map(of));
        let row = |quantiles: &Quantiles| {
            let values = of(quantiles).map(|value| measure.write(value));
            #[expect(clippy::cast_precision_loss, reason = "grouped by thousands")]
            let number = count(quantiles.count as f64);
            [quantiles.label.clone(), number].into_iter().chain(values).collect()
        };
        let head = ["", "values", "p50", "p90", "p99", "p99.9", "max"].map(Into::into).into();
        Self { head, rows: quantiles.iter().map(row).collect(), notes: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing;
    use super::*;

    fn grid(name: &str) -> Grid {
        Grid::of(&testing::figure(name))
    }

    #[test]
    fn bars_have_their_spread_and_who_is_absent_its_reason() {
        let grid = grid("bars");
        assert_eq!(grid.rows[0], ["bare drop", "17.4", "18.8", "21.8", "21"]);
        assert_eq!(grid.rows[2], ["<argus> & co", "–", "–", "–", "–"]);
        assert_eq!(grid.notes, ["<argus> & co: not measured: no package of that name"]);
    }

    #[test]
    fn lines_have_a_row_for_each_place() {
        let grid = grid("lines");
        assert_eq!(grid.head, ["sources", "sensor", "collector"]);
        assert_eq!(grid.rows[0], ["1", "11 (10 to 12)", "–"]);
        assert_eq!(grid.rows[2], ["1,000,000", "26 (25 to 27)", "150"]);
    }

    #[test]
    fn quantiles_are_in_order() {
        let grid = grid("quantiles");
        assert_eq!(grid.head.len(), grid.rows[0].len());
        assert_eq!(grid.rows[0], ["stored", "1,234", "0.66", "0.89", "1.08", "1.20", "1.31"]);
    }
}
