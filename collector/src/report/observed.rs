//! How much of each day was observed, and so what packets count.

use super::model::SensorDays;
use super::period::ReportPeriod;
use super::watched::Watchers;
use crate::store::{NANOSECONDS_OF_DAY, Period, Reader, StoreError, Uptime};

/// Share of a day that a sensor has to have counted for that day to be one of its own.
pub const LEAST_SHARE: f64 = 0.01;

/// The sensors' up-time in a period and the one before: the time of intervals that brought their flows, for reports are
/// made of these. A day of which only counters came is not observed.
///
/// Packets per sensor per day are the mean, over the sensors that were up on a day, of a sensor's packets divided by the
/// share of the day that it was up. A day on which none was up has no figure.
#[derive(Clone, Debug)]
pub struct Observed {
    period: ReportPeriod,
    /// By place of the day, and in order of the sensors' numbers.
    up: Vec<Vec<Up>>,
    /// By place of the day: the sum of the shares of the sensors that were up.
    shares: Vec<f64>,
    pub sensors: Vec<SensorDays>,
    /// Numbers of the sensors, where the report is not of all.
    pub numbers: Option<Vec<u32>>,
    /// Days of sensors that were up for too little of them.
    pub left_out: u32,
    /// Days of the period on which a sensor was counting, without its flows.
    pub without_flows: u32,
    /// Packets of the period that are in no flow that came.
    pub flow_packets_missing: u64,
    /// Who watched windows in the period.
    pub watchers: Watchers,
}

/// A sensor that was up on a day.
#[derive(Clone, Debug)]
struct Up {
    number: u32,
    share: f64,
    /// What one of its packets counts.
    weight: f64,
}

/// What share of a day some nanoseconds of it are.
#[must_use]
pub fn share_of_day(nanoseconds: u64) -> f64 {
    // Intervals of a clock that was set back overlap: a day has no more than a day.
    (nanoseconds as f64 / NANOSECONDS_OF_DAY as f64).min(1.0)
}

/// Why up-time cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum ObservedError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("no sensor is called {name:?}: there are {known}")]
    Sensor { name: String, known: String },
}

impl Observed {
    /// Of some sensors, by their names, or of all.
    ///
    /// # Errors
    /// Where the store cannot be read, or has no such sensor.
    pub fn read(reader: &dyn Reader, period: ReportPeriod, names: &[String]) -> Result<Self, ObservedError> {
        let known = reader.sensor_numbers()?;
        if let Some(name) = names.iter().find(|name| !known.iter().any(|(_, other)| other == *name)) {
            let known: Vec<&str> = known.iter().map(|(_, name)| &**name).collect();
            let known = if known.is_empty() { "none".into() } else { known.join(", ") };
            return Err(ObservedError::Sensor { name: name.clone(), known });
        }
        let all = names.is_empty();
        let mut chosen: Vec<_> = known.into_iter().filter(|(_, name)| all || names.contains(name)).collect();
        chosen.sort();
        let uptime = reader.uptime(None, Period::days(period.previous_from, period.to))?;
        let mut observed = Self::of(period, &chosen, &uptime);
        let watched = reader.watched(Period::days(period.from, period.to))?;
        observed.watchers = Watchers::of(&period, &chosen, &uptime, &watched);
        observed.numbers = (!all).then(|| chosen.iter().map(|(number, _)| *number).collect());
        Ok(observed)
    }

    fn of(period: ReportPeriod, chosen: &[(u32, String)], uptime: &[Uptime]) -> Self {
        let mut up: Vec<Vec<Up>> = vec![Vec::new(); period.all_days()];
        let mut sensors: Vec<SensorDays> = chosen
            .iter()
            .map(|(_, sensor)| SensorDays {
                sensor: sensor.clone(),
                observed_days: 0.0,
                previous_observed_days: 0.0,
            })
            .collect();
        let (mut left_out, mut without_flows, mut flow_packets_missing) = (0, 0, 0_u64);
        for Uptime { day, sensor, nanoseconds, with_flows, flow_packets_missing: missing } in uptime {
            let place = chosen.iter().position(|(_, name)| name == sensor);
            let (Some(place), Some(day)) = (place, period.place(*day)) else { continue };
            let share = share_of_day(*with_flows);
            if day >= period.offset() {
                flow_packets_missing = flow_packets_missing.saturating_add(*missing);
            }
            let days = &mut sensors[place];
            *if day < period.offset() {
                &mut days.previous_observed_days
            } else {
                &mut days.observed_days
            } += share;
            if share >= LEAST_SHARE {
                let number = chosen[place].0;
                up[day].push(Up { number, share, weight: 0.0 });
            } else if share_of_day(*nanoseconds) < LEAST_SHARE {
                left_out += 1;
            } else if day >= period.offset() {
                without_flows += 1;
            }
        }
        for days in &mut sensors {
            days.observed_days = super::numbers::rounded(days.observed_days);
            days.previous_observed_days = super::numbers::rounded(days.previous_observed_days);
        }
        sensors.sort_by(|one, other| one.sensor.cmp(&other.sensor));
        let shares = up.iter().map(|day| day.iter().map(|up| up.share).sum()).collect();
        for day in &mut up {
            day.sort_by_key(|up| up.number);
            let count = day.len() as f64;
            day.iter_mut().for_each(|up| up.weight = 1.0 / (up.share * count));
        }
        let (numbers, watchers) = (None, Watchers::of(&period, chosen, uptime, &[]));
        Self { period, up, shares, sensors, numbers, left_out, without_flows, flow_packets_missing, watchers }
    }

    /// What a packet of a sensor counts on the day at a place: packets per sensor per day are the sum of it.
    #[must_use]
    pub fn weight(&self, place: usize, sensor: u32) -> Option<f64> {
        let day = self.up.get(place)?;
        let found = day.binary_search_by_key(&sensor, |up| up.number).ok()?;
        Some(day[found].weight)
    }

    /// The days' worth of up-time of all sensors on the day at a place; absent where none was up.
    #[must_use]
    pub fn sensor_days(&self, place: usize) -> Option<f64> {
        self.shares.get(place).copied().filter(|share| *share > 0.0)
    }

    #[must_use]
    pub fn is_observed(&self, place: usize) -> bool {
        self.up.get(place).is_some_and(|day| !day.is_empty())
    }

    /// Values of the days of both periods, where they were observed.
    #[must_use]
    pub fn seen(&self, values: &[f64]) -> Vec<Option<f64>> {
        let seen =
            |(place, value): (usize, &f64)| self.is_observed(place).then(|| super::numbers::rounded(*value));
        values.iter().enumerate().map(seen).collect()
    }

    /// Days of the period that were observed, and of the one before.
    #[must_use]
    pub fn days(&self) -> (usize, usize) {
        let count = |from, to| (from..to).filter(|place| self.is_observed(*place)).count();
        (count(self.period.offset(), self.period.all_days()), count(0, self.period.offset()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Day;

    #[test]
    fn packets_count_by_how_long_their_sensor_was_up() {
        let period = ReportPeriod::of_days(Day(20_000), Day(20_002)).unwrap();
        let chosen = [(1, "b".to_owned()), (7, "a".to_owned())];
        let up = |day, sensor: &str, share: f64| Uptime {
            day: Day(day),
            sensor: sensor.into(),
            nanoseconds: (NANOSECONDS_OF_DAY as f64 * share) as u64,
            with_flows: (NANOSECONDS_OF_DAY as f64 * share) as u64,
            flow_packets_missing: 3,
        };
        let uptime = [
            up(19_998, "a", 1.5),
            up(20_000, "a", 0.5),
            up(20_000, "b", 0.25),
            up(20_001, "a", 0.009),
            up(20_001, "c", 1.0),
            up(20_001, "b", 0.5),
        ];
        let observed = Observed::of(period, &chosen, &uptime);
        // Two sensors: 1 / (0.5 · 2) and 1 / (0.25 · 2).
        assert_eq!((observed.weight(2, 7), observed.weight(2, 1)), (Some(1.0), Some(2.0)));
        assert_eq!((observed.weight(3, 7), observed.weight(3, 1)), (None, Some(2.0)));
        assert_eq!(observed.seen(&[1.0; 4]), [Some(1.0), None, Some(1.0), Some(1.0)]);
        assert_eq!((observed.days(), observed.left_out), ((2, 1), 1));
        assert_eq!((observed.sensor_days(2), observed.sensor_days(1)), (Some(0.75), None));
        let sensors: Vec<_> = observed
            .sensors
            .iter()
            .map(|days| (&*days.sensor, days.observed_days, days.previous_observed_days))
            .collect();
        assert_eq!(sensors, [("a", 0.509, 1.0), ("b", 0.75, 0.0)]);
        // Of the period, and of these sensors alone; of days that are left out, too.
        assert_eq!(observed.flow_packets_missing, 12);
    }

    #[test]
    fn a_day_of_counters_alone_is_not_observed() {
        let period = ReportPeriod::of_days(Day(20_000), Day(20_002)).unwrap();
        let up = |day, with_flows| Uptime {
            day: Day(day),
            sensor: "a".into(),
            nanoseconds: NANOSECONDS_OF_DAY,
            with_flows,
            flow_packets_missing: 0,
        };
        let uptime = [up(19_999, 0), up(20_000, 0), up(20_001, NANOSECONDS_OF_DAY / 4)];
        let observed = Observed::of(period, &[(1, "a".to_owned())], &uptime);
        assert_eq!((observed.days(), observed.left_out, observed.without_flows), ((1, 0), 0, 1));
        assert_eq!((observed.weight(2, 1), observed.weight(3, 1)), (None, Some(4.0)));
    }
}
