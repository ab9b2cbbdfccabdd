//! What is no batch: refused with its reason, and never more memory taken than the limits allow.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StringArray, UInt8Array, UInt32Array, UInt64Array};
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{Schema, SchemaRef};
use proptest::prelude::*;

use super::*;
use crate::schema::{FORMAT_KEY, Table};

fn good() -> Bytes {
    whole(&header(), &some_counters(), Some(&some_rows()))
}

fn stream(schema: &SchemaRef, records: &[RecordBatch]) -> Vec<u8> {
    let mut writer = StreamWriter::try_new(Vec::new(), schema).unwrap();
    records.iter().for_each(|record| writer.write(record).unwrap());
    writer.into_inner().unwrap()
}

/// Everything of it, as a collector would.
fn read_all(bytes: &Bytes, limits: &Limits) -> Result<Vec<Row>, WireError> {
    Batch::read(bytes, limits).and_then(|batch| rows(&batch))
}

#[test]
fn garbage_is_refused() {
    for garbage in [&b""[..], b"GET / HTTP/1.1\r\n\r\n", &[0; 100], &[0xff; 100], b"ARROW1\0\0"] {
        let error = read(&Bytes::from_static(garbage)).unwrap_err();
        assert!(matches!(error, WireError::Garbage(_) | WireError::Short { .. }), "{error}");
    }
}

#[test]
fn a_batch_that_ends_anywhere_else_is_refused() {
    let good = good();
    let counts_length = read(&good).unwrap().counts_length;
    for length in (0..good.len()).filter(|length| *length != counts_length) {
        assert!(read(&good.slice(..length)).is_err(), "{length} of {} bytes", good.len());
    }
    let longer: Bytes = [&good[..], &[0]].concat().into();
    assert!(read(&longer).is_err());
}

#[test]
fn another_format_version_is_named() {
    let metadata = std::collections::HashMap::from([(FORMAT_KEY.to_owned(), "2".to_owned())]);
    let schema = Arc::new(Schema::new_with_metadata(Table::Intervals.schema().fields().clone(), metadata));
    let mut bytes = stream(&schema, &[]);
    bytes.extend(stream(&Table::Counters.schema(), &[]));
    let error = read(&bytes.into()).unwrap_err();
    assert!(matches!(&error, WireError::Version { found } if found == "2"), "{error}");
}

#[test]
fn tables_out_of_order_are_refused() {
    let good = good();
    let batch = read(&good).unwrap();
    let bytes: Bytes = [&good[batch.counts_length..], &good[..batch.counts_length]].concat().into();
    assert!(matches!(read(&bytes), Err(WireError::Rows { .. } | WireError::Table { .. })));
}

#[test]
fn other_columns_are_refused() {
    let whole = Table::Counters.schema();
    let fields = &whole.fields()[..2];
    let metadata = whole.metadata().clone();
    let schema: SchemaRef = Arc::new(Schema::new_with_metadata(fields.to_vec(), metadata));
    let good = good();
    let intervals = crate::frames::Frames::split(&good, &Limits::default()).unwrap().intervals;
    let bytes: Bytes = [&intervals[..], &stream(&schema, &[])].concat().into();
    assert!(matches!(read(&bytes), Err(WireError::Columns { table: "counters", .. })));
}

fn with_counters(columns: [ArrayRef; 3]) -> Bytes {
    let schema = Table::Counters.schema();
    let record = RecordBatch::try_new(Arc::clone(&schema), columns.to_vec()).unwrap();
    let intervals = crate::frames::Frames::split(&good(), &Limits::default()).unwrap().intervals;
    [&intervals[..], &stream(&schema, &[record])].concat().into()
}

#[test]
fn counters_that_cannot_be_are_refused() {
    let refused = |dimensions: Vec<u8>, keys: Vec<u32>, packets: Vec<u64>| {
        let columns: [ArrayRef; 3] = [
            Arc::new(UInt8Array::from(dimensions)),
            Arc::new(UInt32Array::from(keys)),
            Arc::new(UInt64Array::from(packets)),
        ];
        read(&with_counters(columns)).unwrap_err()
    };
    assert!(matches!(refused(vec![19], vec![0], vec![1]), WireError::Value { row: 0, .. }));
    assert!(matches!(refused(vec![0, 1], vec![0, 0], vec![1, 0]), WireError::Value { row: 1, .. }));
    assert!(matches!(refused(vec![13], vec![70_000], vec![1]), WireError::Counter(_)));
    assert!(matches!(refused(vec![2, 2], vec![1, 1], vec![1, 1]), WireError::Counter(_)));
}

#[test]
fn rows_that_cannot_be_are_refused() {
    let scan = some_rows().swap_remove(0);
    let answer = some_rows().swap_remove(1);
    let faults = [
        Row { packets: 0, ..scan.clone() },
        Row { last_seen: scan.first_seen - 1, ..scan.clone() },
        Row { overflow: true, ..scan.clone() },
        Row { source: None, ..scan.clone() },
        Row { family: Family::Ipv4, ..answer },
    ];
    for fault in faults {
        let written = [scan.clone(), fault];
        let error = read_all(&whole(&header(), &[], Some(&written)), &Limits::default()).unwrap_err();
        assert!(matches!(error, WireError::Value { table: "flows", row: 1, .. }), "{error}");
    }
}

/// Half a million equal rows pack to next to nothing.
#[test]
fn what_unpacks_to_too_much_is_not_unpacked() {
    let row = some_rows().swap_remove(0);
    let mut encoder = FlowsEncoder::new().unwrap();
    (0..500_000).for_each(|_| encoder.push(&row).unwrap());
    let bytes: Bytes = [counts(&header(), &[]).unwrap(), encoder.finish().unwrap()].concat().into();
    let limits = Limits::default();
    let ratio = read(&bytes).unwrap_err();
    assert!(matches!(ratio, WireError::Ratio { ratio: 500.., most: 500 }), "{ratio}");
    let bomb = Batch::read(&bytes, &Limits { unpacked_bytes: 10 << 20, ..limits }).unwrap_err();
    assert!(matches!(bomb, WireError::Bomb { most: 10_485_760, .. }), "{bomb}");
    let rows = Batch::read(&bytes, &Limits { flow_rows: 100_000, ..limits }).unwrap_err();
    assert!(matches!(rows, WireError::Rows { table: "flows", most: 100_000, .. }), "{rows}");
    // With limits that allow it, it is a batch.
    assert_eq!(read_all(&bytes, &Limits { ratio: u64::MAX, ..limits }).unwrap().len(), 500_000);
}

/// More rows in one record batch than an agent puts into one: room for all of them would be needed at once.
#[test]
fn a_record_batch_with_too_many_rows_is_refused() {
    const ROWS: usize = 65_537;
    let schema = Table::Flows.schema();
    let column = |field: &arrow_schema::FieldRef| -> ArrayRef {
        use arrow_schema::DataType::{Boolean, FixedSizeBinary, Timestamp, UInt8, UInt16, UInt64};
        match field.data_type() {
            Boolean => Arc::new(arrow_array::BooleanArray::from(vec![true; ROWS])),
            UInt8 if field.name() == "targets_counted" => Arc::new(UInt8Array::from(vec![1; ROWS])),
            UInt8 => Arc::new(UInt8Array::from(vec![4; ROWS])),
            UInt16 => Arc::new(arrow_array::UInt16Array::from(vec![1; ROWS])),
            UInt64 => Arc::new(UInt64Array::from(vec![1; ROWS])),
            Timestamp(..) => Arc::new(
                arrow_array::TimestampNanosecondArray::from(vec![1; ROWS]).with_timezone(crate::schema::UTC),
            ),
            kind @ FixedSizeBinary(_) => arrow_array::new_null_array(kind, ROWS),
            kind => panic!("no such column: {kind}"),
        }
    };
    let columns = schema.fields().iter().map(column).collect();
    let record = RecordBatch::try_new(Arc::clone(&schema), columns).unwrap();
    let flows = |record: &RecordBatch| -> Bytes {
        [counts(&header(), &[]).unwrap(), stream(&schema, std::slice::from_ref(record))].concat().into()
    };
    let error = read(&flows(&record)).unwrap_err();
    assert!(matches!(error, WireError::Rows { table: "flows", rows: 65_537, most: 65_536 }), "{error}");
    assert_eq!(read_all(&flows(&record.slice(0, ROWS - 1)), &Limits::default()).unwrap().len(), ROWS - 1);
}

/// A buffer that claims to unpack to a gigabyte, in a batch of some kilobytes.
#[test]
fn a_length_that_is_a_lie_is_not_believed() {
    let good = good();
    let zstd = [0x28, 0xb5, 0x2f, 0xfd];
    let frames: Vec<usize> = (8..good.len() - 4).filter(|place| good[*place..*place + 4] == zstd).collect();
    assert!(!frames.is_empty(), "nothing is compressed");
    for place in frames {
        let mut lie = good.to_vec();
        lie[place - 8..place].copy_from_slice(&(1_u64 << 30).to_le_bytes());
        assert!(matches!(read(&lie.into()), Err(WireError::Ratio { .. } | WireError::Bomb { .. })));
    }
}

/// A batch whose interval has something else in a column.
fn with_interval(column: usize, values: ArrayRef) -> Bytes {
    let record = crate::intervals::record(&header()).unwrap();
    let mut columns = record.columns().to_vec();
    columns[column] = values;
    let schema = Table::Intervals.schema();
    let record = RecordBatch::try_new(Arc::clone(&schema), columns).unwrap();
    [stream(&schema, &[record]), stream(&Table::Counters.schema(), &[])].concat().into()
}

/// What an error says goes into logs, answers and files.
#[test]
fn no_error_repeats_what_it_was_sent_in_full() {
    let key = |text: &str| read(&with_interval(21, Arc::new(StringArray::from(vec![text])))).unwrap_err();
    let error = key(&"\u{1b}]0;x".repeat(10_000)).to_string();
    assert!(error.contains("no flow key") && error.len() < 400 && !error.contains('\u{1b}'), "{error}");
    let error = key(&"x".repeat(2 << 20));
    assert!(matches!(error, WireError::Bomb { most: 1_048_576, .. }), "{error}");
    let name = "y\u{7}".repeat(10_000);
    let field = arrow_schema::Field::new(name, arrow_schema::DataType::UInt8, false);
    let metadata = Table::Intervals.schema().metadata().clone();
    let schema: SchemaRef = Arc::new(Schema::new_with_metadata(vec![field], metadata));
    let bytes = [stream(&schema, &[]), stream(&Table::Counters.schema(), &[])].concat();
    let error = read(&bytes.into()).unwrap_err().to_string();
    assert!(error.contains("other columns") && error.len() < 400 && !error.contains('\u{7}'), "{error}");
}

#[test]
fn lists_have_an_end() {
    let words = |count: usize, word: &str| {
        read(&whole(&Header { breaches: vec![word.into(); count], ..header() }, &[], None)).map(|_| ())
    };
    assert!(words(1_000, &"x".repeat(1_000)).is_ok());
    assert!(matches!(words(1_001, ""), Err(WireError::Value { table: "intervals", .. })));
    assert!(matches!(words(1, &"x".repeat(1_001)), Err(WireError::Value { table: "intervals", .. })));
    let bytes = whole(&Header { watched_windows: vec![1; 100_000], ..header() }, &[], None);
    assert!(matches!(read(&bytes), Err(WireError::Counter(CounterError::Windows(100_000)))));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2_000, ..ProptestConfig::default() })]

    /// Whatever is changed in a batch, it is read or refused.
    #[test]
    fn changed_bytes_do_no_harm(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
        let mut bytes = good().to_vec();
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        let _read_or_refused = read_all(&bytes.into(), &Limits { unpacked_bytes: 64 << 20, ..Limits::default() });
    }

    #[test]
    fn any_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..4_096)) {
        prop_assert!(read_all(&bytes.into(), &Limits::default()).is_err());
    }
}
