//! Rows of the sums by day, one by one.
//!
//! To group them in SQL would take several times as long as to hand them over: whoever counts knows better what for.

use rusqlite::Connection;
use rusqlite::types::{FromSqlError, ValueRef};

use super::address::{Address, region_number, region_of};
use super::failure::failure;
use super::kind::{self, Kind};
use crate::store::{
    Day, Match, NANOSECONDS_OF_DAY, PortRow, RowFilter, SensorsSeen, SourceOrder, SourceRow, StoreError,
};

const REGION: i64 = 1023;
const MILLISECOND: u64 = 1_000_000;

pub fn sensor_numbers(connection: &Connection) -> rusqlite::Result<Vec<(u32, String)>> {
    let mut statement = connection.prepare_cached("SELECT id, name FROM sensor ORDER BY name")?;
    statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

/// The conditions on days, and on what rows are; numbers alone, so that they can be written into the statement.
fn conditions(filter: &RowFilter) -> String {
    let one = |wanted: &Match| {
        let (mask, value) = kind::bits(wanted);
        let region =
            wanted.region.map(|region| format!(" AND (d.place & {REGION}) = {}", region_number(region)));
        format!("((d.kind & {mask}) = {value}{})", region.unwrap_or_default())
    };
    let any: Vec<String> = filter.any.iter().map(one).collect();
    let any = if any.is_empty() { String::new() } else { format!(" AND ({})", any.join(" OR ")) };
    format!("d.day >= {} AND d.day < {}{any}", filter.from.0, filter.to.0)
}

pub fn ports(
    connection: &Connection,
    filter: &RowFilter,
    take: &mut dyn FnMut(&PortRow),
) -> rusqlite::Result<()> {
    let sensors = filter.sensors.as_ref().map(|sensors| {
        let numbers: Vec<String> = sensors.iter().map(u32::to_string).collect();
        format!(" AND d.sensor IN ({})", numbers.join(", "))
    });
    let sql = format!(
        "SELECT d.day, d.sensor, d.kind, d.place, d.packets FROM port_day_raw d WHERE {}{}
         ORDER BY d.day, d.sensor",
        conditions(filter),
        sensors.unwrap_or_default()
    );
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let Kind { protocol, class, service, signatures, window: _ } = Kind::of(row.get(2)?);
        let (region, regions_version) = place(row.get(3)?);
        take(&PortRow {
            day: Day(row.get(0)?),
            sensor: row.get(1)?,
            protocol,
            class,
            service,
            region,
            regions_version,
            signatures,
            packets: row.get::<_, i64>(4)?.cast_unsigned(),
        });
    }
    Ok(())
}

fn place(place: i64) -> ([u8; 2], u32) {
    (region_of(place & REGION), u32::try_from(place >> 10).unwrap_or(0))
}

pub fn sources(
    connection: &Connection,
    filter: &RowFilter,
    order: SourceOrder,
    take: &mut dyn FnMut(&SourceRow<'_>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let order = match order {
        SourceOrder::Day => "d.day, d.source",
        SourceOrder::Source => "d.source, d.day",
    };
    let sql = format!(
        "SELECT d.day, d.source, d.kind, d.place, d.packets, d.first, d.lasting, d.sensors
         FROM source_day_raw d WHERE {} ORDER BY {order}",
        conditions(filter)
    );
    let wanted = filter.sensors.as_deref();
    let mut statement = connection.prepare(&sql).map_err(failure)?;
    let mut rows = statement.query([]).map_err(failure)?;
    while let Some(row) = rows.next().map_err(failure)? {
        let row = source(row).map_err(failure)?;
        if wanted.is_none_or(|wanted| row.sensors.iter().any(|number| wanted.contains(&number))) {
            take(&row)?;
        }
    }
    Ok(())
}

fn source<'a>(row: &'a rusqlite::Row<'_>) -> rusqlite::Result<SourceRow<'a>> {
    let Kind { protocol, class, service, signatures, window } = Kind::of(row.get(2)?);
    let (region, regions_version) = place(row.get(3)?);
    let day: u32 = row.get(0)?;
    let first: i64 = row.get(5)?;
    let time = |milliseconds: i64| {
        // A flow whose clock was set may lie before the day that it counts on.
        let nanoseconds = milliseconds.saturating_mul(MILLISECOND.cast_signed());
        (u64::from(day) * NANOSECONDS_OF_DAY).saturating_add_signed(nanoseconds)
    };
    Ok(SourceRow {
        day: Day(day),
        source: row.get::<_, Address>(1)?.into(),
        protocol,
        class,
        service,
        region,
        regions_version,
        signatures,
        window,
        packets: row.get::<_, i64>(4)?.cast_unsigned(),
        first_seen: time(first),
        last_seen: time(first.saturating_add(row.get(6)?)),
        sensors: match row.get_ref(7)? {
            ValueRef::Integer(number) => SensorsSeen::One(u32::try_from(number).unwrap_or(u32::MAX)),
            ValueRef::Blob(bits) => SensorsSeen::Bits(bits),
            _ => return Err(FromSqlError::InvalidType.into()),
        },
    })
}
