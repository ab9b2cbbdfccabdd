//! Who watched windows, and for how long: a sensor that does not watch a window cannot tell packets with it from others.

use std::collections::BTreeMap;

use super::observed::{LEAST_SHARE, share_of_day};
use super::period::ReportPeriod;
use crate::store::{Uptime, Watched};

/// The sensors that were up with flows, however shortly, and what they watched.
#[derive(Clone, Debug)]
pub struct Watchers {
    /// By place of the day, and in order of the sensors' numbers.
    days: Vec<Vec<Watcher>>,
}

/// A sensor on a day.
#[derive(Clone, Debug)]
struct Watcher {
    number: u32,
    /// Nanoseconds that it was up with flows, and that it watched each window meanwhile: more than a day has where its
    /// clock was set back.
    up: u64,
    windows: BTreeMap<u16, u64>,
}

/// Who watched any of some windows on a day.
#[derive(Clone, Debug, PartialEq)]
pub struct WatchedDay {
    /// Numbers of the sensors, in order.
    pub sensors: Vec<u32>,
    /// Days' worth of time that they watched, all of them together; of several windows, the one watched least.
    pub days: f64,
    /// Whether they watched all of the windows, as good as all the time that they were up.
    pub is_whole: bool,
    /// Whether no other sensor was up.
    pub is_by_all: bool,
    /// The other sensors, as far as they were up for long enough to count.
    pub left_out: u32,
}

impl Watchers {
    /// Of some sensors, by their numbers and names.
    #[must_use]
    pub fn of(
        period: &ReportPeriod,
        chosen: &[(u32, String)],
        uptime: &[Uptime],
        watched: &[Watched],
    ) -> Self {
        let number = |sensor: &str| chosen.iter().find(|(_, name)| name == sensor).map(|(number, _)| *number);
        let mut days: Vec<Vec<Watcher>> = vec![Vec::new(); period.all_days()];
        for Uptime { day, sensor, with_flows, .. } in uptime.iter().filter(|up| up.with_flows > 0) {
            let (Some(number), Some(place)) = (number(sensor), period.place(*day)) else { continue };
            days[place].push(Watcher { number, up: *with_flows, windows: BTreeMap::new() });
        }
        days.iter_mut().for_each(|day| day.sort_by_key(|watcher| watcher.number));
        for Watched { day, sensor, window, nanoseconds } in watched {
            let (Some(number), Some(place)) = (number(sensor), period.place(*day)) else { continue };
            if let Ok(found) = days[place].binary_search_by_key(&number, |watcher| watcher.number) {
                days[place][found].windows.insert(*window, *nanoseconds);
            }
        }
        Self { days }
    }

    /// Who watched any of some windows on the day at a place; nothing where next to nobody did, or nothing tells.
    #[must_use]
    pub fn on(&self, place: usize, windows: &[u16]) -> Option<WatchedDay> {
        let mut found =
            WatchedDay { sensors: Vec::new(), days: 0.0, is_whole: true, is_by_all: true, left_out: 0 };
        for Watcher { number, up, windows: watched } in self.days.get(place)? {
            if !windows.iter().any(|window| watched.contains_key(window)) {
                found.is_by_all = false;
                found.left_out += u32::from(share_of_day(*up) >= LEAST_SHARE);
                continue;
            }
            let times = windows.iter().map(|window| watched.get(window).copied().unwrap_or(0));
            let least = times.fold(*up, u64::min);
            found.sensors.push(*number);
            found.days += share_of_day(least);
            // Before either is cut to a day, which would make them equal.
            found.is_whole &= least as f64 >= *up as f64 * (1.0 - LEAST_SHARE);
        }
        (found.days >= LEAST_SHARE).then_some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Day, NANOSECONDS_OF_DAY};

    #[test]
    fn sensors_tell_of_windows_that_they_watched() {
        let period = ReportPeriod::of_days(Day(20_000), Day(20_002)).unwrap();
        let chosen = [(1, "b".to_owned()), (7, "a".to_owned()), (9, "d".to_owned())];
        let long = |share: f64| (NANOSECONDS_OF_DAY as f64 * share) as u64;
        let up = |day, sensor: &str, share| {
            let (day, sensor, with_flows) = (Day(day), sensor.into(), long(share));
            Uptime { day, sensor, nanoseconds: NANOSECONDS_OF_DAY, with_flows, flow_packets_missing: 0 }
        };
        let watched = |day, sensor: &str, window, share| {
            let (day, sensor, nanoseconds) = (Day(day), sensor.into(), long(share));
            Watched { day, sensor, window, nanoseconds }
        };
        let uptime = [
            up(20_000, "a", 0.5),
            up(20_000, "b", 0.25),
            up(20_000, "c", 1.0),
            up(20_000, "d", 1.0),
            up(20_001, "a", 0.009),
            up(20_001, "b", 0.0),
            up(20_001, "d", 0.001),
        ];
        let told = [
            watched(20_000, "a", 5, 0.5),
            watched(20_000, "a", 7, 0.25),
            watched(20_000, "b", 5, 0.25),
            watched(20_001, "a", 5, 0.009),
            // Not chosen, or not up with flows.
            watched(20_001, "c", 5, 1.0),
            watched(20_001, "b", 5, 1.0),
        ];
        let watchers = Watchers::of(&period, &chosen, &uptime, &told);
        let day = |sensors: &[u32], days, is_whole, left_out| {
            let (sensors, is_by_all) = (sensors.to_vec(), false);
            Some(WatchedDay { sensors, days, is_whole, is_by_all, left_out })
        };
        assert_eq!(watchers.on(2, &[5]), day(&[1, 7], 0.75, true, 1));
        assert_eq!(watchers.on(2, &[7]), day(&[7], 0.25, false, 2));
        assert_eq!(watchers.on(2, &[5, 7]), day(&[1, 7], 0.25, false, 1));
        // For too little of the day; nobody; and a day of the period before, of which nothing is asked.
        assert_eq!((watchers.on(3, &[5]), watchers.on(2, &[6]), watchers.on(0, &[5])), (None, None, None));
        let alone = Watchers::of(&period, &chosen[1..2], &uptime, &told).on(2, &[5]).unwrap();
        assert!(alone.is_by_all && alone.is_whole && alone.left_out == 0);
    }

    #[test]
    fn a_window_watched_for_a_day_of_a_day_and_a_half_was_not_watched_all_the_time() {
        let period = ReportPeriod::of_days(Day(20_000), Day(20_001)).unwrap();
        let (day, sensor) = (Day(20_000), "a".to_owned());
        // Its clock was set back by half a day.
        let nanoseconds = NANOSECONDS_OF_DAY * 3 / 2;
        let uptime = [Uptime { day, sensor, nanoseconds, with_flows: nanoseconds, flow_packets_missing: 0 }];
        let on = |nanoseconds| {
            let watched = [Watched { day, sensor: "a".into(), window: 5, nanoseconds }];
            Watchers::of(&period, &[(1, "a".into())], &uptime, &watched).on(1, &[5]).unwrap()
        };
        let (part, whole) = (on(NANOSECONDS_OF_DAY), on(nanoseconds));
        assert!(!part.is_whole && whole.is_whole);
        assert_eq!((part.days, whole.days), (1.0, 1.0));
    }
}
