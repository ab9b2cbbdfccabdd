//! Whether an interval is stored, as far as is still known.

use rusqlite::{Connection, OptionalExtension as _, params};
use wire::Name;

/// Whether exactly this interval is stored, or was: all of its sequence numbers are noted, and retention has removed
/// whatever had them.
pub fn is_stored(
    connection: &Connection,
    sensor: &str,
    name: Name,
    counts_hash: &[u8; 32],
) -> rusqlite::Result<bool> {
    let Name { epoch, first, last } = name;
    let numbers = [epoch, first, last].map(i64::try_from);
    let [Ok(epoch), Ok(first), Ok(last)] = numbers else { return Ok(false) };
    let sensor: Option<i64> = connection
        .prepare_cached("SELECT id FROM sensor WHERE name = ?1")?
        .query_row([sensor], |row| row.get(0))
        .optional()?;
    let Some(sensor) = sensor else { return Ok(false) };
    // Of the intervals that begin at or before its end, the last one reaches furthest: no two overlap.
    let mut nearest = connection.prepare_cached(
        "SELECT first, last, counts_hash FROM interval_raw
         WHERE sensor = ?1 AND epoch = ?2 AND first <= ?3 ORDER BY first DESC LIMIT 1",
    )?;
    let mut rows = nearest.query(params![sensor, epoch, last])?;
    if let Some(row) = rows.next()? {
        let (from, to): (i64, i64) = (row.get(0)?, row.get(1)?);
        if to >= first {
            return Ok((from, to) == (first, last) && row.get_ref(2)?.as_bytes()? == counts_hash);
        }
    }
    // Ranges that touch are one, so what is noted of all of it is one range.
    connection
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM ledger
             WHERE sensor = ?1 AND epoch = ?2 AND first <= ?3 AND last >= ?4)",
        )?
        .query_row(params![sensor, epoch, first, last], |row| row.get(0))
}
