//! Tables as people see them: what each of their columns is in SQL.
//!
//! The views are each connection's own, so that they are always this program's, whatever wrote the file.

use std::fmt::Write as _;

use wire::{Counted, Dimension, FlowKey};

use super::kind::{Parts, names};
use crate::store::{ColumnKind, Period, Table};

/// Bits of a flow's id below its interval's.
pub const ROW_BITS: u32 = 25;
/// The last moment of interval `i`, which its counters belong to: an end at midnight is the day's before.
pub const LAST: &str = "max(i.start, i.\"end\" - 1)";
/// The moment that rollups put flow `f` of interval `i` at.
pub const SEEN: &str = "max(i.start, min(i.start + f.first * 1000000, max(i.start, i.\"end\" - 1)))";
/// The bytes of flow `f`.
pub const BYTES: &str = "(f.beyond + 40 * f.packets)";
const DAY: &str = "86400000000000";

/// The rows of a table, and which of them belong to a period from `?1` to `?2`.
struct Source {
    from: String,
    belongs: String,
}

fn source(table: Table) -> Source {
    let interval = format!("{LAST} >= ?1 AND {LAST} < ?2");
    let sensor = "JOIN sensor s ON s.id = i.sensor";
    let days = |raw: &str, name: &str| Source {
        from: format!("{raw} {name}"),
        belongs: format!("{name}.day >= ?1 / {DAY} AND {name}.day < (?2 + {DAY} - 1) / {DAY}"),
    };
    let days_of_sensors = |raw: &str| {
        let Source { from, belongs } = days(raw, "d");
        Source { from: format!("{from} JOIN sensor s ON s.id = d.sensor"), belongs }
    };
    let rows = |raw: &str| Source {
        from: format!(
            "interval_raw i CROSS JOIN {raw} f ON f.id >= i.id << {ROW_BITS} AND f.id < (i.id + 1) << {ROW_BITS} {sensor}"
        ),
        belongs: format!("i.start < ?2 AND i.\"end\" >= ?1 AND {SEEN} >= ?1 AND {SEEN} < ?2"),
    };
    match table {
        Table::Intervals => Source { from: format!("interval_raw i {sensor}"), belongs: interval },
        Table::Counters => Source {
            from: format!("interval_raw i CROSS JOIN counter_raw c ON c.interval = i.id {sensor}"),
            belongs: interval,
        },
        Table::Flows => rows("flow_raw"),
        Table::Tuples => rows("tuple_raw"),
        Table::PortDay => days_of_sensors("port_day_raw"),
        Table::SourceDay => days("source_day_raw", "d"),
        Table::CounterDay => days_of_sensors("counter_day_raw"),
        Table::UptimeDay => days_of_sensors("uptime_day_raw"),
        Table::WindowDay => days_of_sensors("window_day_raw"),
        Table::PortHour => days_of_sensors("port_hour_raw"),
        Table::UptimeHour => days_of_sensors("uptime_hour_raw"),
    }
}

/// What each column is, in the order of [`Table::columns`].
fn expressions(table: Table) -> Vec<String> {
    let kind = Parts("f.kind");
    let day = Parts("d.kind");
    let owned = |plain: &[&str]| plain.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let service = |of: &Parts| [of.port(), of.icmp_type(), of.icmp_code()];
    let signatures = |of: &Parts| format!("signatures_text({})", of.signatures());
    let dimension = |column: &str| names(&format!("{column} >> 16"), Dimension::ALL.map(Dimension::name));
    let version = "iif(typeof(f.source) = 'blob', 6, 4)";
    let first = "i.start + f.first * 1000000";
    let last = "i.start + (f.first + f.lasting) * 1000000";
    let overflow = "f.source IS NULL OR length(f.source) = 0";
    match table {
        Table::Intervals => [
            owned(&[
                "s.name",
                "i.epoch",
                "i.first",
                "i.last",
                "i.start",
                "i.\"end\"",
                "i.clock_step",
                "i.program_version",
                "i.abi_version",
                "i.signatures_version",
                "i.observed_ipv4",
                "i.observed_ipv6_prefixes",
                "i.watched_windows",
                "i.breaches",
                "i.packets",
                "i.bytes",
                "i.observed",
                "i.written4",
                "i.written6",
                "i.lost4",
                "i.lost6",
                "i.unread4",
                "i.unread6",
                "i.off",
            ]),
            vec![names("i.flow_key", FlowKey::ALL.map(FlowKey::name))],
            owned(&["i.flow_rows", "i.flow_packets", "i.overflow_rows", "i.overflow_packets", "i.missing"]),
            vec![names("i.flow_state", ["never_came", "rows", "sums", "sums"])],
            owned(&["i.ring_most_waiting", "i.ring_records", "i.arrived", "i.sent"]),
        ]
        .concat(),
        Table::Counters => [
            owned(&["s.name", "i.start", "i.\"end\""]),
            vec![dimension("c.counter")],
            owned(&["c.counter & 65535", "c.packets"]),
        ]
        .concat(),
        Table::Flows => [
            owned(&["s.name", first, last, version, "address_text(f.source)", "address_text(f.victim)"]),
            vec![kind.protocol(), kind.class_name()],
            service(&kind).to_vec(),
            vec![signatures(&kind), kind.window()],
            owned(&["nullif(f.more >> 2, 0) - 1", "f.packets", BYTES, "f.ttl & 255"]),
            owned(&["((f.ttl & 255) + (f.ttl >> 8)) & 255", "f.targets"]),
            vec![names("f.more & 3", Counted::ALL.map(Counted::name)), overflow.to_owned()],
        ]
        .concat(),
        Table::Tuples => [
            owned(&["s.name", first, last, version, "address_text(f.source)", "address_text(f.destination)"]),
            owned(&["f.ports >> 16", "f.ports & 65535"]),
            vec![kind.protocol()],
            owned(&["f.ttl", "f.packet & 255", "f.packet >> 8", "f.syn & 255", "f.syn >> 8"]),
            vec![kind.class_name(), signatures(&kind)],
            owned(&["f.packets", BYTES, overflow]),
        ]
        .concat(),
        Table::PortDay | Table::PortHour => [
            owned(if table == Table::PortHour {
                &["d.day", "d.hour", "s.name"]
            } else {
                &["d.day", "s.name"]
            }),
            vec![day.protocol(), day.class_name()],
            service(&day).to_vec(),
            owned(&["region_text(d.place)", "d.place >> 10"]),
            vec![signatures(&day)],
            owned(&["d.packets", "d.bytes"]),
        ]
        .concat(),
        Table::SourceDay => [
            owned(&["d.day", "address_text(d.source)"]),
            vec![day.protocol(), day.class_name()],
            service(&day).to_vec(),
            owned(&["region_text(d.place)", "d.place >> 10"]),
            vec![signatures(&day), day.window()],
            owned(&["d.packets", "d.bytes"]),
            vec![
                format!("d.day * {DAY} + d.first * 1000000"),
                format!("d.day * {DAY} + (d.first + d.lasting) * 1000000"),
            ],
            owned(&["sensors_count(d.sensors)"]),
        ]
        .concat(),
        Table::CounterDay => [
            owned(&["d.day", "s.name"]),
            vec![dimension("d.counter")],
            owned(&["d.counter & 65535", "d.packets"]),
        ]
        .concat(),
        Table::UptimeDay => {
            owned(&["d.day", "s.name", "d.nanoseconds / 1e9", "d.with_flows / 1e9", "d.missing"])
        }
        Table::WindowDay => owned(&["d.day", "s.name", "d.watched_window", "d.nanoseconds / 1e9"]),
        Table::UptimeHour => owned(&["d.day", "d.hour", "s.name", "d.nanoseconds / 1e9"]),
    }
}

/// The statements that make the views, with times and days in words.
pub fn create() -> String {
    let mut sql = String::new();
    for table in Table::ALL {
        let columns: Vec<String> = expressions(table)
            .into_iter()
            .zip(table.columns())
            .map(|(expression, column)| {
                let expression = match column.kind {
                    ColumnKind::Time => format!("utc({expression})"),
                    ColumnKind::Date => "t.text".to_owned(),
                    _ => expression,
                };
                format!("{expression} AS \"{}\"", column.name)
            })
            .collect();
        let mut from = source(table).from;
        if table.columns().iter().any(|column| column.kind == ColumnKind::Date) {
            // A day in words that is worked out would leave SQLite no way to the rows' keys.
            from = format!("{from} JOIN calendar t ON t.day = d.day");
        }
        let _infallible =
            writeln!(sql, "CREATE TEMP VIEW {} AS SELECT {} FROM {from};", table.name(), columns.join(", "),);
    }
    sql
}

/// The statement that reads a table's rows of a period, with times and days as numbers.
pub fn scan(table: Table, period: Period) -> String {
    let Source { from, belongs } = source(table);
    let columns = expressions(table).join(", ");
    // Where everything is asked for, both bounds hold for every row all the same.
    if period == Period::ALL {
        return format!("SELECT {columns} FROM {from} WHERE ?1 <= ?2");
    }
    format!("SELECT {columns} FROM {from} WHERE {belongs}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_is_something() {
        for table in Table::ALL {
            assert_eq!(expressions(table).len(), table.columns().len(), "{}", table.name());
        }
    }
}
