//! How much of the up-time has its flows, and what is in none, against the intervals.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::super::super::interval::NEVER_CAME;
use super::super::super::rollup::{last_of, spans};
use super::super::reached::each_interval;
use super::super::{Tell, breach};
use super::added;
use crate::store::Day;

/// Nanoseconds with flows, and packets that are in none.
#[derive(Clone, Copy, Default, PartialEq)]
struct Sum {
    with_flows: u64,
    missing: u64,
}

/// From a day on, of which all intervals are kept. A day without a row is told by the check of the up-time itself.
pub fn by_day(connection: &Connection, from: i64, tell: Tell<'_>) -> rusqlite::Result<()> {
    let mut found: BTreeMap<(u32, String), Sum> = BTreeMap::new();
    let columns = format!("s.name, i.flow_state <> {NEVER_CAME} OR i.observed = 0, i.missing");
    each_interval(connection, &columns, |row, start, end| {
        let (are_known, missing): (bool, i64) = (row.get(1)?, row.get(2)?);
        for (Day(day), nanoseconds) in spans(start, end).filter(|_| are_known) {
            if i64::from(day) >= from {
                let sum = found.entry((day, row.get(0)?)).or_default();
                sum.with_flows = added(sum.with_flows, nanoseconds);
            }
        }
        let Day(day) = Day::of(last_of(start, end));
        if missing > 0 && i64::from(day) >= from {
            let sum = found.entry((day, row.get(0)?)).or_default();
            sum.missing = added(sum.missing, missing.cast_unsigned());
        }
        Ok(())
    })?;
    let mut statement = connection.prepare(
        "SELECT u.day, s.name, u.with_flows, u.missing FROM uptime_day_raw u JOIN sensor s ON s.id = u.sensor
         WHERE u.day >= ?1",
    )?;
    let mut rows = statement.query([from])?;
    while let Some(row) = rows.next()? {
        let (day, sensor): (u32, String) = (row.get(0)?, row.get(1)?);
        let number = |column| row.get::<_, i64>(column).map(i64::cast_unsigned);
        let noted = Sum { with_flows: number(2)?, missing: number(3)? };
        let brought = found.get(&(day, sensor.clone())).copied().unwrap_or_default();
        let of = format!("uptime_day of {}, sensor {sensor}", Day(day));
        if noted.with_flows != brought.with_flows {
            let what = format!(
                "{} ns are noted with flows, but its intervals that brought theirs lasted {} ns",
                noted.with_flows, brought.with_flows
            );
            breach(tell, format!("{of}: {what}"));
        }
        if noted.missing != brought.missing {
            let (noted, missing) = (noted.missing, brought.missing);
            let what =
                format!("{noted} packets are noted as missing in flows, but its intervals miss {missing}");
            breach(tell, format!("{of}: {what}"));
        }
    }
    Ok(())
}
