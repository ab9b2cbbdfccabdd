//! Days of UTC, and periods.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

pub const NANOSECONDS_OF_DAY: u64 = 86_400_000_000_000;
pub const NANOSECONDS_OF_HOUR: u64 = 3_600_000_000_000;

/// A day of UTC, counted from 1 January 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub u32);

impl Day {
    /// The day of a moment, nanoseconds since the Unix epoch.
    #[must_use]
    pub fn of(nanoseconds: u64) -> Self {
        Self(u32::try_from(nanoseconds / NANOSECONDS_OF_DAY).unwrap_or(u32::MAX))
    }

    /// Its first moment, nanoseconds since the Unix epoch.
    #[must_use]
    pub const fn start(self) -> u64 {
        (self.0 as u64).saturating_mul(NANOSECONDS_OF_DAY)
    }

    /// So many days earlier, not before 1970.
    #[must_use]
    pub const fn before(self, days: u32) -> Self {
        Self(self.0.saturating_sub(days))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Timestamp::from_second(i64::from(self.0) * 86_400) {
            Ok(time) => time.to_zoned(TimeZone::UTC).date().fmt(formatter),
            Err(_) => write!(formatter, "day {}", self.0),
        }
    }
}

impl FromStr for Day {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let date = Date::from_str(text).map_err(|error| error.to_string())?;
        let time = date.to_zoned(TimeZone::UTC).map_err(|error| error.to_string())?.timestamp();
        u64::try_from(time.as_nanosecond())
            .map(Self::of)
            .map_err(|_| format!("{text} is before 1970, when there was no telescope of this kind"))
    }
}

/// From a moment, included, to a moment, excluded; nanoseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    pub from: u64,
    pub to: u64,
}

impl Period {
    /// All that a store can hold.
    pub const ALL: Self = Self { from: 0, to: i64::MAX as u64 };

    /// Whole days, the second excluded.
    #[must_use]
    pub const fn days(from: Day, to: Day) -> Self {
        Self { from: from.start(), to: to.start() }
    }

    /// The first day that it touches, and the first that it does not.
    #[must_use]
    pub fn bounds(self) -> (Day, Day) {
        let last = Day::of(self.to.saturating_sub(1).max(self.from));
        let end = if self.to > self.from { Day(last.0.saturating_add(1)) } else { Day::of(self.from) };
        (Day::of(self.from), end)
    }
}

/// A moment as people write it: a day of UTC, or a time with its offset.
///
/// # Errors
/// Where it is neither.
pub fn moment(text: &str) -> Result<u64, String> {
    if let Ok(day) = text.parse::<Day>() {
        return Ok(day.start());
    }
    let time = Timestamp::from_str(text).map_err(|error| {
        format!("{error}; write a day of UTC (2026-01-31) or a time with its offset (2026-01-31T12:00:00Z)")
    })?;
    u64::try_from(time.as_nanosecond()).map_err(|_| format!("{text} is before 1970"))
}

/// A time in words, UTC; always with nine decimals, so that words are in the order of their times.
#[must_use]
pub fn utc(nanoseconds: u64) -> String {
    match Timestamp::from_nanosecond(i128::from(nanoseconds)) {
        Ok(time) => format!("{time:.9}"),
        Err(_) => format!("{nanoseconds} ns"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        for (text, day) in
            [("1970-01-01", 0), ("2000-02-29", 11_016), ("2024-02-29", 19_782), ("2026-01-01", 20_454)]
        {
            assert_eq!(text.parse(), Ok(Day(day)));
            assert_eq!(Day(day).to_string(), text);
            assert_eq!(Day::of(Day(day).start()), Day(day));
            assert_eq!(Day::of(Day(day + 1).start() - 1), Day(day));
        }
        assert!("2023-02-29".parse::<Day>().is_err());
        assert!("1969-12-31".parse::<Day>().is_err());
    }

    #[test]
    fn a_period_touches_the_days_that_it_has_a_moment_of() {
        let day = Day(20_000);
        let next = Day(20_001);
        assert_eq!(Period::days(day, next).bounds(), (day, next));
        assert_eq!(Period { from: day.start(), to: next.start() + 1 }.bounds(), (day, Day(20_002)));
        assert_eq!(Period { from: day.start() + 5, to: day.start() + 5 }.bounds(), (day, day));
    }

    #[test]
    fn times_in_words_are_in_the_order_of_the_times() {
        let second = 1_767_225_600_000_000_000;
        let times = [second, second + 1, second + 500_000_000, second + 1_000_000_000].map(utc);
        assert!(times.is_sorted(), "{times:?}");
        assert_eq!(times[2], "2026-01-01T00:00:00.500000000Z");
    }

    #[test]
    fn moments_are_days_or_times() {
        assert_eq!(moment("1970-01-02"), Ok(NANOSECONDS_OF_DAY));
        assert_eq!(moment("1970-01-02T01:00:00+01:00"), Ok(NANOSECONDS_OF_DAY));
        assert!(moment("yesterday").is_err());
    }
}
