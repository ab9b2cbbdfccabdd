//! What the kept intervals tell of each day, besides how long they were.

use std::collections::BTreeMap;

use rusqlite::{Connection, Row, params};
use wire::FlowKey;

use super::interval::{NEVER_CAME, ROWS, signed};
use super::rollup::spans;
use crate::store::{Day, IntervalDay, Period};

/// Intervals of a sensor that are looked at for those that begin in a period and end after it: no two overlap but where
/// a clock was set.
const BEYOND: u32 = 64;

/// Nanoseconds with rows, by sensor and day.
struct Days {
    from: Day,
    to: Day,
    told: BTreeMap<(String, Day), u64>,
}

pub fn of(connection: &Connection, period: Period) -> rusqlite::Result<Vec<IntervalDay>> {
    let (from, to) = period.bounds();
    let mut days = Days { from, to, told: BTreeMap::new() };
    let columns = format!(
        "SELECT s.name, i.start, i.\"end\",
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
    let told = days.told.into_iter().map(|((sensor, day), with_rows)| IntervalDay { day, sensor, with_rows });
    Ok(told.collect())
}

impl Days {
    fn add(&mut self, row: &Row<'_>) -> rusqlite::Result<()> {
        let sensor: String = row.get(0)?;
        let (start, end) = (row.get::<_, i64>(1)?.cast_unsigned(), row.get::<_, i64>(2)?.cast_unsigned());
        let with_rows: bool = row.get(3)?;
        for (day, nanoseconds) in spans(start.max(self.from.start()), end.min(self.to.start())) {
            let told = self.told.entry((sensor.clone(), day)).or_default();
            if with_rows {
                *told = told.saturating_add(nanoseconds);
            }
        }
        Ok(())
    }
}
