//! Making a batch: the part with the counts, and the part with the flows.

use std::net::IpAddr;
use std::sync::Arc;

use arrow_array::builder::{
    BooleanBuilder, FixedSizeBinaryBuilder, TimestampNanosecondBuilder, UInt8Builder, UInt16Builder,
    UInt64Builder,
};
use arrow_array::{ArrayRef, RecordBatch, UInt8Array, UInt32Array, UInt64Array};
use arrow_ipc::writer::{IpcWriteOptions, StreamWriter};
use arrow_ipc::{CompressionType, MetadataVersion};
use arrow_schema::ArrowError;

use crate::dimension::Counter;
use crate::error::WireError;
use crate::header::Header;
use crate::intervals;
use crate::row::Row;
use crate::schema::{ADDRESS, Table, UTC};

/// Rows of one record batch, so that who reads them needs room for no more.
pub const ROWS_AT_ONCE: usize = 1 << 16;

/// The part of a batch with its counts: tables `intervals` and `counters`.
///
/// # Errors
/// Where Arrow refuses, which nothing here is known to make it do.
pub fn counts(header: &Header, counters: &[Counter]) -> Result<Vec<u8>, WireError> {
    let mut bytes = Vec::new();
    let failed = |table: Table| move |source| WireError::Encode { table: table.name(), source };
    intervals::record(header)
        .and_then(|record| write(Table::Intervals, &[record], &mut bytes))
        .map_err(failed(Table::Intervals))?;
    counters_record(counters)
        .and_then(|record| write(Table::Counters, &[record], &mut bytes))
        .map_err(failed(Table::Counters))?;
    Ok(bytes)
}

fn options() -> Result<IpcWriteOptions, ArrowError> {
    // Packed buffers are copied when they are read: room between them, for alignment, would help nobody.
    IpcWriteOptions::try_new(8, false, MetadataVersion::V5)?.try_with_compression(Some(CompressionType::ZSTD))
}

fn write(table: Table, records: &[RecordBatch], to: &mut Vec<u8>) -> Result<(), ArrowError> {
    let mut writer = StreamWriter::try_new_with_options(to, &table.schema(), options()?)?;
    records.iter().try_for_each(|record| writer.write(record))?;
    writer.finish()
}

fn counters_record(counters: &[Counter]) -> Result<RecordBatch, ArrowError> {
    let columns: Vec<ArrayRef> = vec![
        Arc::new(UInt8Array::from_iter_values(counters.iter().map(|counter| counter.dimension as u8))),
        Arc::new(UInt32Array::from_iter_values(counters.iter().map(|counter| counter.key))),
        Arc::new(UInt64Array::from_iter_values(counters.iter().map(|counter| counter.packets))),
    ];
    RecordBatch::try_new(Table::Counters.schema(), columns)
}

/// The part of a batch with its flows, row by row.
pub struct FlowsEncoder {
    writer: StreamWriter<Vec<u8>>,
    columns: Columns,
    waiting: usize,
    rows: u64,
}

impl FlowsEncoder {
    /// No row yet.
    ///
    /// # Errors
    /// As [`counts`].
    pub fn new() -> Result<Self, WireError> {
        let writer = options()
            .and_then(|options| {
                StreamWriter::try_new_with_options(Vec::new(), &Table::Flows.schema(), options)
            })
            .map_err(failed)?;
        Ok(Self { writer, columns: Columns::new(), waiting: 0, rows: 0 })
    }

    /// Adds a row.
    ///
    /// # Errors
    /// As [`counts`].
    pub fn push(&mut self, row: &Row) -> Result<(), WireError> {
        self.columns.push(row).map_err(failed)?;
        self.rows += 1;
        self.waiting += 1;
        if self.waiting == ROWS_AT_ONCE { self.write() } else { Ok(()) }
    }

    /// Rows so far.
    #[must_use]
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// The whole part.
    ///
    /// # Errors
    /// As [`counts`].
    pub fn finish(mut self) -> Result<Vec<u8>, WireError> {
        self.write()?;
        self.writer.into_inner().map_err(failed)
    }

    fn write(&mut self) -> Result<(), WireError> {
        if self.waiting == 0 {
            return Ok(());
        }
        self.waiting = 0;
        let record = RecordBatch::try_new(Table::Flows.schema(), self.columns.finish());
        record.and_then(|record| self.writer.write(&record)).map_err(failed)
    }
}

fn failed(source: ArrowError) -> WireError {
    WireError::Encode { table: Table::Flows.name(), source }
}

macro_rules! columns {
    ($($name:ident: $builder:ty = $make:expr;)+) => {
        /// Builders, in the order of the schema.
        struct Columns { $($name: $builder),+ }

        impl Columns {
            fn new() -> Self {
                Self { $($name: $make),+ }
            }

            fn finish(&mut self) -> Vec<ArrayRef> {
                vec![$(Arc::new(self.$name.finish())),+]
            }
        }
    };
}

fn times() -> TimestampNanosecondBuilder {
    TimestampNanosecondBuilder::new().with_timezone(UTC)
}

columns! {
    ip_version: UInt8Builder = UInt8Builder::new();
    source: FixedSizeBinaryBuilder = FixedSizeBinaryBuilder::new(ADDRESS);
    victim: FixedSizeBinaryBuilder = FixedSizeBinaryBuilder::new(ADDRESS);
    protocol: UInt8Builder = UInt8Builder::new();
    class: UInt8Builder = UInt8Builder::new();
    port: UInt16Builder = UInt16Builder::new();
    icmp_type: UInt8Builder = UInt8Builder::new();
    icmp_code: UInt8Builder = UInt8Builder::new();
    signatures: UInt8Builder = UInt8Builder::new();
    window: UInt16Builder = UInt16Builder::new();
    quoted_protocol: UInt8Builder = UInt8Builder::new();
    packets: UInt64Builder = UInt64Builder::new();
    bytes: UInt64Builder = UInt64Builder::new();
    first_seen: TimestampNanosecondBuilder = times();
    last_seen: TimestampNanosecondBuilder = times();
    time_to_live_minimum: UInt8Builder = UInt8Builder::new();
    time_to_live_maximum: UInt8Builder = UInt8Builder::new();
    targets: UInt64Builder = UInt64Builder::new();
    targets_counted: UInt8Builder = UInt8Builder::new();
    overflow: BooleanBuilder = BooleanBuilder::new();
    destination: FixedSizeBinaryBuilder = FixedSizeBinaryBuilder::new(ADDRESS);
    source_port: UInt16Builder = UInt16Builder::new();
    destination_port: UInt16Builder = UInt16Builder::new();
    time_to_live: UInt8Builder = UInt8Builder::new();
    tcp_flags: UInt8Builder = UInt8Builder::new();
    length: UInt16Builder = UInt16Builder::new();
    syn_length: UInt8Builder = UInt8Builder::new();
    syn_window: UInt16Builder = UInt16Builder::new();
}

impl Columns {
    fn push(&mut self, row: &Row) -> Result<(), ArrowError> {
        self.ip_version.append_value(row.ip_version());
        append_address(&mut self.source, row.source)?;
        append_address(&mut self.victim, row.victim)?;
        self.protocol.append_value(row.protocol);
        self.class.append_value(row.class as u8);
        self.port.append_option(row.port);
        self.icmp_type.append_option(row.icmp.map(|(kind, _)| kind));
        self.icmp_code.append_option(row.icmp.map(|(_, code)| code));
        self.signatures.append_value(row.signatures);
        self.window.append_option(row.window);
        self.quoted_protocol.append_option(row.quoted_protocol);
        self.packets.append_value(row.packets);
        self.bytes.append_value(row.bytes);
        self.first_seen.append_value(nanoseconds(row.first_seen));
        self.last_seen.append_value(nanoseconds(row.last_seen));
        self.time_to_live_minimum.append_value(row.time_to_live_minimum);
        self.time_to_live_maximum.append_value(row.time_to_live_maximum);
        self.targets.append_value(row.targets);
        self.targets_counted.append_value(row.targets_counted as u8);
        self.overflow.append_value(row.overflow);
        append_address(&mut self.destination, row.destination)?;
        self.source_port.append_value(row.source_port);
        self.destination_port.append_value(row.destination_port);
        self.time_to_live.append_value(row.time_to_live);
        self.tcp_flags.append_value(row.tcp_flags);
        self.length.append_value(row.length);
        self.syn_length.append_value(row.syn_length);
        self.syn_window.append_value(row.syn_window);
        Ok(())
    }
}

fn append_address(column: &mut FixedSizeBinaryBuilder, address: Option<IpAddr>) -> Result<(), ArrowError> {
    let Some(address) = address else {
        column.append_null();
        return Ok(());
    };
    column.append_value(match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().octets(),
        IpAddr::V6(address) => address.octets(),
    })
}

/// A time as its column holds it, to the year 2262.
pub fn nanoseconds(time: u64) -> i64 {
    i64::try_from(time).unwrap_or(i64::MAX)
}
