//! The columns of the three tables.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use sensor_ebpf::abi::TrafficClass;

use crate::FORMAT_VERSION;
use crate::dimension::Dimension;
use crate::row::Counted;

/// Key of the format's version in the schema's metadata.
pub const FORMAT_KEY: &str = "apus.format";
/// Key of the table's name in the schema's metadata.
pub const TABLE_KEY: &str = "apus.table";
/// Key of a column's names in its field's metadata: those of its numbers, from 0, parted by commas.
const NAMES_KEY: &str = "apus.names";

/// Every library understands it, where names need a table of time zones.
pub const UTC: &str = "+00:00";
/// Bytes of an address; IPv4's are mapped (RFC 4291, section 2.5.5.2).
pub const ADDRESS: i32 = 16;

/// A table of the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    Intervals,
    Counters,
    Flows,
}

impl Table {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Intervals => "intervals",
            Self::Counters => "counters",
            Self::Flows => "flows",
        }
    }

    pub fn schema(self) -> SchemaRef {
        static INTERVALS: LazyLock<SchemaRef> = LazyLock::new(|| table(Table::Intervals, intervals()));
        static COUNTERS: LazyLock<SchemaRef> = LazyLock::new(|| table(Table::Counters, counters()));
        static FLOWS: LazyLock<SchemaRef> = LazyLock::new(|| table(Table::Flows, flows()));
        Arc::clone(match self {
            Self::Intervals => &INTERVALS,
            Self::Counters => &COUNTERS,
            Self::Flows => &FLOWS,
        })
    }
}

fn table(table: Table, fields: Vec<Field>) -> SchemaRef {
    let metadata = [(FORMAT_KEY, FORMAT_VERSION.to_string()), (TABLE_KEY, table.name().to_owned())];
    let metadata: HashMap<_, _> = metadata.map(|(key, value)| (key.to_owned(), value)).into();
    Arc::new(Schema::new_with_metadata(fields, metadata))
}

fn column(name: &str, kind: DataType) -> Field {
    Field::new(name, kind, false)
}

fn optional(name: &str, kind: DataType) -> Field {
    Field::new(name, kind, true)
}

/// A column of numbers that have names.
fn named(name: &str, names: impl IntoIterator<Item = &'static str>) -> Field {
    let names = names.into_iter().collect::<Vec<_>>().join(",");
    column(name, DataType::UInt8).with_metadata(HashMap::from([(NAMES_KEY.to_owned(), names)]))
}

fn time(name: &str) -> Field {
    column(name, DataType::Timestamp(TimeUnit::Nanosecond, Some(UTC.into())))
}

fn list(name: &str, kind: DataType) -> Field {
    column(name, DataType::List(Arc::new(Field::new_list_field(kind, false))))
}

fn intervals() -> Vec<Field> {
    use DataType::{Int64, UInt32, UInt64, Utf8};
    vec![
        column("sensor", Utf8),
        time("epoch"),
        column("first_sequence", UInt64),
        column("sequence", UInt64),
        time("start"),
        time("end"),
        column("clock_step", Int64),
        column("program_version", Utf8),
        column("abi_version", UInt32),
        column("signatures_version", UInt32),
        column("observed_ipv4", UInt64),
        column("observed_ipv6_prefixes", UInt32),
        list("watched_windows", DataType::UInt16),
        list("conservation_breaches", Utf8),
        optional("digests_written_ipv4", UInt64),
        optional("digests_written_ipv6", UInt64),
        optional("digests_lost_ipv4", UInt64),
        optional("digests_lost_ipv6", UInt64),
        optional("digests_unread_ipv4", UInt64),
        optional("digests_unread_ipv6", UInt64),
        optional("digests_off", UInt64),
        optional("flow_key", Utf8),
        optional("flow_rows", UInt64),
        optional("flow_packets", UInt64),
        optional("overflow_rows", UInt64),
        optional("overflow_packets", UInt64),
        column("ring_most_waiting", UInt64),
        column("ring_records", UInt64),
    ]
}

fn counters() -> Vec<Field> {
    vec![
        named("dimension", Dimension::ALL.map(Dimension::name)),
        column("key", DataType::UInt32),
        column("packets", DataType::UInt64),
    ]
}

fn flows() -> Vec<Field> {
    use DataType::{Boolean, UInt8, UInt16, UInt64};
    let address = |name| optional(name, DataType::FixedSizeBinary(ADDRESS));
    vec![
        column("ip_version", UInt8),
        address("src_ip"),
        address("victim_ip"),
        column("protocol", UInt8),
        named("class", TrafficClass::ALL.map(TrafficClass::name)),
        optional("port", UInt16),
        optional("icmp_type", UInt8),
        optional("icmp_code", UInt8),
        // Bits: mirai, zmap, masscan.
        column("signatures", UInt8),
        optional("window", UInt16),
        optional("quoted_protocol", UInt8),
        column("packets", UInt64),
        column("bytes", UInt64),
        time("first_seen"),
        time("last_seen"),
        column("ttl_min", UInt8),
        column("ttl_max", UInt8),
        column("targets", UInt64),
        named("targets_counted", Counted::ALL.map(Counted::name)),
        column("overflow", Boolean),
        // Of flows by tuple alone.
        address("dst_ip"),
        column("src_port", UInt16),
        column("dst_port", UInt16),
        column("ttl", UInt8),
        column("tcp_flags", UInt8),
        column("ip_len", UInt16),
        column("tcp_synlen", UInt8),
        column("tcp_synwinlen", UInt16),
    ]
}
