//! Files of flows, read back.

use arrow_array::cast::AsArray as _;
use arrow_array::types::{TimestampNanosecondType, UInt64Type};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use sensor_ebpf::digest::{Facts, Ipv4Digest, Ipv6Digest};

use super::*;
use crate::flows::Limits;
use crate::prefixes::ObservedRanges;

/// Sources of IPv4, in more than one batch of rows, and one of IPv6.
fn flows(key: FlowKey) -> Flows {
    let mut flows = Flows::new(&Limits::of(key, 1_000_000, &ObservedRanges::new(&[]).unwrap()), None);
    let facts = Facts { protocol: 6, length: 40_u16.to_be_bytes(), ..Facts::default() };
    for source in 0..70_000_u32 {
        let digest = Ipv4Digest { source: source.to_be_bytes(), facts, ..Ipv4Digest::default() };
        flows.add_ipv4(&[digest, digest], 1_700_000_000_123_456_789);
    }
    flows.add_ipv6(&[Ipv6Digest { facts, ..Ipv6Digest::default() }], 5);
    flows
}

#[test]
fn parquet_has_every_row_and_its_numbers() {
    for key in [FlowKey::Source, FlowKey::FlowTuple] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("flows.parquet");
        let mut file = FlowsFile::create(&path, format_of(&path).unwrap(), key).unwrap();
        file.write(1, 2, &flows(key)).unwrap();
        assert!(!path.exists(), "it has its name before it is whole");
        file.finish().unwrap();

        let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(&path).unwrap()).unwrap();
        let (mut rows, mut packets, mut latest) = (0, 0, 0);
        for batch in reader.build().unwrap() {
            let batch = batch.unwrap();
            let column = |name: &str| batch.column_by_name(name).unwrap();
            let number = if key == FlowKey::Source { "packets" } else { "packet_cnt" };
            rows += batch.num_rows();
            packets += column(number).as_primitive::<UInt64Type>().values().iter().sum::<u64>();
            let seen = column("last_seen").as_primitive::<TimestampNanosecondType>();
            latest = latest.max(seen.values().iter().copied().max().unwrap_or(0));
        }
        assert_eq!((rows, packets, latest), (70_001, 140_001, 1_700_000_000_123_456_789));
    }
}

#[test]
fn csv_has_names_and_every_row() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flows.csv");
    let mut file = FlowsFile::create(&path, FlowsFormat::Csv, FlowKey::Source).unwrap();
    file.write(0, 0, &flows(FlowKey::Source)).unwrap();
    file.finish().unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let mut lines = text.lines();
    assert!(
        lines
            .next()
            .unwrap()
            .starts_with("interval_start,interval_end,ip_version,src_ip,victim_ip,protocol,")
    );
    assert!(
        lines.next().unwrap().starts_with("1970-01-01T00:00:00Z,1970-01-01T00:00:00Z,4,0.0.0.0,,6,scan,0,")
    );
    assert_eq!(lines.count(), 70_000);
}

#[test]
fn no_flows_are_a_file_with_columns_and_no_rows() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("none.csv");
    FlowsFile::create(&path, FlowsFormat::Csv, FlowKey::FlowTuple).unwrap().finish().unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 1);
}

#[test]
fn what_is_not_finished_is_not_left() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flows.csv");
    drop(FlowsFile::create(&path, FlowsFormat::Csv, FlowKey::Source).unwrap());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_name_says_which_format_or_is_refused() {
    let refused = format_of(Path::new("flows.txt")).unwrap_err();
    assert!(refused.to_string().contains(".parquet or .csv"), "{refused}");
    let absent = FlowsFile::create(Path::new("/nowhere/flows.csv"), FlowsFormat::Csv, FlowKey::Source);
    assert!(matches!(absent, Err(FlowsFileError::Create { .. })));
}
