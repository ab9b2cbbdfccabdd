//! Table `intervals`: one row, the [`Header`].

use std::sync::Arc;

use arrow_array::builder::{ListBuilder, StringBuilder, UInt16Builder};
use arrow_array::cast::AsArray as _;
use arrow_array::types::{Int64Type, TimestampNanosecondType, UInt16Type, UInt32Type, UInt64Type};
use arrow_array::{
    Array as _, ArrayRef, Int64Array, RecordBatch, StringArray, TimestampNanosecondArray, UInt32Array,
    UInt64Array,
};
use arrow_schema::{ArrowError, DataType, Field};
use sensor_ebpf::abi::WATCHED_WINDOWS;

use crate::dimension::CounterError;
use crate::encode::nanoseconds;
use crate::error::WireError;
use crate::header::{FlowsHeader, Header};
use crate::law::Digests;
use crate::row::FlowKey;
use crate::schema::{Table, UTC};
use crate::text::excerpt;

/// Laws that an interval may say are broken: there are some ten, and merged intervals have those of all.
pub const MOST_BREACHES: usize = 1_000;
/// Bytes of what it says of one.
pub const LONGEST_BREACH: usize = 1_000;

/// The row of a header.
pub fn record(header: &Header) -> Result<RecordBatch, ArrowError> {
    let Header {
        sensor,
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
    } = header;
    let mut columns: Vec<ArrayRef> = vec![
        text(sensor),
        time(*epoch),
        long(Some(*first)),
        long(Some(*last)),
        time(*start),
        time(*end),
        Arc::new(Int64Array::from(vec![*clock_step])),
        text(program_version),
        number(*abi_version),
        number(*signatures_version),
        long(Some(*observed_ipv4)),
        number(*observed_ipv6_prefixes),
        windows(watched_windows),
        words(breaches),
    ];
    let figures = digests.as_ref().map(Digests::figures);
    columns.extend((0..7).map(|place| long(figures.map(|figures| figures[place]))));
    columns.push(Arc::new(StringArray::from(vec![flows.map(|flows| flows.key.name())])));
    let flow = |figure: fn(&FlowsHeader) -> u64| long(flows.as_ref().map(figure));
    columns.extend([
        flow(|flows| flows.rows),
        flow(|flows| flows.packets),
        flow(|flows| flows.overflow_rows),
        flow(|flows| flows.overflow_packets),
        long(Some(*ring_most_waiting)),
        long(Some(*ring_records)),
    ]);
    RecordBatch::try_new(Table::Intervals.schema(), columns)
}

fn text(value: &str) -> ArrayRef {
    Arc::new(StringArray::from(vec![value]))
}

fn long(value: Option<u64>) -> ArrayRef {
    Arc::new(UInt64Array::from(vec![value]))
}

fn number(value: u32) -> ArrayRef {
    Arc::new(UInt32Array::from(vec![value]))
}

fn time(value: u64) -> ArrayRef {
    Arc::new(TimestampNanosecondArray::from(vec![nanoseconds(value)]).with_timezone(UTC))
}

fn windows(values: &[u16]) -> ArrayRef {
    let field = Field::new_list_field(DataType::UInt16, false);
    let mut builder = ListBuilder::new(UInt16Builder::new()).with_field(field);
    builder.append_value(values.iter().copied().map(Some));
    Arc::new(builder.finish())
}

fn words(values: &[String]) -> ArrayRef {
    let field = Field::new_list_field(DataType::Utf8, false);
    let mut builder = ListBuilder::new(StringBuilder::new()).with_field(field);
    builder.append_value(values.iter().map(Some));
    Arc::new(builder.finish())
}

/// The header of the row.
pub fn header(record: &RecordBatch) -> Result<Header, WireError> {
    if record.num_rows() != 1 {
        let what = format!("{} rows, where there is one", record.num_rows());
        return Err(WireError::Value { table: Table::Intervals.name(), row: record.num_rows(), what });
    }
    let columns = Columns(record);
    let figures: [Option<u64>; 7] = std::array::from_fn(|place| columns.long(14 + place));
    let digests = all(figures).map(Digests::from_figures);
    let key = columns.optional_text(21).map(|name| {
        FlowKey::from_name(name).ok_or_else(|| value(format!("no flow key is called {}", excerpt(name))))
    });
    let sums: [Option<u64>; 4] = std::array::from_fn(|place| columns.long(22 + place));
    let flows = match (key.transpose()?, all(sums)) {
        (Some(key), Some([rows, packets, overflow_rows, overflow_packets])) => {
            Some(FlowsHeader { key, rows, packets, overflow_rows, overflow_packets })
        }
        _ => None,
    };
    Ok(Header {
        sensor: columns.text(0),
        epoch: columns.time(1)?,
        first: columns.plain(2),
        last: columns.plain(3),
        start: columns.time(4)?,
        end: columns.time(5)?,
        clock_step: record.column(6).as_primitive::<Int64Type>().value(0),
        program_version: columns.text(7),
        abi_version: columns.number(8),
        signatures_version: columns.number(9),
        observed_ipv4: columns.plain(10),
        observed_ipv6_prefixes: columns.number(11),
        watched_windows: columns.windows(12)?,
        breaches: columns.words(13)?,
        digests,
        flows,
        ring_most_waiting: columns.plain(26),
        ring_records: columns.plain(27),
    })
}

fn value(what: String) -> WireError {
    WireError::Value { table: Table::Intervals.name(), row: 0, what }
}

/// All of them, or none.
fn all<const N: usize>(values: [Option<u64>; N]) -> Option<[u64; N]> {
    values.iter().all(Option::is_some).then(|| values.map(Option::unwrap_or_default))
}

/// The first row's values, by the number of their column. Types are the schema's, which has been checked.
struct Columns<'a>(&'a RecordBatch);

impl Columns<'_> {
    fn optional_text(&self, column: usize) -> Option<&str> {
        let column = self.0.column(column).as_string::<i32>();
        column.is_valid(0).then(|| column.value(0))
    }

    fn text(&self, column: usize) -> String {
        self.optional_text(column).unwrap_or_default().to_owned()
    }

    fn long(&self, column: usize) -> Option<u64> {
        let column = self.0.column(column).as_primitive::<UInt64Type>();
        column.is_valid(0).then(|| column.value(0))
    }

    fn plain(&self, column: usize) -> u64 {
        self.long(column).unwrap_or_default()
    }

    fn number(&self, column: usize) -> u32 {
        self.0.column(column).as_primitive::<UInt32Type>().value(0)
    }

    fn windows(&self, column: usize) -> Result<Vec<u16>, WireError> {
        let list = self.0.column(column).as_list::<i32>().value(0);
        if list.len() > WATCHED_WINDOWS {
            return Err(CounterError::Windows(list.len()).into());
        }
        Ok(list.as_primitive::<UInt16Type>().values().to_vec())
    }

    fn words(&self, column: usize) -> Result<Vec<String>, WireError> {
        let list = self.0.column(column).as_list::<i32>().value(0);
        if list.len() > MOST_BREACHES {
            let what = format!("{} broken laws, at most {MOST_BREACHES} are taken", list.len());
            return Err(value(what));
        }
        let words = list.as_string::<i32>();
        match words.iter().flatten().find(|word| word.len() > LONGEST_BREACH) {
            None => Ok(words.iter().flatten().map(str::to_owned).collect()),
            Some(word) => Err(value(format!(
                "{} bytes about a broken law, at most {LONGEST_BREACH} are taken: {}",
                word.len(),
                excerpt(word)
            ))),
        }
    }

    fn time(&self, column: usize) -> Result<u64, WireError> {
        let time = self.0.column(column).as_primitive::<TimestampNanosecondType>().value(0);
        u64::try_from(time).map_err(|_| value(format!("a time before 1970, {time} ns")))
    }
}
