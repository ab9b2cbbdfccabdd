//! Sums of days that no interval reaches into: nothing can have brought them.

use rusqlite::Connection;

use super::reached::{Days, Reached};
use super::{Tell, breach, horizon};
use crate::store::Day;

/// Looks at each day from that on, of which all intervals are kept; and at those before 1970, which nothing ever reached.
pub fn days(connection: &Connection, tell: Tell<'_>) -> rusqlite::Result<()> {
    let counters = horizon(connection, "counters")?;
    let by_day = counters.max(horizon(connection, "sums")?);
    let by_hour = counters.max(horizon(connection, "hours")?);
    let reached = Reached::read(connection)?.days;
    for (table, from) in [
        ("port_day", by_day),
        ("source_day", by_day),
        ("counter_day", by_day),
        ("uptime_day", by_day),
        ("window_day", by_day),
        ("port_hour", by_hour),
        ("uptime_hour", by_hour),
    ] {
        let raw = format!("{table}_raw");
        let mut count = connection.prepare(&format!("SELECT count(*) FROM {raw} WHERE day = ?1"))?;
        for (first, end) in [(i64::MIN, 0), (from, i64::MAX)] {
            let mut days = Days::of(connection, &raw, first)?;
            while let Some(day) = days.advance()?.filter(|day| *day < end) {
                let known = u32::try_from(day).map(Day);
                if known.is_ok_and(|Day(day)| reached.contains_key(&day)) {
                    continue;
                }
                let rows: i64 = count.query_row([day], |row| row.get(0))?;
                let of = known.map_or_else(|_| format!("day {day}"), |day| day.to_string());
                breach(
                    tell,
                    format!("{table} of {of}: it has {rows} rows, but no interval reaches into that day"),
                );
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
