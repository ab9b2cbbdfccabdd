//! Removing what has outlived its time, in small steps.

use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};

use super::failure::failure;
use super::flows::first_id;
use super::hours;
use super::interval::{GOING, ROWS, SUMS};
use crate::retention::Retention;
use crate::store::{Day, Retained, StoreError};

/// Free pages that a file may have, in percent: what is removed today makes room for what comes tomorrow.
const FREE_PERCENT: i64 = 10;
/// Free pages that are given back in a step.
const PAGES_AT_ONCE: i64 = 1_000;

/// One step of it: flows first, then intervals, then sums, then space.
pub fn step(
    connection: &mut Connection,
    retention: &Retention,
    today: Day,
    most_rows: u32,
) -> Result<Retained, StoreError> {
    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failure)?;
    let rows_removed = match latest_day(&transaction).map_err(failure)? {
        Some(latest) => {
            remove(&transaction, retention, today.min(latest), i64::from(most_rows)).map_err(failure)?
        }
        // Nor is anything noted: from which day on there are sums by hour is said by the first batch.
        None => 0,
    };
    transaction.commit().map_err(failure)?;
    let shrunk = shrink(connection).map_err(failure)?;
    let is_busy = rows_removed >= i64::from(most_rows) || shrunk;
    Ok(Retained { rows_removed: rows_removed.cast_unsigned(), done: !is_busy })
}

/// Intervals with the latest ends that are looked at: more than that with an end in the future has no honest sensor.
const LATEST_INTERVALS: u32 = 1_000;

/// The day after the newest interval's, by its sensor's clock or that of when it arrived, whichever is earlier.
///
/// A host that starts with a clock years ahead would else have forgotten everything before somebody sets it. So what is
/// kept is counted from what has come: as long as nothing comes, nothing goes.
fn latest_day(connection: &Connection) -> rusqlite::Result<Option<Day>> {
    let newest: Option<i64> = connection
        .prepare_cached(
            "SELECT max(seen) FROM (
                 SELECT min(\"end\", arrived) AS seen FROM interval_raw ORDER BY \"end\" DESC LIMIT ?1)",
        )?
        .query_row([LATEST_INTERVALS], |row| row.get(0))?;
    // Of a damaged interval.
    let day_of = |newest: i64| Day::of(u64::try_from(newest).unwrap_or(0));
    Ok(newest.map(|newest| Day(day_of(newest).0.saturating_add(1))))
}

/// Where a step is: rows that it has removed, and how many it may.
struct Step<'a> {
    transaction: &'a Transaction<'a>,
    removed: i64,
    most: i64,
}

fn remove(
    transaction: &Transaction<'_>,
    retention: &Retention,
    today: Day,
    most: i64,
) -> rusqlite::Result<i64> {
    let Retention { flow_days, counter_days, rollup_days, hour_days } = *retention;
    let mut step = Step { transaction, removed: 0, most };
    // Flows go with their intervals at the latest: nothing would tell when they were seen.
    let shorter = [flow_days, counter_days].into_iter().flatten().min();
    if let Some(days) = shorter {
        step.flows(today.before(days))?;
    }
    if let Some(days) = counter_days {
        step.intervals(today.before(days))?;
    }
    // An hour of a day that is not in the calendar would be found by no question.
    if let Some(days) = [hour_days, rollup_days].into_iter().flatten().min() {
        step.sums_by_hour(today.before(days))?;
    }
    if let Some(days) = rollup_days {
        step.sums(today.before(days))?;
    }
    Ok(step.removed)
}

impl Step<'_> {
    const fn is_over(&self) -> bool {
        self.removed >= self.most
    }

    fn count(&mut self, removed: usize) {
        self.removed += i64::try_from(removed).unwrap_or(i64::MAX);
    }

    /// Removes rows of flows of intervals that ended before the day began.
    fn flows(&mut self, keep_from: Day) -> rusqlite::Result<()> {
        let before = keep_from.start().cast_signed();
        let mut oldest = self.transaction.prepare_cached(
            "SELECT id FROM interval_raw WHERE flow_state IN (1, 3) AND \"end\" <= ?1 ORDER BY \"end\" LIMIT 1",
        )?;
        while !self.is_over() {
            let Some(interval) = oldest.query_row([before], |row| row.get::<_, i64>(0)).optional()? else {
                return Ok(());
            };
            self.set_state(interval, GOING)?;
            for table in ["flow_raw", "tuple_raw"] {
                self.rows_of(table, interval)?;
            }
            if !self.is_over() {
                self.set_state(interval, SUMS)?;
            }
        }
        Ok(())
    }

    fn set_state(&self, interval: i64, state: i64) -> rusqlite::Result<()> {
        debug_assert_ne!(state, ROWS);
        let mut statement =
            self.transaction.prepare_cached("UPDATE interval_raw SET flow_state = ?2 WHERE id = ?1")?;
        statement.execute([interval, state]).map(drop)
    }

    fn rows_of(&mut self, table: &str, interval: i64) -> rusqlite::Result<()> {
        let mut statement = self.transaction.prepare_cached(&format!(
            "DELETE FROM {table} WHERE id >= ?1 AND id < ?2 AND id <= coalesce(
                 (SELECT id FROM {table} WHERE id >= ?1 AND id < ?2 ORDER BY id LIMIT 1 OFFSET ?3), ?2)"
        ))?;
        let offset = (self.most - self.removed - 1).max(0);
        self.removed +=
            i64::try_from(statement.execute([first_id(interval), first_id(interval + 1), offset])?)
                .unwrap_or(i64::MAX);
        Ok(())
    }

    /// Removes intervals that ended before the day began, with their counters.
    fn intervals(&mut self, keep_from: Day) -> rusqlite::Result<()> {
        let before = keep_from.start().cast_signed();
        let mut oldest = self.transaction.prepare_cached(
            "SELECT id FROM interval_raw WHERE \"end\" <= ?1 AND flow_state NOT IN (1, 3)
             ORDER BY \"end\" LIMIT 1",
        )?;
        let mut counters = self.transaction.prepare_cached(
            "DELETE FROM counter_raw WHERE interval = ?1 AND counter <= coalesce(
                 (SELECT counter FROM counter_raw WHERE interval = ?1 ORDER BY counter LIMIT 1 OFFSET ?2),
                 1 << 40)",
        )?;
        while !self.is_over() {
            let Some(interval) = oldest.query_row([before], |row| row.get::<_, i64>(0)).optional()? else {
                return Ok(());
            };
            self.transaction
                .prepare_cached(
                    "INSERT INTO horizon (what, day) VALUES ('counters', ?1)
                     ON CONFLICT DO UPDATE SET day = max(day, excluded.day)",
                )?
                .execute([keep_from.0])?;
            let offset = (self.most - self.removed - 1).max(0);
            let removed = counters.execute([interval, offset])?;
            self.count(removed);
            if !self.is_over() {
                let removed = self
                    .transaction
                    .prepare_cached("DELETE FROM interval_raw WHERE id = ?1")?
                    .execute([interval])?;
                self.count(removed);
            }
        }
        Ok(())
    }

    /// Removes sums by hour of days before the day, and has none of them added any more.
    fn sums_by_hour(&mut self, keep_from: Day) -> rusqlite::Result<()> {
        hours::raise_horizon(self.transaction, keep_from)?;
        let tables =
            [("port_hour_raw", "day, hour, sensor, kind, place"), ("uptime_hour_raw", "day, hour, sensor")];
        self.rows_of_sums(&tables, "hours", keep_from)
    }

    /// Removes sums of days before the day.
    fn sums(&mut self, keep_from: Day) -> rusqlite::Result<()> {
        let tables = [
            ("port_day_raw", "day, sensor, kind, place"),
            ("source_day_raw", "day, source, kind, place"),
            ("counter_day_raw", "day, sensor, counter"),
            ("uptime_day_raw", "day, sensor"),
            ("window_day_raw", "day, sensor, watched_window"),
        ];
        self.rows_of_sums(&tables, "sums", keep_from)?;
        if !self.is_over() {
            self.transaction.prepare_cached("DELETE FROM calendar WHERE day < ?1")?.execute([keep_from.0])?;
        }
        Ok(())
    }

    /// Removes rows of days before the day from tables with these keys, and notes so.
    fn rows_of_sums(&mut self, tables: &[(&str, &str)], what: &str, keep_from: Day) -> rusqlite::Result<()> {
        for (table, key) in tables {
            if self.is_over() {
                return Ok(());
            }
            let mut statement = self.transaction.prepare_cached(&format!(
                "DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} WHERE day < ?1 LIMIT ?2)"
            ))?;
            let removed = statement.execute(params![keep_from.0, self.most - self.removed])?;
            if removed > 0 {
                self.transaction
                    .prepare_cached(
                        "INSERT INTO horizon (what, day) VALUES (?1, ?2)
                         ON CONFLICT DO UPDATE SET day = max(day, excluded.day)",
                    )?
                    .execute(params![what, keep_from.0])?;
            }
            self.count(removed);
        }
        Ok(())
    }
}

/// Gives some free pages back to the file system, where there are many. Says whether it did.
fn shrink(connection: &Connection) -> rusqlite::Result<bool> {
    let number = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let (free, pages) = (number("freelist_count")?, number("page_count")?);
    if free * 100 <= pages * FREE_PERCENT + PAGES_AT_ONCE * 100 {
        return Ok(false);
    }
    let mut statement = connection.prepare(&format!("PRAGMA incremental_vacuum({PAGES_AT_ONCE})"))?;
    let mut rows = statement.query([])?;
    while rows.next()?.is_some() {}
    Ok(true)
}
