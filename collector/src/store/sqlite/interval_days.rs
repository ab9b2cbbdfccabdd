//! What the kept intervals tell of each day, besides how long they were.

use std::collections::{BTreeMap, HashMap};

use rusqlite::types::Type;
use rusqlite::{Connection, Row, params};
use wire::FlowKey;

use super::interval::{NEVER_CAME, ROWS, signed};
use super::rollup::{last_of, spans};
use crate::store::{Day, IntervalDay, Period};

/// Intervals of a sensor that are looked at for those that begin in a period and end after it: no two overlap but where
/// a clock was set.
const BEYOND: u32 = 64;

#[derive(Default)]
struct Told {
    windows: BTreeMap<u16, u64>,
    with_rows: u64,
    missing: u64,
}

/// By sensor and day.
struct Days {
    from: Day,
    to: Day,
    told: BTreeMap<(String, Day), Told>,
    /// Lists of windows, as they are written: hardly ever more than a few.
    windows: HashMap<String, Vec<u16>>,
}

pub fn of(connection: &Connection, period: Period) -> rusqlite::Result<Vec<IntervalDay>> {
    let (from, to) = period.bounds();
    let mut days = Days { from, to, told: BTreeMap::new(), windows: HashMap::new() };
    let columns = format!(
        "SELECT s.name, i.start, i.\"end\", i.watched_windows, i.missing,
             i.flow_state <> {NEVER_CAME} OR i.observed = 0,
             (i.flow_state = {ROWS} AND i.flow_key = {source}) OR i.observed = 0
                 OR (i.flow_state <> {NEVER_CAME} AND i.flow_rows + i.overflow_rows = 0)
         FROM interval_raw i JOIN sensor s ON s.id = i.sensor",
        source = FlowKey::Source as i64,
    );
    let mut sensors = connection.prepare_cached("SELECT id FROM sensor ORDER BY id")?;
    let sensors: Vec<i64> = sensors.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    let mut within = connection
        .prepare(&format!("{columns} WHERE i.sensor = ?1 AND i.\"end\" >= ?2 AND i.\"end\" < ?3"))?;
    let mut beyond = connection.prepare(&format!(
        "{columns} WHERE i.sensor = ?1 AND i.\"end\" >= ?2 ORDER BY i.\"end\" LIMIT {BEYOND}"
    ))?;
    for sensor in sensors {
        let mut rows = within.query(params![sensor, signed(from.start()), signed(to.start())])?;
        while let Some(row) = rows.next()? {
            days.add(row)?;
        }
        let mut rows = beyond.query(params![sensor, signed(to.start())])?;
        while let Some(row) = rows.next()? {
            days.add(row)?;
        }
    }
    let told = days.told.into_iter().map(|((sensor, day), told)| IntervalDay {
        day,
        sensor,
        windows: told.windows.into_iter().collect(),
        with_rows: told.with_rows,
        flow_packets_missing: told.missing,
    });
    Ok(told.collect())
}

impl Days {
    fn add(&mut self, row: &Row<'_>) -> rusqlite::Result<()> {
        let sensor: String = row.get(0)?;
        let (start, end) = (row.get::<_, i64>(1)?.cast_unsigned(), row.get::<_, i64>(2)?.cast_unsigned());
        let (with_flows, with_rows): (bool, bool) = (row.get(5)?, row.get(6)?);
        let text = row.get_ref(3)?.as_str()?;
        if !self.windows.contains_key(text) {
            let list = serde_json::from_str(text)
                .map_err(|error| rusqlite::Error::FromSqlConversionFailure(3, Type::Text, Box::new(error)))?;
            self.windows.insert(text.to_owned(), list);
        }
        let watched = self.windows.get(text).map_or(&[][..], Vec::as_slice);
        let is_in = |day: Day| day >= self.from && day < self.to;
        for (day, nanoseconds) in spans(start.max(self.from.start()), end.min(self.to.start())) {
            let told = self.told.entry((sensor.clone(), day)).or_default();
            if with_rows {
                told.with_rows = told.with_rows.saturating_add(nanoseconds);
            }
            for window in watched.iter().filter(|_| with_flows) {
                let sum = told.windows.entry(*window).or_default();
                *sum = sum.saturating_add(nanoseconds);
            }
        }
        let missing = row.get::<_, i64>(4)?.cast_unsigned();
        let last = Day::of(last_of(start, end));
        if missing > 0 && is_in(last) {
            let told = self.told.entry((sensor, last)).or_default();
            told.missing = told.missing.saturating_add(missing);
        }
        Ok(())
    }
}
