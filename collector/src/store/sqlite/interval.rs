//! Rows of intervals.

use rusqlite::{Connection, Row, params};
use wire::law::Digests;
use wire::{FlowKey, FlowsHeader, Header};

use crate::store::{Incoming, Interval, Kept};

/// What is worked out of an interval besides its header.
#[derive(Clone, Copy, Debug, Default)]
pub struct Figures {
    pub packets: u64,
    pub bytes: u64,
    pub observed: u64,
    pub missing: u64,
}

/// States of an interval's flows, as stored. Those that are being removed are not there any more, but their rows are.
pub const NEVER_CAME: i64 = 0;
pub const ROWS: i64 = 1;
pub const SUMS: i64 = 2;
pub const GOING: i64 = 3;

/// A figure as its column holds it. What is beyond was refused.
pub fn signed(figure: u64) -> i64 {
    i64::try_from(figure).unwrap_or(i64::MAX)
}

/// Adds the row of an interval, and gives its id.
pub fn insert(
    connection: &Connection,
    sensor: i64,
    incoming: &Incoming,
    figures: Figures,
    state: i64,
) -> rusqlite::Result<i64> {
    // So that a new field has to be given its column here.
    let Header {
        sensor: _,
        epoch,
        first,
        last,
        start,
        end,
        clock_step,
        program_version,
        abi_version,
        signatures_version,
        observed_ipv4,
        observed_ipv6_prefixes,
        watched_windows,
        breaches,
        digests,
        flows,
        ring_most_waiting,
        ring_records,
    } = &incoming.batch.header;
    let digest = digests.as_ref().map(|digests| digests.figures().map(signed));
    let digest = |place: usize| digest.map(|figures| figures[place]);
    let text = |list: serde_json::Result<String>| list.unwrap_or_default();
    let mut statement = connection.prepare_cached(
        "INSERT INTO interval_raw VALUES (NULL, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15,
         ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32, ?33, ?34, ?35, ?36)",
    )?;
    statement.insert(params![
        sensor,
        signed(*epoch),
        signed(*first),
        signed(*last),
        signed(*start),
        signed(*end),
        clock_step,
        program_version,
        abi_version,
        signatures_version,
        signed(*observed_ipv4),
        observed_ipv6_prefixes,
        text(serde_json::to_string(watched_windows)),
        text(serde_json::to_string(breaches)),
        signed(figures.packets),
        signed(figures.bytes),
        signed(figures.observed),
        digest(0),
        digest(1),
        digest(2),
        digest(3),
        digest(4),
        digest(5),
        digest(6),
        flows.map(|flows| flows.key as i64),
        flows.map(|flows| signed(flows.rows)),
        flows.map(|flows| signed(flows.packets)),
        flows.map(|flows| signed(flows.overflow_rows)),
        flows.map(|flows| signed(flows.overflow_packets)),
        signed(figures.missing),
        state,
        signed(*ring_most_waiting),
        signed(*ring_records),
        &incoming.counts_hash[..],
        signed(incoming.arrived),
        incoming.sent.map(signed),
    ])
}

/// Columns that [`read`] reads, of interval `i` and sensor `s`.
pub const COLUMNS: &str = "s.name, i.*";

/// The interval of a row with [`COLUMNS`], and its id.
pub fn read(row: &Row<'_>) -> rusqlite::Result<(i64, Interval)> {
    let number = |column: &str| row.get::<_, i64>(column).map(i64::cast_unsigned);
    let optional =
        |column: &str| row.get::<_, Option<i64>>(column).map(|figure| figure.map(i64::cast_unsigned));
    let columns = ["written4", "written6", "lost4", "lost6", "unread4", "unread6", "off"];
    let mut figures = [None; 7];
    for (figure, column) in figures.iter_mut().zip(columns) {
        *figure = optional(column)?;
    }
    let digests = figures
        .iter()
        .all(Option::is_some)
        .then(|| Digests::from_figures(figures.map(Option::unwrap_or_default)));
    let key =
        row.get::<_, Option<u8>>("flow_key")?.and_then(|key| FlowKey::ALL.get(usize::from(key)).copied());
    let flows = match key {
        Some(key) => Some(FlowsHeader {
            key,
            rows: number("flow_rows")?,
            packets: number("flow_packets")?,
            overflow_rows: number("overflow_rows")?,
            overflow_packets: number("overflow_packets")?,
        }),
        None => None,
    };
    let header = Header {
        sensor: row.get("name")?,
        epoch: number("epoch")?,
        first: number("first")?,
        last: number("last")?,
        start: number("start")?,
        end: number("end")?,
        clock_step: row.get("clock_step")?,
        program_version: row.get("program_version")?,
        abi_version: row.get("abi_version")?,
        signatures_version: row.get("signatures_version")?,
        observed_ipv4: number("observed_ipv4")?,
        observed_ipv6_prefixes: row.get("observed_ipv6_prefixes")?,
        watched_windows: list(row, "watched_windows")?,
        breaches: list(row, "breaches")?,
        digests,
        flows,
        ring_most_waiting: number("ring_most_waiting")?,
        ring_records: number("ring_records")?,
    };
    let interval = Interval {
        header,
        packets: number("packets")?,
        bytes: number("bytes")?,
        observed: number("observed")?,
        flow_packets_missing: number("missing")?,
        flows: match row.get::<_, i64>("flow_state")? {
            NEVER_CAME => Kept::NeverCame,
            ROWS => Kept::Rows,
            _ => Kept::Sums,
        },
        arrived: number("arrived")?,
        sent: optional("sent")?,
    };
    Ok((row.get("id")?, interval))
}

fn list<T: serde::de::DeserializeOwned>(row: &Row<'_>, column: &str) -> rusqlite::Result<Vec<T>> {
    serde_json::from_str(&row.get::<_, String>(column)?).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(error))
    })
}
