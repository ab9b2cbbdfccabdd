//! The days that a report is of, and those before, which it is compared with.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;

use super::model::Span;
use crate::store::Day;

/// A quarter of a year, such as `2024Q2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quarter {
    year: i16,
    /// From 1 to 4.
    number: i8,
}

impl Quarter {
    const fn before(self) -> Self {
        match self.number {
            1 => Self { year: self.year - 1, number: 4 },
            number => Self { year: self.year, number: number - 1 },
        }
    }

    const fn next(self) -> Self {
        match self.number {
            4 => Self { year: self.year + 1, number: 1 },
            number => Self { year: self.year, number: number + 1 },
        }
    }

    /// Its first day; none before 1970.
    fn first_day(self) -> Option<Day> {
        let date = Date::new(self.year, self.number * 3 - 2, 1).ok()?;
        date.to_string().parse().ok()
    }

    #[must_use]
    pub const fn year(self) -> i16 {
        self.year
    }

    /// Its first and its last month.
    #[must_use]
    pub const fn months(self) -> (i8, i8) {
        (self.number * 3 - 2, self.number * 3)
    }
}

impl fmt::Display for Quarter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}Q{}", self.year, self.number)
    }
}

impl FromStr for Quarter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once(['Q', 'q']);
        let quarter = parts.and_then(|(year, number)| {
            let year = year.parse().ok().filter(|_| year.len() == 4 && !year.starts_with(['+', '-']))?;
            let number = ["1", "2", "3", "4"].iter().position(|one| *one == number)?;
            Some(Self { year, number: i8::try_from(number).ok()? + 1 })
        });
        // A quarter is compared with the one before.
        quarter
            .filter(|quarter| quarter.before().first_day().is_some() && quarter.year < 2200)
            .ok_or_else(|| format!("\"{text}\" is not a quarter such as 2024Q2, from 1970Q2 on"))
    }
}

/// Why there is no period.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum PeriodError {
    #[error("the period ends before it begins: --to is the first day that is not in it")]
    Empty,
    #[error("a period has at most {MOST_DAYS} days")]
    Long,
    #[error("as many days before {0} would begin before 1970: a report compares with them")]
    Early(Day),
}

/// Ten years: figures have a value for each day.
const MOST_DAYS: u32 = 3_660;

/// A period and the one before, which end where the next one begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReportPeriod {
    pub previous_from: Day,
    pub from: Day,
    /// The first day that is in it no more.
    pub to: Day,
    pub quarter: Option<Quarter>,
}

impl ReportPeriod {
    #[must_use]
    pub fn of_quarter(quarter: Quarter) -> Self {
        let first = |quarter: Quarter| quarter.first_day().unwrap_or_default();
        Self {
            previous_from: first(quarter.before()),
            from: first(quarter),
            to: first(quarter.next()),
            quarter: Some(quarter),
        }
    }

    /// Any days, the second excluded; a quarter where they are one.
    ///
    /// # Errors
    /// Where there are none, or none before them.
    pub fn of_days(from: Day, to: Day) -> Result<Self, PeriodError> {
        let days = to.0.checked_sub(from.0).filter(|days| *days > 0).ok_or(PeriodError::Empty)?;
        if days > MOST_DAYS {
            return Err(PeriodError::Long);
        }
        let previous = from.0.checked_sub(days).ok_or(PeriodError::Early(from))?;
        let date = from.to_string();
        let year_and_month =
            date.split_once('-').and_then(|(year, rest)| Some((year, rest.split_once('-')?.0)));
        let quarter = year_and_month.and_then(|(year, month)| {
            let number = month.parse::<u8>().ok()?.div_ceil(3);
            format!("{year}Q{number}").parse().ok()
        });
        let quarter = quarter.map(Self::of_quarter).filter(|whole| (whole.from, whole.to) == (from, to));
        Ok(quarter.unwrap_or(Self { previous_from: Day(previous), from, to, quarter: None }))
    }

    /// Days of both periods.
    #[must_use]
    pub const fn all_days(&self) -> usize {
        (self.to.0 - self.previous_from.0) as usize
    }

    /// Days of the period before, and so the place of the first day among those of both.
    #[must_use]
    pub const fn offset(&self) -> usize {
        (self.from.0 - self.previous_from.0) as usize
    }

    /// The place of a day among those of both.
    #[must_use]
    pub fn place(&self, day: Day) -> Option<usize> {
        let place = day.0.checked_sub(self.previous_from.0)? as usize;
        (place < self.all_days()).then_some(place)
    }

    /// The day at a place among those of both.
    #[must_use]
    pub const fn day(&self, place: usize) -> Day {
        Day(self.previous_from.0 + place as u32)
    }

    /// The days of the period as a report writes them.
    #[must_use]
    pub fn days(&self) -> Vec<String> {
        (self.from.0..self.to.0).map(|day| Day(day).to_string()).collect()
    }

    #[must_use]
    pub fn span(&self) -> Span {
        span(self.quarter, self.from, self.to)
    }

    #[must_use]
    pub fn previous_span(&self) -> Span {
        span(self.quarter.map(Quarter::before), self.previous_from, self.from)
    }
}

fn span(quarter: Option<Quarter>, from: Day, to: Day) -> Span {
    let name = quarter.map(|quarter| quarter.to_string());
    Span { name, from: from.to_string(), to: to.to_string(), days: to.0 - from.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    #[test]
    fn quarters_follow_each_other() {
        let period = ReportPeriod::of_quarter("2024Q1".parse().unwrap());
        let days = (period.previous_from, period.from, period.to);
        assert_eq!(days, (day("2023-10-01"), day("2024-01-01"), day("2024-04-01")));
        assert_eq!(period.span().days, 91);
        assert_eq!(period.previous_span().name.as_deref(), Some("2023Q4"));
        assert_eq!(period.previous_span().days as usize, period.offset());
        assert_eq!(ReportPeriod::of_days(day("2024-01-01"), day("2024-04-01")), Ok(period));
        for text in ["2024Q5", "24Q1", "2024", "1970Q1", "+024Q1", "2024Q1 ", "9999Q1"] {
            assert!(text.parse::<Quarter>().is_err(), "{text}");
        }
    }

    #[test]
    fn any_days_are_compared_with_as_many_before() {
        let period = ReportPeriod::of_days(day("2024-03-01"), day("2024-03-08")).unwrap();
        assert_eq!(period.previous_from, day("2024-02-23"));
        assert_eq!((period.offset(), period.all_days(), period.span().name), (7, 14, None));
        assert_eq!(period.place(day("2024-03-01")), Some(7));
        assert_eq!((period.place(day("2024-03-08")), period.place(day("2024-02-22"))), (None, None));
        assert_eq!(period.day(7), day("2024-03-01"));
        assert_eq!(ReportPeriod::of_days(Day(9), Day(9)), Err(PeriodError::Empty));
        assert_eq!(ReportPeriod::of_days(Day(9), Day(19)), Err(PeriodError::Early(Day(9))));
        assert_eq!(ReportPeriod::of_days(Day(9), Day(9_999)), Err(PeriodError::Long));
    }
}
