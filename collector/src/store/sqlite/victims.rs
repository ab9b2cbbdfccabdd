//! Flows of backscatter, by who is under attack.

use rusqlite::{Connection, params};
use sensor_ebpf::abi::TrafficClass;

use super::address::Address;
use super::failure::failure;
use super::interval::signed;
use super::kind::Parts;
use super::views::{ROW_BITS, SEEN};
use crate::store::{Period, StoreError, VictimFlow};

/// Hands them over by victim, protocol, and first packet.
pub fn flows(
    connection: &Connection,
    period: Period,
    take: &mut dyn FnMut(&VictimFlow) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let parts = Parts("f.kind");
    let classes: Vec<String> = TrafficClass::ALL
        .into_iter()
        .filter(|class| class.is_backscatter())
        .map(|class| (class as u8).to_string())
        .collect();
    let sql = format!(
        "SELECT f.victim AS v, coalesce(nullif(f.more >> 2, 0) - 1, {protocol}) AS p, {port}, f.packets,
             {SEEN} AS t, min(i.start + (f.first + f.lasting) * 1000000, max(i.start, i.\"end\" - 1))
         FROM interval_raw i CROSS JOIN flow_raw f
             ON f.id >= i.id << {ROW_BITS} AND f.id < (i.id + 1) << {ROW_BITS}
         WHERE {class} IN ({classes}) AND f.victim IS NOT NULL
             AND i.start < ?2 AND i.\"end\" >= ?1 AND {SEEN} >= ?1 AND {SEEN} < ?2
         ORDER BY v, p, t",
        protocol = parts.protocol(),
        port = parts.port(),
        class = parts.class(),
        classes = classes.join(", "),
    );
    let mut statement = connection.prepare(&sql).map_err(failure)?;
    let mut rows = statement.query(params![signed(period.from), signed(period.to)]).map_err(failure)?;
    while let Some(row) = rows.next().map_err(failure)? {
        let read = || -> rusqlite::Result<VictimFlow> {
            let first_seen = row.get::<_, i64>(4)?.cast_unsigned();
            Ok(VictimFlow {
                victim: row.get::<_, Address>(0)?.into(),
                protocol: row.get(1)?,
                port: row.get(2)?,
                packets: row.get::<_, i64>(3)?.cast_unsigned(),
                first_seen,
                last_seen: u64::try_from(row.get::<_, i64>(5)?).unwrap_or(0).max(first_seen),
            })
        };
        take(&read().map_err(failure)?)?;
    }
    Ok(())
}
