//! Rows of flows, made small.

use rusqlite::{CachedStatement, Connection, params};
use wire::{FlowKey, Row};

use super::address::Address;
use super::interval::signed;
use super::kind;
use super::views::ROW_BITS;
use crate::store::NANOSECONDS_OF_DAY;

/// Nanoseconds of the unit that times within an interval are kept in.
pub const TICK: i64 = 1_000_000;
/// Bytes that a packet has of IPv4 and TCP alone: a flow's are kept as what they are beyond that.
const LEAST_BYTES: i64 = 40;
/// Rows that an interval can have.
pub const MOST_ROWS: u64 = 1 << ROW_BITS;

/// Writes rows of one interval.
pub struct Writer<'a> {
    statement: CachedStatement<'a>,
    key: FlowKey,
    next: i64,
}

/// The first id of an interval's rows; the next interval's first is the first that is none of them.
pub const fn first_id(interval: i64) -> i64 {
    interval << ROW_BITS
}

/// The table with rows of a key.
pub const fn table(key: FlowKey) -> &'static str {
    match key {
        FlowKey::Source => "flow_raw",
        FlowKey::FlowTuple => "tuple_raw",
    }
}

/// The last moment that a store can hold: 1 January 2200. So far from the end of 64 bits no sum of times leaves them.
pub const LATEST: u64 = 84_006 * NANOSECONDS_OF_DAY;

/// Milliseconds from the start to the first packet, and from that to the last. The start is [`LATEST`] at the latest.
pub fn times(row: &Row, start: u64) -> (i64, i64) {
    let since = |time: u64| (signed(time.min(LATEST)) - signed(start)).div_euclid(TICK);
    (since(row.first_seen), since(row.last_seen) - since(row.first_seen))
}

impl<'a> Writer<'a> {
    pub fn new(connection: &'a Connection, key: FlowKey, interval: i64) -> rusqlite::Result<Self> {
        let statement = connection.prepare_cached(match key {
            FlowKey::Source => "INSERT INTO flow_raw VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            FlowKey::FlowTuple => {
                "INSERT INTO tuple_raw VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"
            }
        })?;
        Ok(Self { statement, key, next: first_id(interval) })
    }

    pub fn write(&mut self, row: &Row, start: u64) -> rusqlite::Result<()> {
        let id = self.next;
        self.next += 1;
        let (first, lasting) = times(row, start);
        let source = Source(row);
        let packets = signed(row.packets);
        let beyond = signed(row.bytes) - LEAST_BYTES * packets;
        match self.key {
            FlowKey::Source => {
                let spread = row.time_to_live_maximum.wrapping_sub(row.time_to_live_minimum);
                let quoted = row.quoted_protocol.map_or(0, |protocol| i64::from(protocol) + 1);
                self.statement.execute(params![
                    id,
                    source,
                    kind::of(row, row.window),
                    packets,
                    beyond,
                    first,
                    lasting,
                    i64::from(row.time_to_live_minimum) | i64::from(spread) << 8,
                    signed(row.targets),
                    quoted << 2 | row.targets_counted as i64,
                    row.victim.map(Address::from),
                ])?;
            }
            FlowKey::FlowTuple => {
                self.statement.execute(params![
                    id,
                    source,
                    row.destination.map(Address::from),
                    kind::of(row, None),
                    i64::from(row.source_port) << 16 | i64::from(row.destination_port),
                    packets,
                    beyond,
                    first,
                    lasting,
                    row.time_to_live,
                    i64::from(row.length) << 8 | i64::from(row.tcp_flags),
                    i64::from(row.syn_window) << 8 | i64::from(row.syn_length),
                ])?;
            }
        }
        Ok(())
    }
}

/// A source as its column holds it: of a row of many sources nothing, or no bytes, by IP version.
struct Source<'a>(&'a Row);

impl rusqlite::ToSql for Source<'_> {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        use rusqlite::types::{ToSqlOutput, Value};
        Ok(match (self.0.source.map(Address::from), self.0.ip_version()) {
            (Some(Address::V4(number)), _) => number.into(),
            (Some(Address::V6(octets)), _) => ToSqlOutput::Owned(Value::Blob(octets.to_vec())),
            (None, 6) => ToSqlOutput::Owned(Value::Blob(Vec::new())),
            (None, _) => ToSqlOutput::Owned(Value::Null),
        })
    }
}
