//! A virtual cable between two namespaces.

use std::fs;
use std::thread;

use crate::{Error, Namespace, command};

/// Ethernet address of the end that sends; locally administered.
pub const GENERATOR_ADDRESS: [u8; 6] = [2, 0, 0, 0, 0, 1];
/// Ethernet address of the end that is observed.
pub const TELESCOPE_ADDRESS: [u8; 6] = [2, 0, 0, 0, 0, 2];

/// A pair of connected interfaces (veth), both up, without addresses.
///
/// It has a queue for each CPU, so that packets sent by one CPU are received on the same.
#[derive(Debug)]
pub struct Link<'a> {
    /// The end that the generator sends from.
    pub generator: End<'a>,
    /// The end where a sensor belongs.
    pub telescope: End<'a>,
    /// An interface of the sender's that is down, and whose other end is, too: no frame comes to it.
    pub(crate) parked: u32,
}

/// One interface of a link.
#[derive(Debug)]
pub struct End<'a> {
    pub namespace: &'a Namespace,
    pub interface: String,
    /// Its index, in its own namespace.
    pub index: u32,
}

/// What an interface has counted since it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statistics {
    pub received: u64,
    pub received_bytes: u64,
    pub received_dropped: u64,
    pub sent: u64,
    pub sent_bytes: u64,
    pub sent_dropped: u64,
}

impl<'a> Link<'a> {
    /// Connects two namespaces, which may be one.
    ///
    /// # Errors
    /// Where `ip` is absent or fails.
    pub fn between(sender: &'a Namespace, receiver: &'a Namespace) -> Result<Self, Error> {
        let (generator, telescope) =
            (sender.next_interface("generator"), receiver.next_interface("telescope"));
        let queues = thread::available_parallelism().map_err(Error::Cpus)?.to_string();
        let (generator_address, telescope_address) = (text(GENERATOR_ADDRESS), text(TELESCOPE_ADDRESS));
        let mut add = vec!["link", "add", &generator, "netns", sender.name(), "address", &generator_address];
        add.extend(["numtxqueues", &queues, "numrxqueues", &queues, "type", "veth"]);
        add.extend(["peer", "name", &telescope, "netns", receiver.name(), "address", &telescope_address]);
        add.extend(["numtxqueues", &queues, "numrxqueues", &queues]);
        command::ip(&add)?;
        let parked = park(sender)?;
        Ok(Self { generator: End::up(sender, generator)?, telescope: End::up(receiver, telescope)?, parked })
    }

    /// Lets the telescope's end take frames while no XDP program is attached in the driver, as a sensor
    /// in generic mode needs it.
    ///
    /// # Errors
    /// Where `ethtool` is absent or fails.
    pub fn receive_without_xdp(&self) -> Result<(), Error> {
        let End { namespace, interface, index: _ } = &self.telescope;
        namespace.run("ethtool", &["-K", interface, "gro", "on"]).map(drop)
    }
}

impl<'a> End<'a> {
    fn up(namespace: &'a Namespace, interface: String) -> Result<Self, Error> {
        namespace.run("ip", &["link", "set", "dev", &interface, "arp", "off", "up"])?;
        let index = index(namespace, &interface)?;
        Ok(Self { namespace, interface, index })
    }

    /// What this end has counted so far.
    ///
    /// # Errors
    /// Where the namespace does not tell.
    pub fn statistics(&self) -> Result<Statistics, Error> {
        // Not `/proc/net`, which is the process's: this thread is in another namespace.
        let table = self.namespace.within(|| fs::read_to_string("/proc/thread-self/net/dev"))?;
        table.ok().and_then(|table| Statistics::find(&table, &self.interface)).ok_or_else(|| {
            Error::Statistics { namespace: self.namespace.name().into(), interface: self.interface.clone() }
        })
    }
}

impl Statistics {
    /// What an interface of this thread's network namespace has counted so far; none where there is no such interface.
    ///
    /// # Errors
    /// Where `/proc` does not tell.
    pub fn here(interface: &str) -> std::io::Result<Option<Self>> {
        Ok(Self::find(&fs::read_to_string("/proc/thread-self/net/dev")?, interface))
    }

    /// The line of `interface` in `/proc/net/dev`: eight columns received, eight sent.
    fn find(table: &str, interface: &str) -> Option<Self> {
        let (_, line) = table
            .lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(name, _)| name.trim() == interface)?;
        let numbers: Vec<u64> = line.split_whitespace().map(str::parse).collect::<Result<_, _>>().ok()?;
        let &[
            received_bytes,
            received,
            _,
            received_dropped,
            _,
            _,
            _,
            _,
            sent_bytes,
            sent,
            _,
            sent_dropped,
            ..,
        ] = numbers.as_slice()
        else {
            return None;
        };
        Some(Self { received, received_bytes, received_dropped, sent, sent_bytes, sent_dropped })
    }
}

/// Makes a pair that stays down, and gives the index of one of its ends.
fn park(namespace: &Namespace) -> Result<u32, Error> {
    let (parked, other) = (namespace.next_interface("parked"), namespace.next_interface("parked"));
    let add = ["link", "add", &parked, "netns", namespace.name(), "type", "veth"];
    command::ip(&[&add[..], &["peer", "name", &other, "netns", namespace.name()]].concat())?;
    index(namespace, &parked)
}

fn index(namespace: &Namespace, interface: &str) -> Result<u32, Error> {
    namespace.within(|| nix::net::if_::if_nametoindex(interface))?.map_err(|errno| Error::Namespace {
        what: "find the link in",
        name: namespace.name().into(),
        source: errno.into(),
    })
}

fn text(address: [u8; 6]) -> String {
    address.map(|byte| format!("{byte:02x}")).join(":")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_are_those_of_the_named_interface() {
        let table = "Inter-|   Receive  |  Transmit\n face |bytes packets ...\n    \
                     lo:  1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n \
                     telescope0: 640 10 0 1 0 0 0 0 128 2 0 3 0 0 0 0\n";
        let expected = Statistics {
            received: 10,
            received_bytes: 640,
            received_dropped: 1,
            sent: 2,
            sent_bytes: 128,
            sent_dropped: 3,
        };
        assert_eq!(Statistics::find(table, "telescope0"), Some(expected));
        assert_eq!(Statistics::find(table, "telescope"), None);
    }
}
