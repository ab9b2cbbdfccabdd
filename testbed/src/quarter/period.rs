//! Quarters and their days.

use std::fmt;

use jiff::civil::{Date, date};
use jiff::{Span, ToSpan as _};
use serde::Deserialize;

/// A quarter of a year, such as `2024Q2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Quarter {
    first: Date,
}

impl Quarter {
    pub const fn first(self) -> Date {
        self.first
    }

    /// The first day that is not in it.
    pub fn end(self) -> Date {
        moved(self.first, 3.months())
    }

    /// The first day of the quarter before.
    pub fn previous_first(self) -> Date {
        moved(self.first, -3.months())
    }

    /// The days of the quarter before, and of this one.
    pub fn days(self) -> Vec<Date> {
        days(self.previous_first(), self.end())
    }

    pub fn contains(self, day: Date) -> bool {
        (self.first..self.end()).contains(&day)
    }
}

/// Days, of which the last is excluded.
pub fn days(from: Date, to: Date) -> Vec<Date> {
    from.series(1.day()).take_while(|day| *day < to).collect()
}

/// Quarters are of years with four digits, which have neighbours.
fn moved(day: Date, by: Span) -> Date {
    day.saturating_add(by)
}

impl TryFrom<String> for Quarter {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let parts = text.split_once('Q').and_then(|(year, number)| {
            let (year, number): (i16, i8) = (year.parse().ok()?, number.parse().ok()?);
            let is_one = (1990..=2190).contains(&year) && (1..=4).contains(&number);
            is_one.then(|| Self { first: date(year, 3 * number - 2, 1) })
        });
        parts.ok_or_else(|| format!("'{text}' is no quarter: write 2024Q2"))
    }
}

impl fmt::Display for Quarter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}Q{}", self.first.year(), (self.first.month() + 2) / 3)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_has_its_days_and_those_before() {
        let quarter = Quarter::try_from("2024Q1".to_owned()).unwrap();
        assert_eq!(quarter.to_string(), "2024Q1");
        let days = quarter.days();
        assert_eq!(days.len(), 92 + 91);
        assert_eq!((days[0], days[182]), (date(2023, 10, 1), date(2024, 3, 31)));
        assert!(quarter.contains(date(2024, 2, 29)) && !quarter.contains(date(2024, 4, 1)));
    }

    #[test]
    fn what_is_no_quarter_is_refused() {
        for text in ["2024", "2024Q5", "2024q1", "Q1", "99999Q1", "2024Q0"] {
            assert!(Quarter::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}
