//! A batch that is read.

use std::panic::{AssertUnwindSafe, catch_unwind};

use arrow_array::{RecordBatch, cast::AsArray as _, types};
use arrow_buffer::Buffer;
use arrow_ipc::reader::StreamDecoder;
use arrow_schema::{ArrowError, Schema};
use bytes::Bytes;

use crate::FORMAT_VERSION;
use crate::dimension::{self, Counter, Dimension};
use crate::error::WireError;
pub use crate::flows::FlowRows;
use crate::frames::Frames;
use crate::header::Header;
use crate::intervals;
use crate::schema::{FORMAT_KEY, TABLE_KEY, Table};
use crate::text::excerpt;

/// How much a batch may unpack to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// All tables together, in bytes.
    pub unpacked_bytes: u64,
    /// Unpacked bytes for each packed one, beyond those that are taken without question: all ports of a quiet sensor
    /// pack well.
    pub ratio: u64,
    pub unpacked_without_question: u64,
    /// Rows of table `flows`.
    pub flow_rows: u64,
}

impl Default for Limits {
    /// A million flows unpack to some 150 MB.
    fn default() -> Self {
        Self {
            unpacked_bytes: 4 << 30,
            ratio: 500,
            unpacked_without_question: 16 << 20,
            flow_rows: 20_000_000,
        }
    }
}

impl Limits {
    pub(crate) const fn rows_of(&self, table: Table) -> u64 {
        match table {
            Table::Intervals => 1,
            // Each dimension has at most as many keys as there are ports.
            Table::Counters => (Dimension::ALL.len() * sensor_ebpf::abi::PORTS) as u64,
            Table::Flows => self.flow_rows,
        }
    }

    /// Unpacked bytes of one table: those whose size does not grow with the traffic need no more.
    pub(crate) const fn unpacked_of(&self, table: Table) -> u64 {
        let most = match table {
            // The longest words that an interval may say of itself.
            Table::Intervals => 1 << 20,
            // 13 bytes a row, and every row that there can be.
            Table::Counters => 32 << 20,
            Table::Flows => u64::MAX,
        };
        if most < self.unpacked_bytes { most } else { self.unpacked_bytes }
    }
}

/// A batch, its flows still packed.
#[derive(Clone, Debug)]
pub struct Batch {
    pub header: Header,
    /// By dimension and key, each once, none zero.
    pub counters: Vec<Counter>,
    /// Bytes of the part with the counts: what comes before the flows. It never changes once it is made.
    pub counts_length: usize,
    flows: Option<Bytes>,
}

impl Batch {
    /// Reads a batch, but for its flows. What it says is well formed; whether it can be true is another question.
    ///
    /// # Errors
    /// Where it is not a batch of this format version, or beyond the limits.
    pub fn read(bytes: &Bytes, limits: &Limits) -> Result<Self, WireError> {
        let Frames { intervals, counters, flows } = Frames::split(bytes, limits)?;
        let counts_length = intervals.len() + counters.len();
        let header = intervals::header(&only(Table::Intervals, intervals)?)?;
        let counters = read_counters(&only(Table::Counters, counters)?)?;
        dimension::check(&counters, &header.watched_windows)?;
        if let Some(flows) = &flows {
            // Its columns are looked at now, so that what is no batch is refused before any of it is kept.
            records(Table::Flows, flows.clone()).next().transpose()?;
        }
        Ok(Self { header, counters, counts_length, flows })
    }

    /// Whether its flows came with it.
    #[must_use]
    pub const fn has_flows(&self) -> bool {
        self.flows.is_some()
    }

    /// Its flows, some ten thousand at a time; none where they did not come with it.
    pub fn flows(&self) -> impl Iterator<Item = Result<FlowRows, WireError>> + use<> {
        let mut row = 0;
        let flows = self.flows.clone().into_iter().flat_map(|flows| records(Table::Flows, flows));
        flows.map(move |record| {
            let rows = FlowRows::new(record?, row)?;
            row += rows.len();
            Ok(rows)
        })
    }
}

/// The one record batch of a table that has no more.
fn only(table: Table, stream: Bytes) -> Result<RecordBatch, WireError> {
    let mut records = records(table, stream);
    let first = records.next().transpose()?.unwrap_or_else(|| RecordBatch::new_empty(table.schema()));
    match records.next() {
        None => Ok(first),
        Some(Err(error)) => Err(error),
        Some(Ok(_)) => Err(WireError::Value {
            table: table.name(),
            row: first.num_rows(),
            what: "a second record batch, where there is one".into(),
        }),
    }
}

/// The record batches of one stream, its schema checked with the first.
fn records(table: Table, stream: Bytes) -> impl Iterator<Item = Result<RecordBatch, WireError>> {
    let mut buffer = Buffer::from(stream);
    let mut decoder = StreamDecoder::new();
    let mut is_checked = false;
    std::iter::from_fn(move || {
        if buffer.is_empty() && is_checked {
            return None;
        }
        let next = next(table, &mut decoder, &mut buffer, &mut is_checked).transpose();
        if !matches!(next, Some(Ok(_))) {
            // Neither after the end nor after an error is there anything to read.
            buffer = Buffer::default();
            is_checked = true;
        }
        next
    })
}

fn next(
    table: Table,
    decoder: &mut StreamDecoder,
    buffer: &mut Buffer,
    is_checked: &mut bool,
) -> Result<Option<RecordBatch>, WireError> {
    // Whatever its author did not foresee costs this batch alone.
    let decoded = catch_unwind(AssertUnwindSafe(|| decoder.decode(buffer)))
        .map_err(|_| WireError::Panic { table: table.name() })?;
    if !*is_checked && let Some(schema) = decoder.schema() {
        check_schema(table, &schema)?;
        *is_checked = true;
    }
    let failed = |source: ArrowError| WireError::Arrow { table: table.name(), source };
    let record = decoded.map_err(failed)?;
    if !*is_checked {
        return Err(WireError::Garbage("a stream without a schema"));
    }
    Ok(record)
}

fn check_schema(table: Table, found: &Schema) -> Result<(), WireError> {
    let metadata = |key| found.metadata().get(key).map_or("none", String::as_str);
    if metadata(FORMAT_KEY) != FORMAT_VERSION.to_string() {
        return Err(WireError::Version { found: excerpt(metadata(FORMAT_KEY)) });
    }
    if metadata(TABLE_KEY) != table.name() {
        return Err(WireError::Table { expected: table.name(), found: excerpt(metadata(TABLE_KEY)) });
    }
    let expected = table.schema();
    let is_same = |(found, expected): (&arrow_schema::FieldRef, &arrow_schema::FieldRef)| {
        found.name() == expected.name()
            && found.data_type() == expected.data_type()
            && found.is_nullable() == expected.is_nullable()
    };
    if found.fields().len() != expected.fields().len()
        || !found.fields().iter().zip(expected.fields()).all(is_same)
    {
        let found: Vec<String> =
            found.fields().iter().map(|field| format!("{} {}", field.name(), field.data_type())).collect();
        return Err(WireError::Columns { table: table.name(), found: excerpt(&found.join(", ")) });
    }
    Ok(())
}

fn read_counters(record: &RecordBatch) -> Result<Vec<Counter>, WireError> {
    let dimensions = record.column(0).as_primitive::<types::UInt8Type>().values();
    let keys = record.column(1).as_primitive::<types::UInt32Type>().values();
    let packets = record.column(2).as_primitive::<types::UInt64Type>().values();
    let rows = dimensions.iter().zip(keys).zip(packets);
    rows.enumerate()
        .map(|(row, ((&number, &key), &packets))| {
            let value = |what: String| WireError::Value { table: Table::Counters.name(), row, what };
            let dimension = Dimension::from_number(number)
                .ok_or_else(|| value(format!("no dimension has number {number}")))?;
            if packets == 0 {
                return Err(value("a counter of zero, which has no row".into()));
            }
            Ok(Counter { dimension, key, packets })
        })
        .collect()
}
