//! How many connections of those who look there may be, and which one goes where another needs its place.
//!
//! Who has not been let in goes first, and of the others who has the most: so that nobody keeps everybody else out, neither by
//! connections that ask nothing nor by many that do.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::counters::Counters;

/// Connections at once.
pub const MOST: usize = 256;
/// Of one address (of IPv6, a /64): a browser has six. Behind a loopback address there may be a proxy, and many people.
const MOST_OF_ADDRESS: usize = 16;
const MOST_OF_LOOPBACK: usize = 128;

#[derive(Debug, Default)]
pub struct Connections {
    state: Mutex<State>,
    counters: Arc<Counters>,
}

#[derive(Debug, Default)]
struct State {
    /// Numbers grow with time, so that the lowest is the oldest.
    next: u64,
    open: BTreeMap<u64, One>,
}

#[derive(Debug)]
struct One {
    network: IpAddr,
    is_let_in: bool,
    pushed_out: Arc<Notify>,
}

/// A place for one connection, until it is dropped.
#[derive(Debug)]
pub struct Ticket {
    connections: Arc<Connections>,
    number: u64,
    pushed_out: Arc<Notify>,
}

impl Connections {
    /// None yet, of which is counted how many there are.
    pub fn new(counters: Arc<Counters>) -> Self {
        Self { state: Mutex::default(), counters }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for a connection from an address, for which another one may have to go.
    pub fn admit(self: &Arc<Self>, address: IpAddr) -> Arc<Ticket> {
        let network = crate::serve::network(address);
        let mut state = self.state();
        let most = if network.is_loopback() { MOST_OF_LOOPBACK } else { MOST_OF_ADDRESS };
        if state.open.values().filter(|one| one.network == network).count() >= most {
            let least = state.least(Some(network));
            state.push_out(least);
        }
        if state.open.len() >= MOST {
            let least = state.least(None);
            state.push_out(least);
        }
        let number = state.next;
        state.next += 1;
        let pushed_out = Arc::new(Notify::new());
        state.open.insert(number, One { network, is_let_in: false, pushed_out: Arc::clone(&pushed_out) });
        self.counters.connections.set(state.open.len());
        Arc::new(Ticket { connections: Arc::clone(self), number, pushed_out })
    }
}

impl State {
    /// Who goes first, of a network or of all: the oldest that was not let in, or else the oldest of those that have the most.
    fn least(&self, network: Option<IpAddr>) -> Option<u64> {
        let mut meant =
            self.open.iter().filter(|(_, one)| network.is_none_or(|network| one.network == network));
        if let Some((number, _)) = meant.clone().find(|(_, one)| !one.is_let_in) {
            return Some(*number);
        }
        let mut many: HashMap<IpAddr, usize> = HashMap::new();
        for one in self.open.values() {
            *many.entry(one.network).or_default() += 1;
        }
        let most = meant.clone().filter_map(|(_, one)| many.get(&one.network)).max().copied();
        meant.find(|(_, one)| many.get(&one.network).copied() == most).map(|(number, _)| *number)
    }

    fn push_out(&mut self, number: Option<u64>) {
        if let Some(one) = number.and_then(|number| self.open.remove(&number)) {
            one.pushed_out.notify_one();
        }
    }
}

impl Ticket {
    /// One of its requests was let in.
    pub fn let_in(&self) {
        if let Some(one) = self.connections.state().open.get_mut(&self.number) {
            one.is_let_in = true;
        }
    }

    pub fn is_let_in(&self) -> bool {
        self.connections.state().open.get(&self.number).is_some_and(|one| one.is_let_in)
    }

    /// Waits until another takes the place.
    pub async fn pushed_out(&self) {
        self.pushed_out.notified().await;
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut state = self.connections.state();
        state.open.remove(&self.number);
        self.connections.counters.connections.set(state.open.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(connections: &Connections) -> Vec<u64> {
        connections.state().open.keys().copied().collect()
    }

    #[test]
    fn an_address_has_some_and_its_oldest_that_was_not_let_in_goes() {
        let connections = Arc::new(Connections::default());
        let mut tickets: Vec<_> = (0..16).map(|_| connections.admit("192.0.2.1".parse().unwrap())).collect();
        tickets[0].let_in();
        tickets.push(connections.admit("192.0.2.1".parse().unwrap()));
        assert_eq!(numbers(&connections), [0].into_iter().chain(2..=16).collect::<Vec<_>>());
        assert!(tickets[0].is_let_in() && !tickets[1].is_let_in());
        // A host has a network of IPv6.
        for host in 0..20_u16 {
            let address = std::net::Ipv6Addr::new(0x2001, 0xdb8, 0, 0, host, 0, 0, 1);
            tickets.push(connections.admit(address.into()));
        }
        assert_eq!(numbers(&connections).len(), 32);
        for _ in 0..200 {
            tickets.push(connections.admit("127.0.0.1".parse().unwrap()));
        }
        assert_eq!(numbers(&connections).len(), 32 + MOST_OF_LOOPBACK);
        assert_eq!(connections.counters.connections.get(), 32 + MOST_OF_LOOPBACK as u64);
        drop(tickets);
        assert_eq!(numbers(&connections), [0; 0]);
        assert_eq!(connections.counters.connections.get(), 0);
    }

    #[test]
    fn whoever_comes_finds_a_place() {
        let connections = Arc::new(Connections::default());
        let address = |number: u32| IpAddr::from(std::net::Ipv4Addr::from_bits(0xc633_6400 + number));
        let mut tickets = Vec::new();
        for number in 0..MOST as u32 {
            let ticket = connections.admit(address(if number < 10 { 0 } else { number }));
            ticket.let_in();
            tickets.push(ticket);
        }
        // Of those that were let in, who has most has one less.
        tickets.push(connections.admit(address(1_000)));
        assert_eq!((numbers(&connections).len(), numbers(&connections)[0]), (MOST, 1));
        // Who was not goes before all of them.
        tickets.push(connections.admit(address(1_001)));
        let numbers = numbers(&connections);
        assert_eq!((numbers.len(), numbers[0], numbers.last()), (MOST, 1, Some(&(MOST as u64 + 1))));
        assert!(!numbers.contains(&(MOST as u64)));
    }
}
