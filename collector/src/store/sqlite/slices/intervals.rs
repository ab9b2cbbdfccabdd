//! Answers about intervals, by the indexes that the view's times in words have no use of.

use rusqlite::{Connection, Result, params};

use crate::store::{Answer, Day, Hour, NANOSECONDS_OF_DAY, NANOSECONDS_OF_HOUR, Span, Value, utc};

/// The answer to [`crate::store::Question::LastIntervals`].
pub fn last(connection: &Connection) -> Result<Answer> {
    let mut statement = connection.prepare_cached(
        "SELECT s.name, i.\"end\", i.start, i.packets, i.observed FROM sensor s JOIN interval_raw i ON i.id =
             (SELECT n.id FROM interval_raw n WHERE n.sensor = s.id ORDER BY n.\"end\" DESC LIMIT 1)
         ORDER BY s.name",
    )?;
    let rows = statement.query_map([], |row| {
        let time =
            |column: usize| row.get::<_, i64>(column).map(|time| Value::Text(utc(time.cast_unsigned())));
        let number = |column: usize| row.get(column).map(Value::Integer);
        Ok(vec![Value::Text(row.get(0)?), time(1)?, time(2)?, number(3)?, number(4)?])
    })?;
    let columns = ["sensor", "last_seen", "start", "packets", "observed_packets"].map(str::to_owned).into();
    Ok(Answer { columns, rows: rows.collect::<Result<_>>()?, is_cut: false })
}

/// The answer to [`crate::store::Question::BesideFlows`].
pub fn beside_flows(connection: &Connection, span: Span, sensor: Option<&str>) -> Result<Answer> {
    let is_by_hour = matches!(span, Span::Hours(..));
    let unit = if is_by_hour { NANOSECONDS_OF_HOUR } else { NANOSECONDS_OF_DAY };
    let mut statement = connection.prepare_cached(
        "SELECT i.start / ?3 AS unit, s.name, sum(i.observed), sum(i.missing)
         FROM interval_raw i JOIN sensor s ON s.id = i.sensor
         WHERE i.\"end\" >= ?1 AND i.start >= ?1 AND i.start < ?2 AND (?4 IS NULL OR s.name = ?4)
         GROUP BY unit, s.name ORDER BY unit, s.name",
    )?;
    let bounds = [span.start(), span.end(), unit].map(u64::cast_signed);
    let rows = statement.query_map(params![bounds[0], bounds[1], bounds[2], sensor], |row| {
        let unit = row.get(0)?;
        let mut values = if is_by_hour {
            let hour = Hour(unit);
            vec![Value::Text(hour.day().to_string()), Value::Integer(hour.of_day().into())]
        } else {
            vec![Value::Text(Day(unit).to_string())]
        };
        values.push(Value::Text(row.get(1)?));
        values.extend([Value::Integer(row.get(2)?), Value::Integer(row.get(3)?)]);
        Ok(values)
    })?;
    let columns = ["day", "hour", "sensor", "observed_packets", "flow_packets_missing"];
    let columns = columns.into_iter().filter(|column| is_by_hour || *column != "hour").map(str::to_owned);
    Ok(Answer { columns: columns.collect(), rows: rows.collect::<Result<_>>()?, is_cut: false })
}
