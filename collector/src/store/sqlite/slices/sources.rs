//! Answers about sources, by the keys of their rows.
//!
//! The tables that people see have addresses as text: to tell those apart would be to sort the text of a hundred million
//! rows. Here a row's source is compared as the key has it, and only what is answered becomes text.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::net::IpAddr;

use rusqlite::{Connection, Result, params};

use super::merge::by_source;
use crate::store::sqlite::address::{Address, region_number, region_of};
use crate::store::sqlite::functions::{signatures_of, signatures_text};
use crate::store::sqlite::kind::{ICMP, Kind, PORT};
use crate::store::{
    Answer, Match, NANOSECONDS_OF_DAY, Selector, Service, Slice, Span, Value, region_code, utc,
};

const MILLISECOND: i64 = 1_000_000;
const DAY: i64 = NANOSECONDS_OF_DAY.cast_signed();
const REGION: i64 = 1023;

/// What of its rows belongs to a slice, of numbers alone; none where nothing can.
fn condition(slice: &Slice) -> Option<String> {
    let Slice { span, sensor: _, service, region, class, signatures } = slice;
    let mut conditions = Vec::new();
    if let Span::Hours(..) = span {
        conditions.push(format!(
            "d.day * {DAY} + (d.first + d.lasting) * {MILLISECOND} >= {} AND d.day * {DAY} + d.first * {MILLISECOND} < {}",
            span.start(),
            span.end()
        ));
    }
    if let Some(Service { protocol, port, icmp_type }) = service {
        let (mask, value) = match (port, icmp_type) {
            // Nothing has both.
            (Some(_), Some(_)) => return None,
            (Some(port), None) => (PORT | ICMP | 0xffff, PORT | i64::from(*port)),
            (None, Some(icmp_type)) => (PORT | ICMP | 0xff00, ICMP | i64::from(*icmp_type) << 8),
            (None, None) => (PORT | ICMP, 0),
        };
        conditions.push(bits((mask | 255 << 24, value | i64::from(*protocol) << 24)));
    }
    let of_kind = Match { class: *class, ..Match::default() };
    if class.is_some() {
        conditions.push(bits(crate::store::sqlite::kind::bits(&of_kind)));
    }
    if let Some(text) = signatures {
        let signatures = signatures_of(text)?;
        let exact = Match { signatures, no_signatures: !signatures, ..Match::default() };
        conditions.push(bits(crate::store::sqlite::kind::bits(&exact)));
    }
    if let Some(code) = region {
        let number = region_number(*code);
        if region_of(number) != *code {
            return None;
        }
        conditions.push(format!("d.place & {REGION} = {number}"));
    }
    Some(conditions.iter().map(|condition| format!(" AND {condition}")).collect())
}

fn bits((mask, value): (i64, i64)) -> String {
    format!("d.kind & {mask} = {value}")
}

/// A statement for each day that there are sums of, with the day's name.
fn statements(connection: &Connection, slice: &Slice, columns: &str) -> Result<Vec<(String, String)>> {
    let Some(condition) = condition(slice) else { return Ok(Vec::new()) };
    let (from, to) = slice.span.days();
    let mut days = connection
        .prepare_cached("SELECT day, text FROM calendar WHERE day >= ?1 AND day <= ?2 ORDER BY day")?;
    let days = days.query_map(params![from.0, to.0], |row| {
        let (day, name): (i64, String) = (row.get(0)?, row.get(1)?);
        let sql = format!("SELECT {columns} FROM source_day_raw d WHERE d.day = {day}{condition}");
        Ok((name, sql))
    })?;
    days.collect()
}

fn answer(columns: &[&str], rows: Vec<Vec<Value>>) -> Answer {
    Answer { columns: columns.iter().map(|column| (*column).to_owned()).collect(), rows, is_cut: false }
}

/// How many there are.
pub fn count(connection: &Connection, slice: &Slice) -> Result<Answer> {
    let statements = statements(connection, slice, "DISTINCT d.source")?;
    let statements: Vec<String> =
        statements.into_iter().map(|(_, sql)| format!("{sql} ORDER BY d.source")).collect();
    let (mut last, mut sources) = (None, 0);
    by_source(
        connection,
        &statements,
        |_| Ok(()),
        |source, ()| {
            sources += i64::from(last != Some(source));
            last = Some(source);
        },
    )?;
    Ok(answer(&["sources"], vec![vec![Value::Integer(sources)]]))
}

/// How many there are of each day.
pub fn by_day(connection: &Connection, slice: &Slice) -> Result<Answer> {
    let mut rows = Vec::new();
    for (day, sql) in statements(connection, slice, "DISTINCT d.source")? {
        // The distinct ones follow each other by the key: they are counted, and not kept.
        let sources =
            connection.query_row(&format!("SELECT count(*) FROM ({sql})"), [], |row| row.get::<_, i64>(0))?;
        if sources > 0 {
            rows.push(vec![Value::Text(day), Value::Integer(sources)]);
        }
    }
    Ok(answer(&["day", "sources"], rows))
}

/// What one row says of a source.
struct Part {
    kind: i64,
    place: i64,
    packets: i64,
    /// Nanoseconds since the Unix epoch.
    first: i64,
    last: i64,
}

/// A source of one region.
struct Found {
    packets: i64,
    first: i64,
    last: i64,
    ports: BTreeSet<(u8, u16)>,
    signatures: u8,
}

/// In the order of the answer: what is compared first is told first, and the rest is alike for no two.
type Ranked = (Reverse<i64>, String, String, i64, i64, usize, u8);

/// Those with most packets.
struct Top {
    most: usize,
    /// The last one on top.
    ranked: BinaryHeap<Ranked>,
}

impl Top {
    fn add(&mut self, source: Address, regions: &mut BTreeMap<i64, Found>) {
        while let Some((region, found)) = regions.pop_first() {
            let Found { packets, first, last, ports, signatures } = found;
            let is_full = self.ranked.len() >= self.most;
            if is_full && self.ranked.peek().is_none_or(|(Reverse(least), ..)| packets < *least) {
                continue;
            }
            let region = region_code(region_of(region));
            let source = IpAddr::from(source).to_string();
            self.ranked.push((Reverse(packets), source, region, first, last, ports.len(), signatures));
            if is_full {
                self.ranked.pop();
            }
        }
    }
}

/// Those with most packets, and what is known of them.
pub fn top(connection: &Connection, slice: &Slice, most: u32) -> Result<Answer> {
    let columns = "d.source, d.kind, d.place, d.packets, d.day, d.first, d.lasting";
    let statements = statements(connection, slice, columns)?;
    let statements: Vec<String> =
        statements.into_iter().map(|(_, sql)| format!("{sql} ORDER BY d.source")).collect();
    let mut top = Top { most: usize::try_from(most).unwrap_or(usize::MAX), ranked: BinaryHeap::new() };
    let mut present: Option<Address> = None;
    let mut regions: BTreeMap<i64, Found> = BTreeMap::new();
    let read = |row: &rusqlite::Row<'_>| {
        let (day, first, lasting): (i64, i64, i64) = (row.get(4)?, row.get(5)?, row.get(6)?);
        let time = |milliseconds: i64| day * DAY + milliseconds * MILLISECOND;
        let (first, last) = (time(first), time(first + lasting));
        Ok(Part { kind: row.get(1)?, place: row.get(2)?, packets: row.get(3)?, first, last })
    };
    by_source(connection, &statements, read, |source, part| {
        if let Some(before) = present.replace(source)
            && before != source
        {
            top.add(before, &mut regions);
        }
        let Part { kind, place, packets, first, last } = part;
        let Kind { protocol, service, signatures, class: _, window: _ } = Kind::of(kind);
        let found = regions.entry(place & REGION).or_insert_with(|| Found {
            packets: 0,
            first,
            last,
            ports: BTreeSet::new(),
            signatures: 0,
        });
        found.packets = found.packets.saturating_add(packets);
        found.first = found.first.min(first);
        found.last = found.last.max(last);
        found.signatures |= signatures;
        if let Selector::Port(port) = service {
            found.ports.insert((protocol, port));
        }
    })?;
    present.into_iter().for_each(|source| top.add(source, &mut regions));
    let time = |nanoseconds: i64| match u64::try_from(nanoseconds) {
        Ok(nanoseconds) => Value::Text(utc(nanoseconds)),
        Err(_) => Value::Nothing,
    };
    let row = |(Reverse(packets), source, region, first, last, ports, signatures): Ranked| {
        vec![
            Value::Text(source),
            Value::Text(region),
            Value::Integer(packets),
            time(first),
            time(last),
            Value::Integer(i64::try_from(ports).unwrap_or(i64::MAX)),
            Value::Text(signatures_text(signatures)),
        ]
    };
    let columns = ["src_ip", "region", "packets", "first_seen", "last_seen", "ports", "signatures"];
    Ok(answer(&columns, top.ranked.into_sorted_vec().into_iter().map(row).collect()))
}
