//! How many connections there may be, and whose.
//!
//! Who has shown no certificate takes a place only until it is needed: another connection pushes out one that has said
//! nothing for a second, or else the oldest, of the same address first. So connections that say nothing stand in nobody's
//! way, and least in that of a handshake over a slow line. A sensor's further connection pushes out
//! its own oldest, which may be one that died unnoticed.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::config::LimitSettings;

/// How long who has connected may say nothing before others: as long as a first byte takes from anywhere. Without it, those
/// who have sent one byte would push out whoever comes next.
const SILENCE: Duration = Duration::from_secs(1);

/// All connections.
#[derive(Debug)]
pub struct Connections {
    most: usize,
    most_per_sensor: usize,
    most_waiting: usize,
    most_waiting_per_address: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Numbers grow with time, so that the lowest is the oldest.
    next: u64,
    open: usize,
    /// Without a certificate yet.
    waiting: BTreeMap<u64, Waiting>,
    sensors: HashMap<Arc<str>, BTreeMap<u64, Arc<Notify>>>,
}

/// A connection that has shown no certificate.
#[derive(Debug)]
struct Waiting {
    network: IpAddr,
    since: Instant,
    has_spoken: bool,
    pushed_out: Arc<Notify>,
}

/// A place for one connection, until it is dropped.
#[derive(Debug)]
pub struct Ticket {
    connections: Arc<Connections>,
    number: u64,
    sensor: Option<Arc<str>>,
    pushed_out: Arc<Notify>,
}

impl Connections {
    /// `room` is how many this process can have open.
    pub fn new(limits: &LimitSettings, room: usize) -> Self {
        Self {
            most: room,
            most_per_sensor: limits.connections_per_sensor,
            most_waiting: limits.handshakes,
            most_waiting_per_address: limits.handshakes_per_address,
            state: Mutex::default(),
        }
    }

    /// A place for a connection from an address; none where all are taken by those with certificates.
    pub fn admit(self: &Arc<Self>, address: IpAddr) -> Option<Ticket> {
        self.admit_at(address, Instant::now())
    }

    fn admit_at(self: &Arc<Self>, address: IpAddr, now: Instant) -> Option<Ticket> {
        let network = network(address);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mine = state.waiting.values().filter(|one| one.network == network).count();
        if mine >= self.most_waiting_per_address {
            let least = state.least(now, |one| one.network == network);
            state.push_out(least);
        }
        if state.waiting.len() >= self.most_waiting || state.open >= self.most {
            let least = state.least(now, |_| true);
            if least.is_none() && state.open >= self.most {
                return None;
            }
            state.push_out(least);
        }
        let number = state.next;
        state.next += 1;
        state.open += 1;
        let pushed_out = Arc::new(Notify::new());
        let waiting = Waiting { network, since: now, has_spoken: false, pushed_out: Arc::clone(&pushed_out) };
        state.waiting.insert(number, waiting);
        Some(Ticket { connections: Arc::clone(self), number, sensor: None, pushed_out })
    }

    /// How many are open.
    pub fn open(&self) -> usize {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).open
    }

    /// Ends every connection.
    pub fn push_out_all(&self) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let of_sensors = state.sensors.values().flat_map(BTreeMap::values);
        let waiting = state.waiting.values().map(|one| &one.pushed_out);
        waiting.chain(of_sensors).for_each(|one| one.notify_one());
    }
}

impl State {
    /// Who goes first: the oldest of those that have said nothing for a while, or else of all.
    fn least(&self, now: Instant, is_meant: impl Fn(&Waiting) -> bool) -> Option<u64> {
        let mut meant = self.waiting.iter().filter(|(_, one)| is_meant(one));
        let is_silent =
            |one: &Waiting| !one.has_spoken && now.saturating_duration_since(one.since) >= SILENCE;
        let silent = meant.clone().find(|(_, one)| is_silent(one));
        silent.or_else(|| meant.next()).map(|(number, _)| *number)
    }

    fn push_out(&mut self, number: Option<u64>) {
        if let Some(one) = number.and_then(|number| self.waiting.remove(&number)) {
            one.pushed_out.notify_one();
        }
    }
}

/// What counts as one address: of IPv6 a /64, which is what a single host is given.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) if !address.is_loopback() => IpAddr::V6((address.to_bits() >> 64 << 64).into()),
        address => address,
    }
}

impl Ticket {
    /// The connection has sent something.
    pub fn speak(&self) {
        let mut state = self.connections.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(one) = state.waiting.get_mut(&self.number) {
            one.has_spoken = true;
        }
    }

    /// The connection has shown a sensor's certificate.
    pub fn identify(&mut self, sensor: &Arc<str>) {
        let mut state = self.connections.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.waiting.remove(&self.number).is_none() {
            // It has been told to end.
            return;
        }
        let mine = state.sensors.entry(Arc::clone(sensor)).or_default();
        if mine.len() >= self.connections.most_per_sensor
            && let Some((_, oldest)) = mine.pop_first()
        {
            oldest.notify_one();
        }
        mine.insert(self.number, Arc::clone(&self.pushed_out));
        self.sensor = Some(Arc::clone(sensor));
    }

    /// Waits until another takes the place.
    pub async fn pushed_out(&self) {
        self.pushed_out.notified().await;
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut state = self.connections.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.open -= 1;
        state.waiting.remove(&self.number);
        let Some(sensor) = &self.sensor else { return };
        if let Some(mine) = state.sensors.get_mut(sensor) {
            mine.remove(&self.number);
            if mine.is_empty() {
                state.sensors.remove(sensor);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Options;

    fn connections(most: usize) -> Arc<Connections> {
        let mut limits = Options::default().resolve().unwrap().limits;
        (limits.handshakes, limits.handshakes_per_address, limits.connections_per_sensor) = (4, 2, 2);
        Arc::new(Connections::new(&limits, most))
    }

    fn waiting(connections: &Connections) -> Vec<u64> {
        connections.state.lock().unwrap().waiting.keys().copied().collect()
    }

    #[test]
    fn the_oldest_silent_connection_of_an_address_makes_room_for_the_next() {
        let connections = connections(100);
        let address = |text: &str| text.parse().unwrap();
        let mut tickets = Vec::new();
        for text in
            ["192.0.2.1", "::ffff:192.0.2.1", "192.0.2.1", "2001:db8::1", "2001:db8::2", "2001:db8::3"]
        {
            tickets.push(connections.admit(address(text)).unwrap());
        }
        assert_eq!(waiting(&connections), [1, 2, 4, 5]);
        tickets.push(connections.admit(address("198.51.100.1")).unwrap());
        assert_eq!(waiting(&connections), [2, 4, 5, 6], "the oldest of all, where no address has too many");
        tickets.clear();
        assert_eq!((waiting(&connections).len(), connections.open()), (0, 0));
    }

    #[test]
    fn who_says_nothing_goes_before_who_is_in_a_handshake() {
        let connections = connections(100);
        let (begin, address) = (Instant::now(), |text: &str| text.parse().unwrap());
        let mut tickets: Vec<Ticket> = ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"]
            .map(|text| connections.admit_at(address(text), begin).unwrap())
            .into();
        tickets[0].speak();
        tickets[2].speak();
        // All of them may be on a slow line.
        tickets.push(connections.admit_at(address("192.0.2.5"), begin + SILENCE / 2).unwrap());
        assert_eq!(waiting(&connections), [1, 2, 3, 4], "the oldest of all");
        let later = begin + SILENCE;
        tickets.push(connections.admit_at(address("192.0.2.6"), later).unwrap());
        assert_eq!(waiting(&connections), [2, 3, 4, 5], "the oldest that is silent");
        tickets.push(connections.admit_at(address("192.0.2.7"), later).unwrap());
        assert_eq!(waiting(&connections), [2, 4, 5, 6], "a younger one that is silent");
        // Who has sent one byte and then waits does not push out those that come, either.
        tickets.push(connections.admit_at(address("192.0.2.8"), later).unwrap());
        assert_eq!(waiting(&connections), [4, 5, 6, 7]);
        // Of one address the same.
        tickets.push(connections.admit_at(address("192.0.2.8"), later).unwrap());
        tickets[7].speak();
        tickets.push(connections.admit_at(address("192.0.2.8"), later + SILENCE).unwrap());
        assert_eq!(waiting(&connections), [5, 6, 7, 9]);
    }

    #[test]
    fn sensors_are_not_pushed_out_by_others() {
        let connections = connections(3);
        let address: IpAddr = "192.0.2.1".parse().unwrap();
        let mut sensors = Vec::new();
        for name in ["a", "b", "c"] {
            let mut ticket = connections.admit(address).unwrap();
            ticket.identify(&Arc::from(name));
            sensors.push(ticket);
        }
        assert!(connections.admit(address).is_none());
        sensors.pop();
        let mut ticket = connections.admit(address).unwrap();
        ticket.identify(&Arc::from("a"));
        assert_eq!(connections.state.lock().unwrap().sensors[&Arc::<str>::from("a")].len(), 2);
        drop((sensors, ticket));
        assert!(connections.state.lock().unwrap().sensors.is_empty());
    }
}
