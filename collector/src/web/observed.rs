//! What was observed at all: when each sensor was counting, and what of it no flow tells of.

use std::collections::{BTreeMap, BTreeSet};

use super::answers::Entry;
use super::course::{Place, integer, place};
use super::topics::{BESIDE_FLOWS, HOURS_FROM, UPTIME};
use super::words::{self, Word};
use crate::store::{Day, Value};

/// What observed addresses were sent in the intervals of a sensor that began in an hour or day, and what of it is in no flow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Beside {
    pub observed: u64,
    pub missing: u64,
}

impl Beside {
    /// Whether flows tell nothing at all of what was there.
    const fn is_all(self) -> bool {
        self.observed > 0 && self.missing >= self.observed
    }
}

/// What was observed, by hour or day and by sensor.
#[derive(Debug, Default)]
pub struct Observed {
    /// Seconds that each sensor was counting.
    pub uptime: BTreeMap<(Place, String), f64>,
    beside: BTreeMap<(String, Place), Beside>,
    sensors: BTreeMap<Place, BTreeSet<String>>,
    /// The first day that there are sums by hour of, where hours are looked at.
    hours_from: Option<Day>,
}

/// Why there is no number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absent {
    Unobserved,
    /// Nothing was summed up by hour before that day.
    NoHours(Day),
    /// It was counted, and no flow of it came.
    NoFlows,
}

impl Absent {
    pub fn words(self, word: impl Fn(Word) -> &'static str) -> String {
        match self {
            Self::Unobserved => word(words::NOT_OBSERVED).into(),
            Self::NoFlows => word(words::NO_FLOWS).into(),
            Self::NoHours(day) => word(words::NO_HOURS).replace("{day}", &day.to_string()),
        }
    }
}

impl Observed {
    /// Reads the answers of [`super::topics::Topic::Observed`].
    pub fn read(entry: &Entry) -> Self {
        let rows = |id| entry.find(id).map_or(&[][..], |asked| asked.answer.rows.as_slice());
        let mut observed = Self::default();
        for row in rows(UPTIME) {
            if let Some((place, [Value::Text(sensor), Value::Real(seconds)])) = place(entry.span, row) {
                observed.uptime.insert((place, sensor.clone()), *seconds);
                observed.sensors.entry(place).or_default().insert(sensor.clone());
            }
        }
        for row in rows(BESIDE_FLOWS) {
            if let Some((place, [Value::Text(sensor), packets @ ..])) = place(entry.span, row) {
                let [observed_packets, missing] =
                    [0, 1].map(|column| integer(packets.get(column)).unwrap_or(0));
                let beside = Beside { observed: observed_packets, missing };
                observed.beside.insert((sensor.clone(), place), beside);
            }
        }
        observed.hours_from = rows(HOURS_FROM).first().and_then(|row| match row.first() {
            Some(Value::Text(day)) => day.parse().ok(),
            _ => None,
        });
        observed
    }

    /// Why there is no number of an hour or day in which no packet is known of: none where zero is one. Of one sensor, or
    /// of all of them.
    pub fn absent(&self, place: Place, sensor: Option<&str>) -> Option<Absent> {
        let sensors = self.sensors.get(&place);
        let mut counting = sensors
            .into_iter()
            .flatten()
            .filter(|one| sensor.is_none_or(|sensor| one.as_str() == sensor))
            .peekable();
        if counting.peek().is_none() {
            return Some(self.no_hours(place).map_or(Absent::Unobserved, Absent::NoHours));
        }
        counting.all(|sensor| self.is_beside(sensor, place)).then_some(Absent::NoFlows)
    }

    /// The day that sums by hour begin with, of an hour before it.
    pub fn no_hours(&self, (day, hour): Place) -> Option<Day> {
        self.hours_from.filter(|from| hour.is_some() && day < *from)
    }

    /// Whether nothing that a sensor counted then is in flows. An interval may last for several hours: those in which none
    /// began are of the one before.
    fn is_beside(&self, sensor: &str, place: Place) -> bool {
        let first = (Day(0), None);
        let before = self.beside.range((sensor.to_owned(), first)..=(sensor.to_owned(), place));
        before.last().is_some_and(|(_, beside)| beside.is_all())
    }

    /// What is in no flow, of all that was observed.
    pub fn beside_flows(&self) -> Beside {
        self.beside.values().fold(Beside::default(), |all, one| Beside {
            observed: all.observed.saturating_add(one.observed),
            missing: all.missing.saturating_add(one.missing),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Day = Day(20_000);

    fn hour(hour: u32) -> Place {
        (FIRST, Some(hour))
    }

    fn observed() -> Observed {
        let mut observed = Observed::default();
        for (at, sensor) in [(1, "a"), (2, "a"), (3, "a"), (4, "a"), (2, "b"), (3, "b"), (5, "b")] {
            observed.uptime.insert((hour(at), sensor.into()), 60.0);
            observed.sensors.entry(hour(at)).or_default().insert(sensor.into());
        }
        for (at, sensor, observed_packets, missing) in
            [(1, "a", 0, 0), (2, "a", 9, 9), (4, "a", 9, 8), (2, "b", 5, 0), (3, "b", 7, 7), (5, "b", 7, 7)]
        {
            observed.beside.insert((sensor.into(), hour(at)), Beside { observed: observed_packets, missing });
        }
        observed
    }

    #[test]
    fn what_is_in_no_flow_is_no_zero() {
        let observed = observed();
        let of = |sensor| [0, 1, 2, 3, 4, 5].map(|at| observed.absent(hour(at), sensor));
        let (none, flows) = (Some(Absent::Unobserved), Some(Absent::NoFlows));
        // The interval of the second hour went on in the third.
        assert_eq!(of(Some("a")), [none, None, flows, flows, None, none]);
        assert_eq!(of(Some("b")), [none, none, None, flows, none, flows]);
        assert_eq!(of(Some("nobody")), [none; 6]);
        // Of all of them, as long as flows of one came.
        assert_eq!(of(None), [none, None, None, flows, None, flows]);
        assert_eq!(observed.beside_flows(), Beside { observed: 37, missing: 31 });
    }

    #[test]
    fn hours_that_were_never_summed_up_are_told_from_silence() {
        let mut observed = observed();
        observed.hours_from = Some(Day(FIRST.0 + 1));
        let absent = observed.absent(hour(7), None);
        assert_eq!(absent, Some(Absent::NoHours(Day(FIRST.0 + 1))));
        assert_eq!(observed.absent((Day(FIRST.0 + 1), Some(0)), None), Some(Absent::Unobserved));
        // Days are not of hours.
        assert_eq!(observed.absent((FIRST, None), None), Some(Absent::Unobserved));
        let words = absent.unwrap().words(|word| word.of(crate::language::Language::English));
        assert_eq!(words, "no sums by hour before 2024-10-05");
    }
}
