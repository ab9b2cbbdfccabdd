//! Sums of the rollups.

use rusqlite::types::{ToSql, Value};
use rusqlite::{Connection, Row, params_from_iter};
use sensor_ebpf::abi::TrafficClass;

use super::address::{Address, region_number, region_of};
use super::kind::Parts;
use crate::store::{Day, NANOSECONDS_OF_DAY, PortKey, PortSum, RollupFilter, SourceKey, SourceSum};

/// A statement that is put together: conditions, and the values that they name.
struct Question {
    conditions: Vec<String>,
    values: Vec<Value>,
}

impl Question {
    /// What both rollups are asked alike.
    fn new(filter: &RollupFilter) -> Self {
        let mut question = Self { conditions: Vec::new(), values: Vec::new() };
        let parts = Parts("d.kind");
        question.add("d.day >=", i64::from(filter.from.0));
        question.add("d.day <", i64::from(filter.to.0));
        if let Some(protocol) = filter.protocol {
            question.add(&format!("{} =", parts.protocol()), i64::from(protocol));
        }
        if let Some(class) = filter.class {
            question.add(&format!("{} =", parts.class()), class as i64);
        }
        if let Some(port) = filter.port {
            question.add(&format!("{} =", parts.port()), i64::from(port));
        }
        if let Some(region) = filter.region {
            question.add("d.place & 1023 =", region_number(region));
        }
        if filter.signatures != 0 {
            let bits = i64::from(filter.signatures);
            question.add(&format!("{} & {bits} =", parts.signatures()), bits);
        }
        question
    }

    fn add(&mut self, condition: &str, value: impl Into<Value>) {
        self.values.push(value.into());
        self.conditions.push(format!("{condition} ?{}", self.values.len()));
    }

    /// Asks for the sums by some expressions, most packets first.
    fn ask<T>(
        self,
        connection: &Connection,
        sums: &str,
        from: &str,
        by: &[String],
        most: usize,
        read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Vec<T>> {
        let mut columns = vec![sums.to_owned()];
        columns.extend_from_slice(by);
        let group = match by.len() {
            // Else the sum of no rows would be a row.
            0 => "HAVING count(*) > 0".to_owned(),
            keys => {
                let places: Vec<String> =
                    (1..=keys).map(|key| (key + columns[0].matches(" AS ").count()).to_string()).collect();
                format!("GROUP BY {}", places.join(", "))
            }
        };
        let sql = format!(
            "SELECT {} FROM {from} WHERE {} {group} ORDER BY 1 DESC LIMIT {}",
            columns.join(", "),
            self.conditions.join(" AND "),
            i64::try_from(most).unwrap_or(i64::MAX)
        );
        let mut statement = connection.prepare_cached(&sql)?;
        let values = params_from_iter(self.values.iter().map(|value| value as &dyn ToSql));
        statement.query_map(values, |row| read(row))?.collect()
    }
}

fn count(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(column).map(i64::cast_unsigned)
}

fn class(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<TrafficClass>> {
    row.get(column).map(TrafficClass::from_number)
}

pub fn ports(
    connection: &Connection,
    filter: &RollupFilter,
    by: &[PortKey],
    most: usize,
) -> rusqlite::Result<Vec<PortSum>> {
    let parts = Parts("d.kind");
    let mut question = Question::new(filter);
    if let Some(sensor) = &filter.sensor {
        question.add("s.name =", sensor.clone());
    }
    let expressions: Vec<String> = by
        .iter()
        .map(|key| match key {
            PortKey::Day => "d.day".to_owned(),
            PortKey::Sensor => "s.name".to_owned(),
            PortKey::Protocol => parts.protocol(),
            PortKey::Class => parts.class(),
            PortKey::Port => parts.port(),
            PortKey::Region => "d.place & 1023".to_owned(),
            PortKey::Signatures => parts.signatures(),
        })
        .collect();
    let from = "port_day_raw d JOIN sensor s ON s.id = d.sensor";
    question.ask(connection, "sum(d.packets) AS p, sum(d.bytes) AS b", from, &expressions, most, |row| {
        let mut sum = PortSum { packets: count(row, 0)?, bytes: count(row, 1)?, ..PortSum::default() };
        for (key, column) in by.iter().zip(2..) {
            match key {
                PortKey::Day => sum.day = Some(Day(row.get(column)?)),
                PortKey::Sensor => sum.sensor = Some(row.get(column)?),
                PortKey::Protocol => sum.protocol = Some(row.get(column)?),
                PortKey::Class => sum.class = class(row, column)?,
                PortKey::Port => sum.port = row.get(column)?,
                PortKey::Region => sum.region = Some(region_of(row.get(column)?)),
                PortKey::Signatures => sum.signatures = Some(row.get(column)?),
            }
        }
        Ok(sum)
    })
}

pub fn sources(
    connection: &Connection,
    filter: &RollupFilter,
    by: &[SourceKey],
    most: usize,
) -> rusqlite::Result<Vec<SourceSum>> {
    let parts = Parts("d.kind");
    let mut question = Question::new(filter);
    if let Some(source) = filter.source {
        question.add(
            "d.source =",
            match source.into() {
                Address::V4(number) => Value::from(number),
                Address::V6(octets) => octets.to_vec().into(),
            },
        );
    }
    let expressions: Vec<String> = by
        .iter()
        .map(|key| match key {
            SourceKey::Day => "d.day".to_owned(),
            SourceKey::Source => "d.source".to_owned(),
            SourceKey::Protocol => parts.protocol(),
            SourceKey::Class => parts.class(),
            SourceKey::Port => parts.port(),
            SourceKey::Region => "d.place & 1023".to_owned(),
            SourceKey::Signatures => parts.signatures(),
            SourceKey::Window => parts.window(),
        })
        .collect();
    let day = NANOSECONDS_OF_DAY;
    let sums = format!(
        "sum(d.packets) AS p, sum(d.bytes) AS b, count(DISTINCT d.source) AS c, sensors_in_all(d.sensors) AS n,
         min(d.day * {day} + d.first * 1000000) AS f, max(d.day * {day} + (d.first + d.lasting) * 1000000) AS l"
    );
    question.ask(connection, &sums, "source_day_raw d", &expressions, most, |row| {
        let mut sum = SourceSum {
            packets: count(row, 0)?,
            bytes: count(row, 1)?,
            sources: count(row, 2)?,
            sensors: count(row, 3)?,
            first_seen: count(row, 4)?,
            last_seen: count(row, 5)?,
            ..SourceSum::default()
        };
        for (key, column) in by.iter().zip(6..) {
            match key {
                SourceKey::Day => sum.day = Some(Day(row.get(column)?)),
                SourceKey::Source => sum.source = Some(row.get::<_, Address>(column)?.into()),
                SourceKey::Protocol => sum.protocol = Some(row.get(column)?),
                SourceKey::Class => sum.class = class(row, column)?,
                SourceKey::Port => sum.port = row.get(column)?,
                SourceKey::Region => sum.region = Some(region_of(row.get(column)?)),
                SourceKey::Signatures => sum.signatures = Some(row.get(column)?),
                SourceKey::Window => sum.window = row.get(column)?,
            }
        }
        Ok(sum)
    })
}
