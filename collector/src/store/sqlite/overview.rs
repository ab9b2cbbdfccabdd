//! Intervals, up-time, and sensors.

use rusqlite::{Connection, params};

use super::interval::{self, NEVER_CAME};
use super::views::LAST;
use crate::store::{Day, Interval, Period, SensorOverview, Uptime};

/// Batches that a clock is judged by.
const CLOCK_BATCHES: u32 = 101;

pub fn intervals(
    connection: &Connection,
    sensor: Option<&str>,
    period: Period,
) -> rusqlite::Result<Vec<Interval>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {} FROM interval_raw i JOIN sensor s ON s.id = i.sensor
         WHERE i.\"end\" >= ?1 AND {LAST} >= ?1 AND {LAST} < ?2 AND (?3 IS NULL OR s.name = ?3)
         ORDER BY s.name, i.epoch, i.first",
        interval::COLUMNS
    ))?;
    let rows = statement.query_map(params![moment(period.from), moment(period.to), sensor], |row| {
        interval::read(row).map(|(_, interval)| interval)
    })?;
    rows.collect()
}

fn moment(time: u64) -> i64 {
    interval::signed(time)
}

pub fn uptime(
    connection: &Connection,
    sensor: Option<&str>,
    period: Period,
) -> rusqlite::Result<Vec<Uptime>> {
    let (from, to) = period.bounds();
    let mut statement = connection.prepare_cached(
        "SELECT u.day, s.name, u.nanoseconds, u.with_flows, u.missing
         FROM uptime_day_raw u JOIN sensor s ON s.id = u.sensor
         WHERE u.day >= ?1 AND u.day < ?2 AND (?3 IS NULL OR s.name = ?3) ORDER BY u.day, s.name",
    )?;
    let rows = statement.query_map(params![from.0, to.0, sensor], |row| {
        let number = |column| row.get::<_, i64>(column).map(i64::cast_unsigned);
        let (nanoseconds, with_flows, flow_packets_missing) = (number(2)?, number(3)?, number(4)?);
        let (day, sensor) = (Day(row.get(0)?), row.get(1)?);
        Ok(Uptime { day, sensor, nanoseconds, with_flows, flow_packets_missing })
    })?;
    rows.collect()
}

pub fn sensors(connection: &Connection, period: Period) -> rusqlite::Result<Vec<SensorOverview>> {
    let mut statement = connection.prepare_cached("SELECT id, name FROM sensor ORDER BY name")?;
    let sensors: Vec<(i64, String)> =
        statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<_>>()?;
    sensors.into_iter().map(|(id, name)| sensor(connection, id, name, period)).collect()
}

fn sensor(
    connection: &Connection,
    id: i64,
    sensor: String,
    period: Period,
) -> rusqlite::Result<SensorOverview> {
    let mut overview = SensorOverview { sensor, ..SensorOverview::default() };
    ledger(connection, id, &mut overview)?;
    let optional = |figure: Option<i64>| figure.map(i64::cast_unsigned);
    let mut statement =
        connection.prepare_cached("SELECT max(\"end\"), max(arrived) FROM interval_raw WHERE sensor = ?1")?;
    (overview.last_end, overview.last_arrived) =
        statement.query_row([id], |row| Ok((optional(row.get(0)?), optional(row.get(1)?))))?;
    let mut statement = connection.prepare_cached(
        "SELECT program_version FROM interval_raw WHERE sensor = ?1 ORDER BY id DESC LIMIT 1",
    )?;
    overview.program_version =
        statement.query_map([id], |row| row.get(0))?.next().transpose()?.unwrap_or_default();
    losses(connection, id, period, &mut overview)?;
    overview.clock_skew_seconds = clock_skew(connection, id)?;
    overview.uptime = uptime(connection, Some(&overview.sensor), period)?
        .into_iter()
        .map(|uptime| (uptime.day.to_string(), uptime.nanoseconds as f64 / 1e9))
        .collect();
    Ok(overview)
}

/// Epochs, and what is missing in them.
fn ledger(connection: &Connection, sensor: i64, overview: &mut SensorOverview) -> rusqlite::Result<()> {
    let mut statement = connection
        .prepare_cached("SELECT epoch, first, last FROM ledger WHERE sensor = ?1 ORDER BY epoch, first")?;
    let mut rows = statement.query([sensor])?;
    let mut before: Option<(i64, i64)> = None;
    while let Some(row) = rows.next()? {
        let (epoch, first, last): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let expected = match before {
            Some((same, last)) if same == epoch => last + 1,
            _ => {
                overview.epochs += 1;
                1
            }
        };
        if first > expected {
            let missing = (first - expected).cast_unsigned();
            overview.missing_sequences = overview.missing_sequences.saturating_add(missing);
            overview.missing_ranges += 1;
        }
        before = Some((epoch, last));
    }
    Ok(())
}

fn losses(
    connection: &Connection,
    sensor: i64,
    period: Period,
    overview: &mut SensorOverview,
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT count(*), coalesce(sum(packets), 0), coalesce(sum(observed), 0),
             coalesce(sum(coalesce(lost4, 0) + coalesce(lost6, 0)), 0),
             coalesce(sum(flow_state = {NEVER_CAME} AND coalesce(flow_rows + overflow_rows, 0) > 0), 0),
             coalesce(sum(missing), 0), coalesce(sum(json_array_length(breaches)), 0)
         FROM interval_raw i WHERE sensor = ?1 AND i.\"end\" >= ?2 AND {LAST} >= ?2 AND {LAST} < ?3"
    ))?;
    let figures: [u64; 7] =
        statement.query_row(params![sensor, moment(period.from), moment(period.to)], |row| {
            let mut figures = [0; 7];
            for (column, figure) in figures.iter_mut().enumerate() {
                *figure = row.get::<_, i64>(column)?.cast_unsigned();
            }
            Ok(figures)
        })?;
    [
        overview.intervals,
        overview.packets,
        overview.observed_packets,
        overview.digests_lost,
        overview.intervals_without_flows,
        overview.flow_packets_missing,
        overview.breaches,
    ] = figures;
    Ok(())
}

/// The median of arrival less sending, of the batches that were stored last: an epoch is what a sensor makes of its own
/// clock, and one in the future would stay the last.
fn clock_skew(connection: &Connection, sensor: i64) -> rusqlite::Result<Option<f64>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT arrived - sent FROM interval_raw WHERE sensor = ?1 AND sent IS NOT NULL
         ORDER BY id DESC LIMIT {CLOCK_BATCHES}"
    ))?;
    let mut differences: Vec<i64> =
        statement.query_map([sensor], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    differences.sort_unstable();
    Ok(differences.get(differences.len() / 2).map(|nanoseconds| *nanoseconds as f64 / 1e9))
}
