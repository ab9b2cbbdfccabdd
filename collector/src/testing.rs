//! Batches and a store for tests.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use sensor_ebpf::abi::{Family, Outcome, TcpClass, TrafficClass};
use wire::law::{ByFamily, Digests};
use wire::totals::Totals;
use wire::{FlowKey, FlowsEncoder, FlowsHeader, Header, Name, Row};

use crate::intake::{Accepted, Intake, IntakeError, Receipt, Reply, unix_nanoseconds};
use crate::store::counts_hash;
use crate::validate::{InMemory, KnownIntervals, Neighbours, Span};

pub const SECOND: u64 = 1_000_000_000;
pub const MINUTE: u64 = 60 * SECOND;

/// An interval of SYN packets to port 23, some from each of several sources, that keeps every law.
pub struct Sample {
    pub header: Header,
    pub totals: Totals,
    pub rows: Vec<Row>,
}

impl Sample {
    /// The interval with this sequence, the last minute but for as many as come after it.
    pub fn new(sensor: &str, sequence: u64) -> Self {
        let (sources, packets) = (10_u64, 3);
        let all = sources * packets;
        let epoch = unix_nanoseconds() / MINUTE * MINUTE - 60 * MINUTE;
        let start = epoch + sequence * MINUTE;
        let header = Header {
            sensor: sensor.into(),
            epoch,
            first: sequence,
            last: sequence,
            start,
            end: start + MINUTE,
            program_version: "0.1.0".into(),
            abi_version: 2,
            signatures_version: 1,
            watched_windows: vec![5656],
            digests: Some(Digests { written: ByFamily { ipv4: all, ipv6: 0 }, ..Digests::default() }),
            flows: Some(FlowsHeader {
                key: FlowKey::Source,
                rows: sources,
                packets: all,
                ..FlowsHeader::default()
            }),
            ..Header::default()
        };
        let mut totals = Totals::default();
        let counters = totals.counters_mut();
        counters.packets = all;
        counters.bytes = all * 60;
        counters.outcomes[Outcome::Ipv4Tcp as usize] = all;
        counters.ip_protocols[6] = all;
        counters.tcp_classes[TcpClass::Scan as usize] = all;
        counters.tcp_flags[2] = all;
        counters.tcp_scan_destination_ports[23] = all;
        counters.digests[Family::Ipv4 as usize] = all;
        let row = |source: u64| Row {
            source: Some(std::net::Ipv4Addr::from_bits(0xc000_0200 + source as u32).into()),
            protocol: 6,
            class: TrafficClass::Scan,
            port: Some(23),
            packets,
            bytes: packets * 40,
            first_seen: start,
            last_seen: start + SECOND,
            ..Row::new(Family::Ipv4)
        };
        Self { header, totals, rows: (0..sources).map(row).collect() }
    }

    /// Without its flows.
    pub fn counts(&self) -> Vec<u8> {
        let counters = wire::dimension::counters(&self.totals, &self.header.watched_windows);
        wire::counts(&self.header, &counters).unwrap()
    }

    /// With its flows.
    pub fn bytes(&self) -> Bytes {
        let mut bytes = self.counts();
        let mut flows = FlowsEncoder::new().unwrap();
        self.rows.iter().for_each(|row| flows.push(row).unwrap());
        bytes.extend(flows.finish().unwrap());
        bytes.into()
    }

    /// A batch of some kilobytes whose buffers say that they unpack to a terabyte.
    pub fn bomb(mut self) -> Bytes {
        const ROWS: u64 = 1000;
        let row = self.rows[0].clone();
        self.rows = (0..ROWS).map(|_| row.clone()).collect();
        let mut bytes = self.bytes().to_vec();
        let honest = (ROWS * 8).to_le_bytes();
        let mut found = 0;
        for place in 0..bytes.len() - 8 {
            if bytes[place..place + 8] == honest {
                bytes[place..place + 8].copy_from_slice(&(1_u64 << 40).to_le_bytes());
                found += 1;
            }
        }
        assert!(found > 0, "no buffer of {ROWS} numbers");
        bytes.into()
    }
}

/// Stores each interval once, in memory.
#[derive(Default)]
pub struct Memory {
    pub stored: Mutex<HashMap<(String, Name), Accepted>>,
    /// What the store says instead, while it is there.
    pub trouble: Mutex<Option<Trouble>>,
}

#[derive(Clone)]
pub enum Trouble {
    Error(IntakeError),
    Panic,
    Silence,
    Slow(Duration),
}

impl Memory {
    pub fn count(&self) -> usize {
        self.stored.lock().unwrap().len()
    }

    pub fn set(&self, trouble: Option<Trouble>) {
        *self.trouble.lock().unwrap() = trouble;
    }

    fn store(&self, accepted: Accepted) -> Result<Receipt, IntakeError> {
        let key = (accepted.batch.header.sensor.clone(), accepted.batch.header.name());
        let mut stored = self.stored.lock().unwrap();
        match stored.get(&key) {
            None => {
                stored.insert(key, accepted);
                Ok(Receipt { already: false })
            }
            Some(before) if before.bytes == accepted.bytes => Ok(Receipt { already: true }),
            Some(_) => Err(IntakeError::Conflict("another interval has its name".into())),
        }
    }
}

impl Intake for Memory {
    fn submit(&self, accepted: Accepted, reply: Reply) {
        let trouble = self.trouble.lock().unwrap().clone();
        match trouble {
            None => reply(self.store(accepted)),
            Some(Trouble::Error(error)) => reply(Err(error)),
            Some(Trouble::Panic) => panic!("a bug in the store"),
            Some(Trouble::Silence) => drop(reply),
            Some(Trouble::Slow(time)) => {
                let stored = self.store(accepted);
                std::thread::spawn(move || {
                    std::thread::sleep(time);
                    reply(stored);
                });
            }
        }
    }
}

/// Knows what such a store has.
#[derive(Default)]
pub struct Known {
    pub store: Arc<Memory>,
    neighbours: InMemory,
}

impl Known {
    pub fn new(store: Arc<Memory>) -> Self {
        Self { store, neighbours: InMemory::default() }
    }
}

impl KnownIntervals for Known {
    fn neighbours(&self, sensor: &str, name: Name) -> Neighbours {
        self.neighbours.neighbours(sensor, name)
    }

    fn is_stored(&self, sensor: &str, name: Name, hash: &[u8; 32]) -> bool {
        let stored = self.store.stored.lock().unwrap();
        let known = stored.get(&(sensor.to_owned(), name));
        known.is_some_and(|one| counts_hash(&one.bytes[..one.batch.counts_length]) == *hash)
    }

    fn note(&self, sensor: &str, span: Span) {
        self.neighbours.note(sensor, span);
    }
}
