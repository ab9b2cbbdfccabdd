//! The columns of flows, by what their key tells.

use std::net::IpAddr;
use std::sync::Arc;

use arrow_array::builder::{
    BooleanBuilder, StringBuilder, TimestampNanosecondBuilder, UInt8Builder, UInt16Builder, UInt64Builder,
};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef, TimeUnit};
use sensor_ebpf::abi::Family;
use sensor_ebpf::digest::marks;

use crate::flows::{FlowKey, Row};

/// Every library understands it, where names need a table of time zones.
const UTC: &str = "+00:00";

/// A column's values, one for each row.
enum Values {
    Boolean(BooleanBuilder, fn(&Row) -> bool),
    Byte(UInt8Builder, fn(&Row) -> Option<u8>),
    Short(UInt16Builder, fn(&Row) -> Option<u16>),
    Long(UInt64Builder, fn(&Row) -> u64),
    Word(StringBuilder, fn(&Row) -> &'static str),
    Address(StringBuilder, fn(&Row) -> Option<IpAddr>),
    /// Of the interval, and of the flow.
    Time(TimestampNanosecondBuilder, fn([u64; 2], &Row) -> u64),
}

use Values::{Address, Boolean, Byte, Long, Short, Time, Word};

/// Rows on their way to a file.
pub struct Columns {
    schema: SchemaRef,
    values: Vec<Values>,
    length: usize,
}

fn has(row: &Row, mark: u8) -> bool {
    row.signatures & mark != 0
}

fn word(value: fn(&Row) -> &'static str) -> Values {
    Word(StringBuilder::new(), value)
}

fn address(value: fn(&Row) -> Option<IpAddr>) -> Values {
    Address(StringBuilder::new(), value)
}

fn byte(value: fn(&Row) -> Option<u8>) -> Values {
    Byte(UInt8Builder::new(), value)
}

fn short(value: fn(&Row) -> Option<u16>) -> Values {
    Short(UInt16Builder::new(), value)
}

fn long(value: fn(&Row) -> u64) -> Values {
    Long(UInt64Builder::new(), value)
}

fn boolean(value: fn(&Row) -> bool) -> Values {
    Boolean(BooleanBuilder::new(), value)
}

fn time(value: fn([u64; 2], &Row) -> u64) -> Values {
    Time(TimestampNanosecondBuilder::new().with_timezone(UTC), value)
}

/// When, and by which IP version.
fn when() -> Vec<(&'static str, Values)> {
    vec![
        ("interval_start", time(|[start, _], _| start)),
        ("interval_end", time(|[_, end], _| end)),
        (
            "ip_version",
            byte(|row| {
                Some(match row.family {
                    Family::Ipv4 => 4,
                    Family::Ipv6 => 6,
                })
            }),
        ),
    ]
}

fn by_source() -> Vec<(&'static str, Values)> {
    vec![
        ("src_ip", address(|row| row.source)),
        ("victim_ip", address(|row| row.victim)),
        ("protocol", byte(|row| Some(row.protocol))),
        ("class", word(|row| row.class.name())),
        ("port", short(|row| row.port)),
        ("icmp_type", byte(|row| row.icmp.map(|(kind, _)| kind))),
        ("icmp_code", byte(|row| row.icmp.map(|(_, code)| code))),
        ("mirai", boolean(|row| has(row, marks::MIRAI))),
        ("zmap", boolean(|row| has(row, marks::ZMAP))),
        ("masscan", boolean(|row| has(row, marks::MASSCAN))),
        ("window", short(|row| row.window)),
        ("quoted_protocol", byte(|row| row.quoted_protocol)),
        ("packets", long(|row| row.packets)),
        ("bytes", long(|row| row.bytes)),
        ("first_seen", time(|_, row| row.first_seen)),
        ("last_seen", time(|_, row| row.last_seen)),
        ("ttl_min", byte(|row| Some(row.time_to_live_minimum))),
        ("ttl_max", byte(|row| Some(row.time_to_live_maximum))),
        ("targets", long(|row| row.targets)),
        ("targets_counted", word(|row| row.targets_counted.name())),
        ("overflow", boolean(|row| row.overflow)),
    ]
}

/// CAIDA's names, where the field is CAIDA's.
fn by_tuple() -> Vec<(&'static str, Values)> {
    vec![
        ("time", time(|_, row| row.first_seen)),
        ("last_seen", time(|_, row| row.last_seen)),
        ("src_ip", address(|row| row.source)),
        ("dst_ip", address(|row| row.destination)),
        ("src_port", short(|row| Some(row.source_port))),
        ("dst_port", short(|row| Some(row.destination_port))),
        ("protocol", byte(|row| Some(row.protocol))),
        ("ttl", byte(|row| Some(row.time_to_live))),
        ("tcp_flags", byte(|row| Some(row.tcp_flags))),
        ("ip_len", short(|row| Some(row.length))),
        ("tcp_synlen", byte(|row| Some(row.syn_length))),
        ("tcp_synwinlen", short(|row| Some(row.syn_window))),
        ("packet_cnt", long(|row| row.packets)),
        ("is_masscan", boolean(|row| has(row, marks::MASSCAN))),
        ("class", word(|row| row.class.name())),
        ("is_mirai", boolean(|row| has(row, marks::MIRAI))),
        ("is_zmap", boolean(|row| has(row, marks::ZMAP))),
        ("bytes", long(|row| row.bytes)),
        ("overflow", boolean(|row| row.overflow)),
    ]
}

impl Columns {
    pub fn new(key: FlowKey) -> Self {
        let mut named = when();
        named.extend(match key {
            FlowKey::Source => by_source(),
            FlowKey::FlowTuple => by_tuple(),
        });
        let fields: Vec<Field> = named.iter().map(|(name, values)| values.field(name)).collect();
        let values = named.into_iter().map(|(_, values)| values).collect();
        Self { schema: Arc::new(Schema::new(fields)), values, length: 0 }
    }

    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    pub const fn len(&self) -> usize {
        self.length
    }

    pub fn push(&mut self, start: u64, end: u64, row: &Row) {
        self.values.iter_mut().for_each(|values| values.push([start, end], row));
        self.length += 1;
    }

    /// The rows so far.
    pub fn take(&mut self) -> Result<RecordBatch, ArrowError> {
        self.length = 0;
        let arrays = self.values.iter_mut().map(Values::finish).collect();
        RecordBatch::try_new(self.schema(), arrays)
    }
}

impl Values {
    fn field(&self, name: &str) -> Field {
        let (kind, may_be_absent) = match self {
            Boolean(..) => (DataType::Boolean, false),
            Byte(..) => (DataType::UInt8, true),
            Short(..) => (DataType::UInt16, true),
            Long(..) => (DataType::UInt64, false),
            Word(..) => (DataType::Utf8, false),
            Address(..) => (DataType::Utf8, true),
            Time(..) => (DataType::Timestamp(TimeUnit::Nanosecond, Some(UTC.into())), false),
        };
        Field::new(name, kind, may_be_absent)
    }

    fn push(&mut self, interval: [u64; 2], row: &Row) {
        match self {
            Boolean(builder, value) => builder.append_value(value(row)),
            Byte(builder, value) => builder.append_option(value(row)),
            Short(builder, value) => builder.append_option(value(row)),
            Long(builder, value) => builder.append_value(value(row)),
            Word(builder, value) => builder.append_value(value(row)),
            Address(builder, value) => builder.append_option(value(row).map(|address| address.to_string())),
            // 2262, and then a column of its own will be needed.
            Time(builder, value) => {
                builder.append_value(i64::try_from(value(interval, row)).unwrap_or(i64::MAX));
            }
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Boolean(builder, _) => Arc::new(builder.finish()),
            Byte(builder, _) => Arc::new(builder.finish()),
            Short(builder, _) => Arc::new(builder.finish()),
            Long(builder, _) => Arc::new(builder.finish()),
            Word(builder, _) => Arc::new(builder.finish()),
            Address(builder, _) => Arc::new(builder.finish()),
            Time(builder, _) => Arc::new(builder.finish()),
        }
    }
}
