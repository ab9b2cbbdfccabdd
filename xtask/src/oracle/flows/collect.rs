//! Packets gathered into flows.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::{Key, Table, Tables, keys};
use crate::oracle::packet::{IpFacts, Packet, Transport};
use crate::oracle::rules::{self, SYN, Signatures};
use crate::oracle::second_look::Which;

/// Targets that the sensor counts exactly where it observes every address.
pub const TARGETS_KEPT: usize = 14;

/// Packets come in any order: those that take tshark a second look come last.
#[derive(Debug, Default)]
pub struct Flows {
    by_source: BTreeMap<Key, Sums>,
    by_tuple: BTreeMap<Key, Sums>,
}

/// The sums of one flow, of either kind.
#[derive(Debug)]
struct Sums {
    packets: u64,
    bytes: u64,
    first_seen: u64,
    last_seen: u64,
    time_to_live: [u8; 2],
    targets: BTreeSet<IpAddr>,
    signatures: Signatures,
    /// The capture's first packet of the flow, and its TCP header's length and window if it has SYN.
    first: (u64, [u16; 2]),
}

impl Flows {
    pub fn add(&mut self, which: Which, packet: &Packet) {
        let Some(ip) = packet.ip else {
            return;
        };
        for (flows, key) in [
            (&mut self.by_source, keys::by_source(packet, &ip)),
            (&mut self.by_tuple, keys::by_tuple(packet, &ip)),
        ] {
            let sums = flows.entry(key).or_insert_with(|| Sums::new(which, packet, &ip));
            sums.add(which, packet, &ip);
        }
    }

    /// The rows of one interval.
    pub fn tables(&self, interval: [u64; 2]) -> Tables {
        let table = |flows: &BTreeMap<Key, Sums>, values: fn(&Sums) -> Vec<String>| -> Table {
            let of_interval = interval.map(|time| time.to_string());
            let values = |sums| of_interval.iter().cloned().chain(values(sums)).collect();
            flows.iter().map(|(key, sums)| (key.clone(), values(sums))).collect()
        };
        Tables {
            by_source: table(&self.by_source, Sums::by_source),
            by_tuple: table(&self.by_tuple, Sums::by_tuple),
        }
    }
}

impl Sums {
    /// Of no packets yet.
    fn new(which: Which, packet: &Packet, ip: &IpFacts) -> Self {
        Self {
            packets: 0,
            bytes: 0,
            first_seen: which.time,
            last_seen: which.time,
            time_to_live: [ip.time_to_live; 2],
            targets: BTreeSet::new(),
            signatures: Signatures::default(),
            first: (which.number, syn(packet)),
        }
    }

    fn add(&mut self, which: Which, packet: &Packet, ip: &IpFacts) {
        let Self { packets, bytes, first_seen, last_seen, time_to_live, targets, signatures, first } = self;
        *packets += 1;
        *bytes += ip.bytes();
        *first_seen = which.time.min(*first_seen);
        *last_seen = which.time.max(*last_seen);
        let [least, most] = *time_to_live;
        *time_to_live = [least.min(ip.time_to_live), most.max(ip.time_to_live)];
        targets.insert(ip.destination);
        let Signatures { mirai, zmap, masscan } = rules::signatures(packet);
        signatures.mirai |= mirai;
        signatures.zmap |= zmap;
        signatures.masscan |= masscan;
        *first = (*first).min((which.number, syn(packet)));
    }

    fn by_source(&self) -> Vec<String> {
        let [least, most] = self.time_to_live;
        let exactly = self.targets.len() <= TARGETS_KEPT;
        vec![
            self.packets.to_string(),
            self.bytes.to_string(),
            self.first_seen.to_string(),
            self.last_seen.to_string(),
            least.to_string(),
            most.to_string(),
            self.targets.len().to_string(),
            if exactly { "exact" } else { "estimate" }.to_owned(),
            false.to_string(),
        ]
    }

    fn by_tuple(&self) -> Vec<String> {
        let (_, [header_length, window]) = self.first;
        vec![
            self.first_seen.to_string(),
            self.last_seen.to_string(),
            header_length.to_string(),
            window.to_string(),
            self.packets.to_string(),
            self.signatures.masscan.to_string(),
            self.signatures.mirai.to_string(),
            self.signatures.zmap.to_string(),
            self.bytes.to_string(),
            false.to_string(),
        ]
    }
}

fn syn(packet: &Packet) -> [u16; 2] {
    match packet.transport {
        Transport::Tcp(tcp) if tcp.flags & SYN != 0 => [tcp.header_length.into(), tcp.window],
        _ => [0; 2],
    }
}
