//! Questions about slices, in SQL as people would write it.

use rusqlite::Connection;

use crate::store::{Answer, Facet, FacetValue, Hour, Question, Service, Slice, Span, Value, utc};

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
    literal(&String::from_utf8_lossy(&code))
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
fn sources(slice: &Slice) -> Vec<String> {
    let mut conditions = match slice.span {
        Span::Days(..) => span(slice.span),
        Span::Hours(from, to) => vec![
            format!("day >= '{}'", from.day()),
            format!("day <= '{}'", to.day()),
            format!("last_seen >= '{}'", utc(from.start())),
            format!("first_seen < '{}'", utc(Hour(to.0.saturating_add(1)).start())),
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
            all(&sources(slice))
        ),
        Question::SourcesByDay(slice) => format!(
            "SELECT day, count(DISTINCT src_ip) AS sources\nFROM source_day\nWHERE {}\nGROUP BY day\nORDER BY day",
            all(&sources(slice))
        ),
        Question::TopSources { slice, most } => format!(
            "SELECT src_ip, region, sum(packets) AS packets, min(first_seen) AS first_seen,\n    \
             max(last_seen) AS last_seen, count(DISTINCT protocol * 65536 + port) AS ports,\n    \
             max(signatures) AS signatures\n\
             FROM source_day\nWHERE {}\nGROUP BY src_ip, region\nORDER BY packets DESC, src_ip\nLIMIT {most}",
            all(&sources(slice))
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
        Question::LastIntervals => {
            "SELECT sensor, max(\"end\") AS last_seen, start, packets, observed_packets\n\
                                    FROM intervals\nGROUP BY sensor\nORDER BY sensor"
                .into()
        }
    }
}

/// The answer to [`Question::LastIntervals`] by an index, which the view's times in words have no use of.
pub fn last_intervals(connection: &Connection) -> rusqlite::Result<Answer> {
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
    Ok(Answer { columns, rows: rows.collect::<rusqlite::Result<_>>()?, is_cut: false })
}
