//! Rows of the sums by day, one by one.
//!
//! To group them in SQL would take several times as long as to hand them over: whoever counts knows better what for.

use rusqlite::Connection;
use rusqlite::types::{FromSqlError, ValueRef};

use super::address::{Address, region_of};
use super::conditions;
use super::failure::failure;
use super::kind::Kind;
use crate::store::{Day, PortRow, RowFilter, SensorsSeen, SourceOrder, SourceRow, StoreError};

const REGION: i64 = 1023;
const MILLISECOND: u64 = 1_000_000;

pub fn sensor_numbers(connection: &Connection) -> rusqlite::Result<Vec<(u32, String)>> {
    let mut statement = connection.prepare_cached("SELECT id, name FROM sensor ORDER BY name")?;
    statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
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
        conditions::of(filter),
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
    let wanted = filter.sensors.as_deref();
    // What nobody asks for need not be taken out of its row.
    let columns = match (filter.with_details, wanted) {
        (true, _) => ", d.sensors, d.first, d.lasting",
        (false, Some(_)) => ", d.sensors",
        (false, None) => "",
    };
    let sql = format!(
        "SELECT d.day, d.source, d.kind, d.place, d.packets{columns}
         FROM source_day_raw d WHERE {} ORDER BY {order}",
        conditions::of(filter)
    );
    let mut statement = connection.prepare(&sql).map_err(failure)?;
    let mut rows = statement.query([]).map_err(failure)?;
    while let Some(row) = rows.next().map_err(failure)? {
        let mut told = source(row).map_err(failure)?;
        if let Some(wanted) = wanted {
            told.sensors = sensors(row).map_err(failure)?;
            let of_wanted = told.sensors.iter().filter(|number| wanted.contains(number)).count();
            if of_wanted == 0 {
                continue;
            }
            told.is_shared = told.sensors.iter().count() > of_wanted;
        }
        if filter.with_details {
            details(row, &mut told).map_err(failure)?;
        } else {
            told.sensors = SensorsSeen::Bits(&[]);
        }
        take(&told)?;
    }
    Ok(())
}

/// A row as it is without its details.
fn source<'a>(row: &'a rusqlite::Row<'_>) -> rusqlite::Result<SourceRow<'a>> {
    let Kind { protocol, class, service, signatures, window } = Kind::of(row.get(2)?);
    let (region, regions_version) = place(row.get(3)?);
    Ok(SourceRow {
        day: Day(row.get(0)?),
        source: row.get::<_, Address>(1)?.into(),
        protocol,
        class,
        service,
        region,
        regions_version,
        signatures,
        window,
        packets: row.get::<_, i64>(4)?.cast_unsigned(),
        first_seen: 0,
        last_seen: 0,
        sensors: SensorsSeen::Bits(&[]),
        is_shared: false,
    })
}

fn sensors<'a>(row: &'a rusqlite::Row<'_>) -> rusqlite::Result<SensorsSeen<'a>> {
    match row.get_ref(5)? {
        ValueRef::Integer(number) => Ok(SensorsSeen::One(u32::try_from(number).unwrap_or(u32::MAX))),
        ValueRef::Blob(bits) => Ok(SensorsSeen::Bits(bits)),
        _ => Err(FromSqlError::InvalidType.into()),
    }
}

fn details<'a>(row: &'a rusqlite::Row<'_>, told: &mut SourceRow<'a>) -> rusqlite::Result<()> {
    let first: i64 = row.get(6)?;
    let begin = told.day.start();
    let time = |milliseconds: i64| {
        // A flow whose clock was set may lie before the day that it counts on.
        let nanoseconds = milliseconds.saturating_mul(MILLISECOND.cast_signed());
        begin.saturating_add_signed(nanoseconds)
    };
    told.first_seen = time(first);
    told.last_seen = time(first.saturating_add(row.get(7)?));
    told.sensors = sensors(row)?;
    Ok(())
}
