//! What was ever stored, by which each interval is counted once.

use rusqlite::{Connection, params};
use wire::Name;

use crate::store::Outcome;

/// What is compared where an interval may be stored already.
pub struct Claim<'a> {
    pub sensor: i64,
    pub name: Name,
    pub counts_hash: &'a [u8; 32],
    pub packets: i64,
    pub bytes: i64,
}

/// Whether an interval is stored already; nothing, where none of it is.
pub fn look(connection: &Connection, claim: &Claim<'_>) -> rusqlite::Result<Option<Outcome>> {
    let &Claim { sensor, name: Name { epoch, first, last }, .. } = claim;
    let (epoch, first, last) = (epoch.cast_signed(), first.cast_signed(), last.cast_signed());
    let mut statement = connection.prepare_cached(
        "SELECT max(first, ?3), min(last, ?4) FROM ledger
         WHERE sensor = ?1 AND epoch = ?2 AND first <= ?4 AND last >= ?3 ORDER BY first",
    )?;
    let known: Vec<(i64, i64)> = statement
        .query_map(params![sensor, epoch, first, last], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    match known[..] {
        [] => Ok(None),
        // Ranges that touch are one, so what is known of all of it is one range.
        [(from, to)] if (from, to) == (first, last) => compare(connection, claim).map(Some),
        _ => {
            let ranges: Vec<String> = known.iter().map(|(from, to)| format!("{from} to {to}")).collect();
            let reason = format!(
                "sequence numbers {} of {} are stored already, the others are not: it was merged after a part \
                 of it was sent",
                ranges.join(", "),
                claim.name
            );
            Ok(Some(Outcome::Conflict { reason }))
        }
    }
}

/// Compares with what is stored of an interval, all of whose sequence numbers are.
fn compare(connection: &Connection, claim: &Claim<'_>) -> rusqlite::Result<Outcome> {
    let Claim { sensor, name, counts_hash, packets, bytes } = claim;
    let (epoch, first, last) = (name.epoch.cast_signed(), name.first.cast_signed(), name.last.cast_signed());
    let mut statement = connection.prepare_cached(
        "SELECT first, last, counts_hash, packets, bytes FROM interval_raw
         WHERE sensor = ?1 AND epoch = ?2 AND first <= ?4 AND last >= ?3 AND first >= coalesce(
             (SELECT max(first) FROM interval_raw WHERE sensor = ?1 AND epoch = ?2 AND first <= ?3), ?3)
         ORDER BY first",
    )?;
    let mut rows = statement.query(params![sensor, epoch, first, last])?;
    let (mut covered, mut all_packets, mut all_bytes) = (0, 0_i64, 0_i64);
    while let Some(row) = rows.next()? {
        let (from, to): (i64, i64) = (row.get(0)?, row.get(1)?);
        if (from, to) == (first, last) {
            return Ok(if row.get_ref(2)?.as_bytes()? == *counts_hash {
                Outcome::AlreadyStored
            } else {
                Outcome::Conflict { reason: format!("{name} is stored already, with other counts") }
            });
        }
        if from < first || to > last {
            let reason = format!("{name} is stored already, within the merged intervals {from} to {to}");
            return Ok(Outcome::Conflict { reason });
        }
        covered += to - from + 1;
        all_packets = all_packets.saturating_add(row.get(3)?);
        all_bytes = all_bytes.saturating_add(row.get(4)?);
    }
    // It was merged after all of it had been stored, and the answers were lost. What retention has removed of it cannot
    // be compared, and must not be counted twice.
    if covered == last - first + 1 && (all_packets, all_bytes) != (*packets, *bytes) {
        let reason = format!("{name} are stored one by one, with other counts in all");
        return Ok(Outcome::Conflict { reason });
    }
    Ok(Outcome::AlreadyStored)
}

/// Notes that an interval is stored, none of whose sequence numbers was.
pub fn note(connection: &Connection, sensor: i64, name: Name) -> rusqlite::Result<()> {
    let Name { epoch, first, last } = name;
    let (epoch, mut first, mut last) = (epoch.cast_signed(), first.cast_signed(), last.cast_signed());
    let mut near = connection.prepare_cached(
        "SELECT first, last FROM ledger
         WHERE sensor = ?1 AND epoch = ?2 AND first <= ?4 + 1 AND last >= ?3 - 1",
    )?;
    let neighbours: Vec<(i64, i64)> = near
        .query_map(params![sensor, epoch, first, last], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    for (from, to) in neighbours {
        connection
            .prepare_cached("DELETE FROM ledger WHERE sensor = ?1 AND epoch = ?2 AND first = ?3")?
            .execute(params![sensor, epoch, from])?;
        (first, last) = (first.min(from), last.max(to));
    }
    connection
        .prepare_cached("INSERT INTO ledger (sensor, epoch, first, last) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![sensor, epoch, first, last])?;
    Ok(())
}
