//! Any batches, in any order and more than once, against a plain model.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Date32Type, Int64Type};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::{Open, Sample, breaches, flow};
use crate::store::{
    Day, NANOSECONDS_OF_DAY, Outcome, Period, PortKey, Reader, RollupFilter, SourceKey, Table,
};

const MIDNIGHT: u64 = 20_512 * NANOSECONDS_OF_DAY;

/// Day, sensor, protocol, port, signatures.
type PortKeys = (u32, String, u8, Option<u16>, u8);
/// Day, source, protocol, port, signatures, window.
type SourceKeys = (u32, IpAddr, u8, Option<u16>, u8, Option<u16>);

#[derive(Debug, Default, PartialEq)]
struct Model {
    /// Packets and bytes.
    ports: BTreeMap<PortKeys, (u64, u64)>,
    /// Packets and bytes, when they were seen first and last.
    sources: BTreeMap<SourceKeys, (u64, u64, u64, u64)>,
    counters: BTreeMap<(u32, String), u64>,
    /// Nanoseconds, and those of them with flows.
    uptime: BTreeMap<(u32, String), (u64, u64)>,
}

fn samples() -> impl Strategy<Value = Vec<Sample>> {
    let row = (0_u32..6, any::<bool>(), 0_u16..3, 1_u64..5, 0_u64..60_000, 0_u8..2, 0_u16..3);
    let sample = (0_usize..3, 1_u64..6, -90_i64..90, proptest::collection::vec(row, 0..12), any::<bool>());
    proptest::collection::vec(sample, 1..12).prop_map(|samples| {
        samples
            .into_iter()
            .map(|(sensor, sequence, minutes, rows, with_flows)| {
                let start = MIDNIGHT.saturating_add_signed(minutes * 40_000_000_000);
                let rows =
                    rows.into_iter().map(|(source, is_udp, port, packets, seen, signatures, window)| {
                        let source = match source {
                            0 => String::new(),
                            1 => "2001:db8::1".into(),
                            number => format!("{number}.0.0.1"),
                        };
                        let protocol = if is_udp { 17 } else { 6 };
                        let mut row = flow(&source, protocol, port, packets, start + seen * 1_000_000);
                        if !is_udp {
                            row.signatures = signatures;
                            row.window = Some([1024, 5, 65535][usize::from(window)]);
                        }
                        row
                    });
                let name = ["tokyo", "osaka", "日本"][sensor];
                Sample { with_flows, ..Sample::new(name, sequence, start).with(rows) }
            })
            .collect()
    })
}

impl Model {
    fn add(&mut self, sample: &Sample, seen_by: &mut BTreeMap<(u32, IpAddr), BTreeSet<String>>) {
        let day_of = |time: u64| (time / NANOSECONDS_OF_DAY) as u32;
        let last = day_of(sample.end - 1);
        *self.counters.entry((last, sample.sensor.clone())).or_default() += sample.totals().packets;
        for day in [sample.start, sample.end - 1].map(day_of).into_iter().collect::<BTreeSet<_>>() {
            let day = Day(day);
            let long = sample.end.min(day.start() + NANOSECONDS_OF_DAY) - sample.start.max(day.start());
            let up = self.uptime.entry((day.0, sample.sensor.clone())).or_default();
            up.0 += long;
            if sample.with_flows || sample.rows.iter().all(|row| row.packets == 0) {
                up.1 += long;
            }
        }
        for row in sample.rows.iter().filter(|_| sample.with_flows) {
            let day = day_of(row.first_seen.min(sample.end - 1));
            let port = self.ports.entry((day, sample.sensor.clone(), row.protocol, row.port, row.signatures));
            let port = port.or_default();
            *port = (port.0 + row.packets, port.1 + row.bytes);
            let Some(source) = row.source else { continue };
            seen_by.entry((day, source)).or_default().insert(sample.sensor.clone());
            let window = row.window.filter(|window| *window == 1024);
            let key = (day, source, row.protocol, row.port, row.signatures, window);
            let sum = self.sources.entry(key).or_insert((0, 0, u64::MAX, 0));
            *sum =
                (sum.0 + row.packets, sum.1 + row.bytes, sum.2.min(row.first_seen), sum.3.max(row.last_seen));
        }
    }

    fn of(reader: &dyn Reader) -> Self {
        let mut model = Self::default();
        let filter = RollupFilter::of(Period::ALL);
        let by = [PortKey::Day, PortKey::Sensor, PortKey::Protocol, PortKey::Port, PortKey::Signatures];
        for sum in reader.port_sums(&filter, &by, usize::MAX).unwrap() {
            let key = (
                sum.day.unwrap().0,
                sum.sensor.unwrap(),
                sum.protocol.unwrap(),
                sum.port,
                sum.signatures.unwrap(),
            );
            assert!(model.ports.insert(key, (sum.packets, sum.bytes)).is_none());
        }
        let by = [
            SourceKey::Day,
            SourceKey::Source,
            SourceKey::Protocol,
            SourceKey::Port,
            SourceKey::Signatures,
            SourceKey::Window,
        ];
        for sum in reader.source_sums(&filter, &by, usize::MAX).unwrap() {
            let key = (
                sum.day.unwrap().0,
                sum.source.unwrap(),
                sum.protocol.unwrap(),
                sum.port,
                sum.signatures.unwrap(),
                sum.window,
            );
            let value = (sum.packets, sum.bytes, sum.first_seen, sum.last_seen);
            assert!(model.sources.insert(key, value).is_none());
        }
        for up in reader.uptime(None, Period::ALL).unwrap() {
            model.uptime.insert((up.day.0, up.sensor), (up.nanoseconds, up.with_flows));
        }
        let take = &mut |record: arrow_array::RecordBatch| {
            for row in 0..record.num_rows() {
                if record.column(2).as_string::<i32>().value(row) == "packets" {
                    let day = record.column(0).as_primitive::<Date32Type>().value(row).cast_unsigned();
                    let sensor = record.column(1).as_string::<i32>().value(row).to_owned();
                    let packets = record.column(4).as_primitive::<Int64Type>().value(row);
                    model.counters.insert((day, sensor), packets.cast_unsigned());
                }
            }
            Ok(())
        };
        reader.scan(Table::CounterDay, Period::ALL, take).unwrap();
        model
    }
}

pub fn sums_are_those_of_a_plain_model(open: Open) {
    let config = ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() };
    let strategy = (samples(), 1_usize..4);
    let run = |(samples, at_once): (Vec<Sample>, usize)| {
        let folder = tempfile::tempdir().unwrap();
        let mut store = open(folder.path());
        let mut model = Model::default();
        let mut seen_by = BTreeMap::new();
        let mut names = BTreeMap::new();
        for group in samples.chunks(at_once) {
            let incoming: Vec<_> = group.iter().map(Sample::incoming).collect();
            let outcomes = store.commit(&incoming).unwrap();
            for ((sample, incoming), outcome) in group.iter().zip(&incoming).zip(outcomes) {
                let name = (sample.sensor.clone(), sample.first);
                match names.get(&name) {
                    None => {
                        prop_assert_eq!(outcome, Outcome::Stored);
                        names.insert(name, incoming.counts_hash);
                        model.add(sample, &mut seen_by);
                    }
                    Some(hash) if *hash == incoming.counts_hash => {
                        prop_assert_eq!(outcome, Outcome::AlreadyStored);
                    }
                    Some(_) => {
                        let is_conflict = matches!(outcome, Outcome::Conflict { .. });
                        prop_assert!(is_conflict);
                    }
                }
            }
        }
        let reader = store.reader().unwrap();
        model.counters.retain(|_, packets| *packets > 0);
        prop_assert_eq!(Model::of(&*reader), model);
        prop_assert_eq!(breaches(&*reader), [""; 0]);
        let by = [SourceKey::Day, SourceKey::Source];
        for sum in reader.source_sums(&RollupFilter::of(Period::ALL), &by, usize::MAX).unwrap() {
            let sensors = &seen_by[&(sum.day.unwrap().0, sum.source.unwrap())];
            prop_assert_eq!(sum.sensors, sensors.len() as u64);
        }
        Ok(())
    };
    TestRunner::new(config).run(&strategy, run).unwrap();
}
