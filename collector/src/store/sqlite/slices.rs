//! Questions about slices, in SQL as people would write it, and their answers.

mod intervals;
mod merge;
mod sources;

use std::time::Duration;

use rusqlite::Connection;

use super::failure::failure;
use super::question;
use crate::store::{Answer, Facet, FacetValue, Question, Service, Slice, Span, StoreError, region_code, utc};

/// Rows of an answer at most.
const MOST_ROWS: usize = 1_000_000;

/// A text as SQL has it.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Which rows belong to a span.
fn span(span: Span) -> Vec<String> {
    match span {
        Span::Days(from, to) => vec![format!("day >= '{from}'"), format!("day <= '{to}'")],
        Span::Hours(from, to) => vec![
            format!("day >= '{}'", from.day()),
            format!("day <= '{}'", to.day()),
            format!("(day, hour) >= ('{}', {})", from.day(), from.of_day()),
            format!("(day, hour) <= ('{}', {})", to.day(), to.of_day()),
        ],
    }
}

/// The rollup of a span's unit, and the columns that name the unit.
const fn rollup(span: Span) -> (&'static str, &'static str) {
    match span {
        Span::Hours(..) => ("port_hour", "day, hour"),
        Span::Days(..) => ("port_day", "day"),
    }
}

fn service(Service { protocol, port, icmp_type }: &Service) -> String {
    let mut words = format!("protocol = {protocol}");
    let absent = |column: &str| format!(" AND {column} IS NULL");
    match port {
        Some(port) => words += &format!(" AND port = {port}"),
        None => words += &absent("port"),
    }
    match (icmp_type, port) {
        (Some(icmp_type), _) => words += &format!(" AND icmp_type = {icmp_type}"),
        (None, None) => words += &absent("icmp_type"),
        // What has a port has no type.
        (None, Some(_)) => {}
    }
    words
}

fn region(code: [u8; 2]) -> String {
    literal(&region_code(code))
}

/// What is asked of both rollups alike.
fn kind(slice: &Slice) -> Vec<String> {
    let mut conditions = Vec::new();
    conditions.extend(slice.service.as_ref().map(service));
    conditions.extend(slice.region.map(|code| format!("region = {}", region(code))));
    conditions.extend(slice.class.map(|class| format!("class = '{}'", class.name())));
    conditions.extend(slice.signatures.as_ref().map(|text| format!("signatures = {}", literal(text))));
    conditions
}

fn ports(slice: &Slice) -> Vec<String> {
    let mut conditions = span(slice.span);
    conditions.extend(slice.sensor.as_ref().map(|sensor| format!("sensor = {}", literal(sensor))));
    conditions.extend(kind(slice));
    conditions
}

/// Sources are summed up by day: of hours, by when they were seen last.
fn of_sources(slice: &Slice) -> Vec<String> {
    let mut conditions = match slice.span {
        Span::Days(..) => span(slice.span),
        Span::Hours(from, to) => vec![
            format!("day >= '{}'", from.day()),
            format!("day <= '{}'", to.day()),
            format!("last_seen >= '{}'", utc(from.start())),
            format!("first_seen < '{}'", utc(slice.span.end())),
        ],
    };
    conditions.extend(kind(slice));
    conditions
}

const fn columns(facet: Facet) -> &'static str {
    match facet {
        Facet::Service => "protocol, port, icmp_type",
        Facet::Region => "region",
        Facet::Class => "class",
        Facet::Signatures => "signatures",
        Facet::Sensor => "sensor",
    }
}

/// One of these values.
fn among(facet: Facet, values: &[FacetValue]) -> String {
    let words: Vec<String> = values
        .iter()
        .map(|value| match value {
            FacetValue::Service(one) => format!("({})", service(one)),
            FacetValue::Region(code) => region(*code),
            FacetValue::Class(text) | FacetValue::Signatures(text) | FacetValue::Sensor(text) => {
                literal(text)
            }
        })
        .collect();
    match (facet, words.is_empty()) {
        (_, true) => "0".into(),
        (Facet::Service, false) => format!("({})", words.join("\n        OR ")),
        (_, false) => format!("{} IN ({})", columns(facet), words.join(", ")),
    }
}

fn all(conditions: &[String]) -> String {
    conditions.join("\n    AND ")
}

/// The question in words of SQL.
pub fn sql(question: &Question) -> String {
    match question {
        Question::Ranking { slice, facet, most } => {
            let (columns, (table, _)) = (columns(*facet), rollup(slice.span));
            format!(
                "SELECT {columns}, sum(packets) AS packets, sum(bytes) AS bytes,\n    \
                 1.0 * sum(packets) / sum(sum(packets)) OVER () AS share\n\
                 FROM {table}\nWHERE {}\nGROUP BY {columns}\nORDER BY packets DESC, {columns}\nLIMIT {most}",
                all(&ports(slice))
            )
        }
        Question::Course { slice, facet, values } => {
            let (columns, (table, unit)) = (columns(*facet), rollup(slice.span));
            let mut conditions = ports(slice);
            conditions.push(among(*facet, values));
            format!(
                "SELECT {unit}, {columns}, sum(packets) AS packets\nFROM {table}\nWHERE {}\n\
                 GROUP BY {unit}, {columns}\nORDER BY {unit}, {columns}",
                all(&conditions)
            )
        }
        Question::SourceCount(slice) => format!(
            "SELECT count(DISTINCT src_ip) AS sources\nFROM source_day\nWHERE {}",
            all(&of_sources(slice))
        ),
        Question::SourcesByDay(slice) => format!(
            "SELECT day, count(DISTINCT src_ip) AS sources\nFROM source_day\nWHERE {}\nGROUP BY day\nORDER BY day",
            all(&of_sources(slice))
        ),
        Question::TopSources { slice, most } => format!(
            "SELECT src_ip, region, sum(packets) AS packets, min(first_seen) AS first_seen,\n    \
             max(last_seen) AS last_seen, count(DISTINCT protocol * 65536 + port) AS ports,\n    \
             signatures_in_all(signatures) AS signatures\n\
             FROM source_day\nWHERE {}\nGROUP BY src_ip, region\nORDER BY packets DESC, src_ip, region\nLIMIT {most}",
            all(&of_sources(slice))
        ),
        Question::Uptime { span: of, sensor } => {
            let (table, unit) = match of {
                Span::Hours(..) => ("uptime_hour", "day, hour"),
                Span::Days(..) => ("uptime_day", "day"),
            };
            let mut conditions = span(*of);
            conditions.extend(sensor.as_ref().map(|sensor| format!("sensor = {}", literal(sensor))));
            format!(
                "SELECT {unit}, sensor, seconds\nFROM {table}\nWHERE {}\nORDER BY {unit}, sensor",
                all(&conditions)
            )
        }
        Question::BesideFlows { span: of, sensor } => {
            let (hour, unit) = match of {
                Span::Hours(..) => (" CAST(substr(start, 12, 2) AS INTEGER) AS hour,", "day, hour"),
                Span::Days(..) => ("", "day"),
            };
            let (from, to) = (utc(of.start()), utc(of.end()));
            let sensor = sensor.as_ref().map(|sensor| format!("\n    AND sensor = {}", literal(sensor)));
            format!(
                "SELECT substr(start, 1, 10) AS day,{hour} sensor,\n    \
                 sum(observed_packets) AS observed_packets, sum(flow_packets_missing) AS flow_packets_missing\n\
                 FROM intervals\nWHERE \"end\" >= '{from}'\n    AND start >= '{from}'\n    AND start < '{to}'{}\n\
                 GROUP BY {unit}, sensor\nORDER BY {unit}, sensor",
                sensor.unwrap_or_default()
            )
        }
        Question::HoursFrom => {
            "SELECT date(day * 86400, 'unixepoch') AS day\nFROM horizon\nWHERE what = 'hours'".into()
        }
        Question::LastIntervals => {
            "SELECT sensor, max(\"end\") AS last_seen, start, packets, observed_packets\n\
                                    FROM intervals\nGROUP BY sensor\nORDER BY sensor"
                .into()
        }
    }
}

/// Answers a question within some time: what its SQL would answer, and as fast as the keys allow.
pub fn answer(
    connection: &mut Connection,
    question: &Question,
    within: Duration,
) -> Result<Answer, StoreError> {
    let sql = sql(question);
    if let Some(sensor) = question.sensor()
        && !is_known(connection, sensor).map_err(failure)?
    {
        // Nothing is of it: its rows need not be looked for.
        let columns = connection.prepare(&sql).map_err(failure)?;
        let columns = columns.column_names().map(str::to_owned).collect();
        return Ok(Answer { columns, ..Answer::default() });
    }
    match question {
        Question::Ranking { .. }
        | Question::Course { .. }
        | Question::Uptime { .. }
        | Question::HoursFrom => question::answer(connection, &sql, MOST_ROWS, within),
        Question::SourceCount(slice) => {
            question::timed(connection, within, |connection| sources::count(connection, slice))
        }
        Question::SourcesByDay(slice) => {
            question::timed(connection, within, |connection| sources::by_day(connection, slice))
        }
        Question::TopSources { slice, most } => {
            question::timed(connection, within, |connection| sources::top(connection, slice, *most))
        }
        Question::BesideFlows { span, sensor } => question::timed(connection, within, |connection| {
            intervals::beside_flows(connection, *span, sensor.as_deref())
        }),
        Question::LastIntervals => question::timed(connection, within, intervals::last),
    }
}

fn is_known(connection: &Connection, sensor: &str) -> rusqlite::Result<bool> {
    connection.prepare_cached("SELECT 1 FROM sensor WHERE name = ?1")?.exists([sensor])
}
