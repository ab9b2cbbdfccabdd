//! Sums by day of UTC.

use super::{Open, Sample, breaches, commit, flow};
use crate::store::{Day, NANOSECONDS_OF_DAY, Period, PortKey, RollupFilter, SourceKey};

const MINUTE: u64 = 60_000_000_000;

fn by_day(reader: &dyn crate::store::Reader) -> Vec<(String, u64)> {
    let sums = reader.port_sums(&RollupFilter::of(Period::ALL), &[PortKey::Day], 100).unwrap();
    let mut days: Vec<_> = sums.iter().map(|sum| (sum.day.unwrap().to_string(), sum.packets)).collect();
    days.sort();
    days
}

pub fn a_row_counts_on_the_day_it_was_seen(open: Open) {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let midnight = "2026-03-01".parse::<Day>().unwrap().start();
    let start = midnight - MINUTE / 2;
    let spanning = Sample::new("tokyo", 1, start).with([
        flow("192.0.2.1", 6, 23, 1, midnight - 1),
        flow("192.0.2.1", 6, 23, 2, midnight),
        // What a clock says that was set meanwhile counts within the interval.
        flow("192.0.2.2", 6, 23, 4, midnight - 3 * NANOSECONDS_OF_DAY),
        flow("192.0.2.3", 6, 23, 8, midnight + 3 * NANOSECONDS_OF_DAY),
    ]);
    commit(&mut *store, &spanning);
    // It ends as the day does, and is the day's.
    commit(
        &mut *store,
        &Sample::new("osaka", 1, midnight - MINUTE).with([flow("192.0.2.1", 6, 23, 16, midnight)]),
    );
    let reader = store.reader().unwrap();
    assert_eq!(by_day(&*reader), [("2026-02-28".into(), 1 + 4 + 16), ("2026-03-01".into(), 2 + 8)]);
    let filter = RollupFilter { source: Some("192.0.2.1".parse().unwrap()), ..RollupFilter::of(Period::ALL) };
    let sums = reader.source_sums(&filter, &[SourceKey::Day], 10).unwrap();
    let sensors: Vec<_> = sums.iter().map(|sum| (sum.packets, sum.sensors, sum.sources)).collect();
    assert_eq!(sensors, [(17, 2, 1), (2, 1, 1)]);
    let uptime: Vec<_> = reader
        .uptime(None, Period::ALL)
        .unwrap()
        .into_iter()
        .map(|up| (up.day.to_string(), up.sensor, up.nanoseconds))
        .collect();
    let expected = [
        ("2026-02-28".to_owned(), "osaka".to_owned(), MINUTE),
        ("2026-02-28".into(), "tokyo".into(), MINUTE / 2),
        ("2026-03-01".into(), "tokyo".into(), MINUTE / 2),
    ];
    assert_eq!(uptime, expected);
    assert_eq!(breaches(&*reader), [""; 0]);
}

pub fn days_end_at_midnight_in_leap_years_too(open: Open) {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let february = "2024-02-28".parse::<Day>().unwrap().start();
    // Four days as one interval, as merged ones may be.
    let long = Sample {
        end: february + 3 * NANOSECONDS_OF_DAY + 1,
        ..Sample::new("tokyo", 1, february)
            .with((0..4).map(|day| flow("192.0.2.1", 17, 123, 1 + day, february + day * NANOSECONDS_OF_DAY)))
    };
    commit(&mut *store, &long);
    let reader = store.reader().unwrap();
    let days = ["2024-02-28", "2024-02-29", "2024-03-01", "2024-03-02"];
    let expected: Vec<_> = days.iter().zip(1..).map(|(day, packets)| ((*day).to_owned(), packets)).collect();
    assert_eq!(by_day(&*reader), expected);
    let up: u64 = reader.uptime(None, Period::ALL).unwrap().iter().map(|up| up.nanoseconds).sum();
    assert_eq!(up, 3 * NANOSECONDS_OF_DAY + 1);
    assert_eq!(breaches(&*reader), [""; 0]);
}

pub fn no_packets_is_not_no_sensor(open: Open) {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path());
    let day = "2026-01-02".parse::<Day>().unwrap();
    commit(&mut *store, &Sample::new("quiet", 1, day.start()));
    let reader = store.reader().unwrap();
    assert!(by_day(&*reader).is_empty());
    let uptime = |day: Day| reader.uptime(Some("quiet"), Period::days(day, Day(day.0 + 1))).unwrap();
    assert_eq!(uptime(day).len(), 1);
    assert_eq!(uptime(Day(day.0 + 1)).len(), 0);
}
