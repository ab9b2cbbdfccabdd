//! The days below a figure: days or weeks over months with their year, months over years, hours over days.

use std::ops::Range;

use jiff::civil::{Date, DateTime, Weekday};

use super::canvas::{fitting, width_of};
use crate::language::Language;
use crate::render::calendar::{date, moment, month_forms, month_short, year};

/// Up to here days and weeks are told, then months.
const MOST_DAYS: usize = 130;
/// Up to here months are told, then only years.
const MOST_MONTHS: usize = 8 * 366;
/// Between one label and the next.
const APART: f64 = 6.0;

/// Places are in days from the first one's beginning (or hours, where those are what is shown).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TimeAxis {
    pub ticks: Vec<Tick>,
    pub labels: Vec<Label>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tick {
    pub at: f64,
    /// Down to the second row: where a month or a year begins.
    pub is_long: bool,
}

/// A text around its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    pub at: f64,
    pub is_below: bool,
    pub text: String,
}

/// The axis of days as texts, over a width in units of the view box.
#[must_use]
pub fn of(days: &[String], width: f64, language: Language) -> TimeAxis {
    let mut axis = Axis { axis: TimeAxis::default(), of_one: width / days.len().max(1) as f64 };
    let moments: Option<Vec<DateTime>> = days.iter().map(|day| moment(day)).collect();
    let Some(moments) = moments else {
        axis.as_they_are(days);
        return axis.axis;
    };
    let dates: Vec<Date> = moments.iter().map(|moment| moment.date()).collect();
    let is_hourly = moments.iter().any(|moment| moment.hour() != 0);
    if is_hourly {
        axis.hours(&moments);
        axis.groups(&runs(&dates, |date| *date), |day| {
            let short = format!("{}/{}", day.month(), day.day());
            vec![date(day, language), short]
        });
    } else if dates.len() <= MOST_DAYS {
        axis.days(&dates);
        axis.groups(&runs(&dates, |date| (date.year(), date.month())), |date| month_forms(date, language));
    } else {
        if dates.len() <= MOST_MONTHS {
            axis.months(&dates, language);
        }
        axis.groups(&runs(&dates, |date| date.year()), |date| {
            vec![year(date, language), date.year().to_string()]
        });
    }
    axis.axis
}

/// Ranges of days that have something in common, with the first of each.
fn runs<K: PartialEq>(dates: &[Date], key: impl Fn(&Date) -> K) -> Vec<(Range<usize>, Date)> {
    let mut runs: Vec<(Range<usize>, Date)> = Vec::new();
    for (at, date) in dates.iter().enumerate() {
        match runs.last_mut() {
            Some((run, first)) if key(first) == key(date) => run.end = at + 1,
            _ => runs.push((at..at + 1, *date)),
        }
    }
    runs
}

struct Axis {
    axis: TimeAxis,
    /// Width of one day.
    of_one: f64,
}

impl Axis {
    fn tick(&mut self, at: f64, is_long: bool) {
        self.axis.ticks.push(Tick { at, is_long });
    }

    fn label(&mut self, at: f64, is_below: bool, text: String) {
        self.axis.labels.push(Label { at, is_below, text });
    }

    /// The second row: each group's name, as long as fits in its part, and a tick where it begins.
    fn groups(&mut self, groups: &[(Range<usize>, Date)], forms: impl Fn(Date) -> Vec<String>) {
        let mut free_from = f64::NEG_INFINITY;
        for (index, (days, first)) in groups.iter().enumerate() {
            if index > 0 {
                self.tick(days.start as f64, true);
            }
            let room = days.len() as f64 * self.of_one - APART;
            let middle = (days.start as f64 + days.end as f64) / 2.0;
            let forms = forms(*first);
            let fits = forms.iter().find(|form| width_of(form) <= room);
            // Nothing fits, and it is all there is: it stands out rather than being left off.
            let Some(text) = fits.or(if groups.len() == 1 { forms.first() } else { None }) else { continue };
            let from = middle * self.of_one - width_of(text) / 2.0;
            if from >= free_from {
                free_from = from + width_of(text) + APART;
                self.label(middle, true, text.clone());
            }
        }
    }

    /// Every day, or every Monday, as there is room.
    fn days(&mut self, dates: &[Date]) {
        let room = width_of("30") + APART;
        let is_shown = |date: &Date| self.of_one >= room || date.weekday() == Weekday::Monday;
        let has_labels = self.of_one * 7.0 >= room;
        let shown: Vec<(usize, i8)> = dates
            .iter()
            .enumerate()
            .filter(|(_, date)| is_shown(date))
            .map(|(at, date)| (at, date.day()))
            .collect();
        for (at, day) in shown {
            let middle = at as f64 + 0.5;
            self.tick(middle, false);
            if has_labels {
                self.label(middle, false, day.to_string());
            }
        }
    }

    fn months(&mut self, dates: &[Date], language: Language) {
        let months = runs(dates, |date| (date.year(), date.month()));
        let widest =
            months.iter().map(|(_, first)| width_of(&month_short(*first, language))).fold(0.0, f64::max);
        let of_month = 30.0 * self.of_one;
        let every =
            [1_u8, 2, 3, 6, 12].into_iter().find(|every| of_month * f64::from(*every) >= widest + APART);
        for (days, first) in months {
            if days.start > 0 {
                self.tick(days.start as f64, false);
            }
            let is_whole = days.len() as f64 * self.of_one >= widest;
            let is_shown =
                every.is_some_and(|every| (first.month().unsigned_abs() - 1).is_multiple_of(every));
            if is_shown && (is_whole || every != Some(1)) && days.len() >= 15 {
                let middle = (days.start as f64 + days.end as f64) / 2.0;
                self.label(middle, false, month_short(first, language));
            }
        }
    }

    fn hours(&mut self, moments: &[DateTime]) {
        let room = width_of("00:00") + 2.0 * APART;
        let days = runs(&moments.iter().map(|moment| moment.date()).collect::<Vec<_>>(), |date| *date).len();
        let of_hour =
            self.of_one * moments.len() as f64 / (days as f64 * 24.0).min(moments.len() as f64).max(1.0);
        let Some(every) = [1, 2, 3, 6, 12].into_iter().find(|every| of_hour * f64::from(*every) >= room)
        else {
            return;
        };
        for (at, moment) in moments.iter().enumerate() {
            let (hour, minute) = (moment.hour(), moment.minute());
            if minute == 0 && hour.unsigned_abs().is_multiple_of(every) {
                self.tick(at as f64, false);
                // Through the first hour of another day goes the long tick of that day.
                if at == 0 || hour != 0 {
                    self.label(at as f64, false, format!("{hour:02}:00"));
                }
            }
        }
    }

    /// What is no day is told as it is, as often as there is room.
    fn as_they_are(&mut self, days: &[String]) {
        const ROOM: f64 = 80.0;
        let every = (ROOM / self.of_one).ceil().max(1.0) as usize;
        for (at, day) in days.iter().enumerate().step_by(every) {
            self.tick(at as f64 + 0.5, false);
            self.label(at as f64 + 0.5, false, fitting(day, ROOM - APART));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(first: &str, count: usize) -> Vec<String> {
        let first: Date = first.parse().unwrap();
        first.series(jiff::Span::new().days(1)).take(count).map(|date| date.to_string()).collect()
    }

    fn row(axis: &TimeAxis, is_below: bool) -> Vec<&str> {
        axis.labels.iter().filter(|label| label.is_below == is_below).map(|label| &*label.text).collect()
    }

    #[test]
    fn a_quarter_has_its_mondays_and_months() {
        let axis = of(&days("2024-04-01", 91), 560.0, Language::English);
        assert_eq!(row(&axis, true), ["April 2024", "May 2024", "June 2024"]);
        assert_eq!(
            row(&axis, false),
            ["1", "8", "15", "22", "29", "6", "13", "20", "27", "3", "10", "17", "24"]
        );
        let axis = of(&days("2024-04-01", 91), 300.0, Language::Japanese);
        assert_eq!(row(&axis, true), ["2024年4月", "2024年5月", "2024年6月"]);
    }

    #[test]
    fn a_year_has_its_months() {
        let axis = of(&days("2024-01-01", 366), 600.0, Language::Japanese);
        assert_eq!(row(&axis, true), ["2024年"]);
        assert_eq!(row(&axis, false).len(), 12);
        let axis = of(&days("2023-07-01", 3_650), 600.0, Language::English);
        assert!(row(&axis, false).is_empty() && row(&axis, true).contains(&"2024"));
    }

    #[test]
    fn a_day_alone_is_told() {
        let axis = of(&days("2024-02-29", 1), 560.0, Language::English);
        assert_eq!((row(&axis, false), row(&axis, true)), (vec!["29"], vec!["February 2024"]));
    }

    #[test]
    fn hours_stand_over_their_day() {
        let hours: Vec<String> =
            (0..48).map(|hour| format!("2024-04-0{}T{:02}:00Z", 1 + hour / 24, hour % 24)).collect();
        let axis = of(&hours, 560.0, Language::English);
        assert_eq!(row(&axis, true), ["1 April 2024", "2 April 2024"]);
        assert_eq!(
            row(&axis, false),
            ["00:00", "06:00", "12:00", "18:00", "06:00", "12:00", "18:00"],
            "where another day begins there is its tick"
        );
    }

    #[test]
    fn what_is_no_day_is_told_as_it_is() {
        let axis = of(&["one".into(), "two".into()], 300.0, Language::English);
        assert_eq!(row(&axis, false), ["one", "two"]);
    }
}
