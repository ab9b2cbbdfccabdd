//! Packets by victim, in bounded memory.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use crate::report::counting::sources::SourceCounter;
use crate::store::{Match, Selector, SourceRow};

/// Victims that are remembered at once; beyond, half of them go, those with the fewest packets.
const MOST_VICTIMS: usize = 500_000;
/// Ports of a victim that are told apart; beyond, half of them go, those with the fewest packets.
const MOST_PORTS: usize = 64;
/// Days and ports of all victims that are remembered at once: some 256 MiB. Beyond, half of the victims go.
const MOST_PARTS: usize = 1 << 24;
/// As many victims are remembered in any case; a section shows no more.
const LEAST_VICTIMS: usize = 1_000;

/// Packets by victim and day, and by port under attack.
pub struct Victims {
    matches: Vec<Match>,
    pub all: HashMap<IpAddr, Victim>,
    pub ports: BTreeMap<u16, u64>,
    pub packets: u64,
    /// Days and ports of all of them.
    parts: usize,
    /// The most that are remembered, and whether any had to go.
    most: usize,
    most_parts: usize,
    pub is_cut: bool,
}

#[derive(Default)]
pub struct Victim {
    pub packets: u64,
    pub region: [u8; 2],
    /// The first day of which all is known: others had to go before it, and it may have been one of them.
    pub known_from: u32,
    /// In order of the days.
    pub days: Vec<(u32, u64)>,
    /// In order of the ports, at most [`MOST_PORTS`].
    pub ports: Vec<(u16, u64)>,
}

impl Victim {
    /// Adds packets of a port.
    fn add_port(&mut self, port: u16, packets: u64) {
        match self.ports.binary_search_by_key(&port, |(port, _)| *port) {
            Ok(place) => self.ports[place].1 = self.ports[place].1.saturating_add(packets),
            Err(place) if self.ports.len() < MOST_PORTS => self.ports.insert(place, (port, packets)),
            Err(_) => {
                self.ports.sort_unstable_by(|(one, a), (other, b)| b.cmp(a).then(one.cmp(other)));
                self.ports.truncate(MOST_PORTS / 2);
                self.ports.push((port, packets));
                self.ports.sort_unstable();
            }
        }
    }

    const fn parts(&self) -> usize {
        self.days.len() + self.ports.len()
    }
}

impl SourceCounter for Victims {
    fn matches(&self) -> &[Match] {
        &self.matches
    }

    fn take(&mut self, day: usize, row: &SourceRow<'_>) {
        self.packets = self.packets.saturating_add(row.packets);
        let day = u32::try_from(day).unwrap_or(u32::MAX);
        // Rows of one victim on one day follow each other: where others go before the first of them, nobody's day is cut.
        if !self.all.contains_key(&row.source) {
            while self.is_full() {
                self.cut();
            }
        }
        let known_from = if self.is_cut { day } else { 0 };
        let new = || Victim { known_from, ..Victim::default() };
        let victim = self.all.entry(row.source).or_insert_with(new);
        let parts = victim.parts();
        victim.packets = victim.packets.saturating_add(row.packets);
        victim.region = row.region;
        match victim.days.last_mut() {
            Some((last, packets)) if *last == day => *packets = packets.saturating_add(row.packets),
            _ => victim.days.push((day, row.packets)),
        }
        if let Selector::Port(port) = row.service {
            let sum = self.ports.entry(port).or_default();
            *sum = sum.saturating_add(row.packets);
            victim.add_port(port, row.packets);
        }
        self.parts = self.parts + victim.parts() - parts;
    }
}

impl Victims {
    pub fn new(matches: Vec<Match>) -> Self {
        Self {
            matches,
            all: HashMap::new(),
            ports: BTreeMap::new(),
            packets: 0,
            parts: 0,
            most: MOST_VICTIMS,
            most_parts: MOST_PARTS,
            is_cut: false,
        }
    }

    fn is_full(&self) -> bool {
        let has_too_many_parts = self.parts >= self.most_parts && self.all.len() > LEAST_VICTIMS;
        self.all.len() >= self.most || has_too_many_parts
    }

    /// Forgets half of them.
    fn cut(&mut self) {
        let mut packets: Vec<u64> = self.all.values().map(|victim| victim.packets).collect();
        let middle = packets.len() / 2;
        let (_, least, _) = packets.select_nth_unstable(middle);
        let least = *least;
        self.all.retain(|_, victim| victim.packets > least);
        // The room of what went is given back with it.
        self.all.shrink_to_fit();
        self.parts = self.all.values().map(Victim::parts).sum();
        self.is_cut = true;
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use sensor_ebpf::abi::TrafficClass;

    use super::super::top_ports;
    use super::*;
    use crate::store::{Day, SensorsSeen};

    fn row(day: u32, number: u32, port: u16, packets: u64) -> SourceRow<'static> {
        SourceRow {
            day: Day(20_000 + day),
            source: Ipv4Addr::from_bits(0xc000_0200 + number).into(),
            protocol: 6,
            class: TrafficClass::BackscatterRst,
            service: Selector::Port(port),
            region: *b"JP",
            regions_version: 0,
            signatures: 0,
            window: None,
            packets,
            first_seen: 0,
            last_seen: 0,
            sensors: SensorsSeen::One(1),
            is_shared: false,
        }
    }

    #[test]
    fn those_with_the_most_packets_are_remembered() {
        let mut victims = Victims::new(Vec::new());
        victims.most = 10;
        for number in 0..40_u32 {
            let day = number / 20;
            victims.take(day as usize, &row(day, number, 443, if number == 3 { 100 } else { 1 }));
        }
        // One that had gone is there again, and nobody knows of its days before.
        victims.take(5, &row(5, 0, 443, 7));
        assert!(victims.is_cut && victims.all.len() <= 10);
        let victim = |address: &str| &victims.all[&address.parse::<IpAddr>().unwrap()];
        assert_eq!((victim("192.0.2.3").packets, victim("192.0.2.3").known_from), (100, 0));
        assert_eq!((victim("192.0.2.0").packets, victim("192.0.2.0").known_from), (7, 5));
        assert_eq!((victims.packets, victims.ports[&443]), (146, 146));
    }

    #[test]
    fn a_victim_of_all_ports_takes_no_more_room() {
        let mut victims = Victims::new(Vec::new());
        for port in 0..=u16::MAX {
            victims.take(0, &row(0, 1, port, if port == 443 { 1_000 } else { 1 }));
            victims.take(0, &row(0, 1, 443, 1));
        }
        let victim = victims.all.values().next().unwrap();
        assert!(victim.ports.len() <= MOST_PORTS && victim.ports.is_sorted_by_key(|(port, _)| *port));
        assert_eq!(top_ports(victim.ports.iter().copied(), 1), [(443, 1_000 + 65_536)]);
        assert_eq!(victims.parts, victim.parts());
        // However many days and ports there are of others.
        victims.most_parts = 3_000;
        for number in 0..5_000 {
            victims.take(1, &row(1, number, 80, u64::from(number) + 1));
        }
        assert!(victims.parts <= 3_000 + MOST_PORTS && victims.all.len() >= 500, "{}", victims.parts);
        assert_eq!(victims.parts, victims.all.values().map(Victim::parts).sum::<usize>());
    }
}
