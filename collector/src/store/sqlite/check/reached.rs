//! The intervals that can be, and the days that they reach into.

use std::collections::BTreeMap;

use rusqlite::{Connection, Row, Statement};

use super::super::flows::LATEST;
use super::super::interval::ROWS;
use super::super::rollup::last_of;
use crate::store::Day;

/// Whether an interval of these times can have been stored.
pub fn can_be(start: i64, end: i64) -> bool {
    0 <= start && start <= end && end.cast_unsigned() <= LATEST
}

/// Hands over these columns of each interval `i` and its sensor `s`, and when it began and ended.
///
/// Those with times that cannot be are left out: the check of the up-time tells of them.
pub fn each_interval(
    connection: &Connection,
    columns: &str,
    mut take: impl FnMut(&Row<'_>, u64, u64) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(&format!(
        "SELECT {columns}, i.start AS began, i.\"end\" AS ended
         FROM interval_raw i JOIN sensor s ON s.id = i.sensor"
    ))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (start, end): (i64, i64) = (row.get("began")?, row.get("ended")?);
        if can_be(start, end) {
            take(row, start.cast_unsigned(), end.cast_unsigned())?;
        }
    }
    Ok(())
}

/// An interval that goes on after the day on which it began: first and last day, and its id.
pub type Crossing = (u32, u32, i64);

/// The days that intervals reach into.
#[derive(Default)]
pub struct Reached {
    /// Whether flows of the day are gone.
    pub days: BTreeMap<u32, bool>,
    /// In the order of their first days.
    pub crossing: Vec<Crossing>,
}

impl Reached {
    pub fn read(connection: &Connection) -> rusqlite::Result<Self> {
        let mut reached = Self::default();
        each_interval(connection, &format!("i.id, i.flow_state > {ROWS}"), |row, start, end| {
            let (Day(first), Day(last)) = (Day::of(start), Day::of(last_of(start, end)));
            let is_gone: bool = row.get(1)?;
            for day in first..=last {
                *reached.days.entry(day).or_default() |= is_gone;
            }
            if last > first {
                reached.crossing.push((first, last, row.get(0)?));
            }
            Ok(())
        })?;
        reached.crossing.sort_unstable();
        Ok(reached)
    }
}

/// The days that a table has rows of, each found by the key: to read all rows would take as long as they are many.
pub struct Days<'a> {
    next: Statement<'a>,
    from: Option<i64>,
}

impl<'a> Days<'a> {
    /// Those from a day on.
    pub fn of(connection: &'a Connection, table: &str, from: i64) -> rusqlite::Result<Self> {
        let next = connection.prepare(&format!("SELECT min(day) FROM {table} WHERE day >= ?1"))?;
        Ok(Self { next, from: Some(from) })
    }

    /// The next one, if there is one.
    pub fn advance(&mut self) -> rusqlite::Result<Option<i64>> {
        let Some(from) = self.from else { return Ok(None) };
        let day: Option<i64> = self.next.query_row([from], |row| row.get(0))?;
        self.from = day.and_then(|day| day.checked_add(1));
        Ok(day)
    }
}
