//! Network interfaces, and what the kernel says of them.
//!
//! Through sockets, never through `/sys/class/net`: inside a network namespace that may show another one.

mod ethtool;
mod netlink;

use std::io;
use std::net::IpAddr;

use nix::errno::Errno;
use nix::ifaddrs::getifaddrs;
use nix::net::if_::{if_indextoname, if_nameindex, if_nametoindex};
use nix::sys::socket::{SockaddrLike as _, SockaddrStorage};

/// Why nothing can be said of an interface.
#[derive(Debug, thiserror::Error)]
pub enum InterfaceError {
    #[error("there is no interface {name}; there is {}", .existing.join(", "))]
    Missing { name: String, existing: Vec<String> },
    #[error("cannot look for interface {name}: {source}")]
    Lookup { name: String, source: io::Error },
    #[error("the kernel does not tell about interface {name}: {source}")]
    Untold { name: String, source: io::Error },
}

/// A network interface of this network namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    pub name: String,
    pub index: u32,
}

/// Queues that packets come in by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Channels {
    /// Receive queues, with or without sending on them too.
    pub receive: u32,
    /// How many there could be.
    pub receive_maximum: u32,
    /// Whether queues both receive and send, which decides how `ethtool -L` is told their number.
    pub combined: bool,
}

/// State of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// Switched on by the administrator.
    pub up: bool,
    /// And connected to something.
    pub carrier: bool,
    pub mtu: u32,
    /// Index of the bridge, bond or other device that it is a port of.
    pub master: Option<u32>,
    /// The XDP program that is attached.
    pub xdp: Option<AttachedProgram>,
}

impl Interface {
    /// Whether this XDP program is on the interface. A pinned link does not tell: it outlives a device that is
    /// gone, and its name may be another device's, or another network namespace's.
    #[must_use]
    pub fn has_program(&self, identifier: u32) -> Option<Place> {
        let attached = self.link().ok()?.xdp?;
        (attached.identifier == Some(identifier)).then_some(attached.place)
    }
}

/// An XDP program on an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttachedProgram {
    pub place: Place,
    /// The kernel's number for it; none where several are attached.
    pub identifier: Option<u32>,
}

/// Where an XDP program runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the driver.
    Native,
    /// In the network stack.
    Generic,
    /// In the device.
    Hardware,
    /// In several of these.
    Several,
}

impl Interface {
    /// The interface of that name, or of that alternative name.
    ///
    /// # Errors
    /// Where there is none; the message names those that exist.
    pub fn find(name: &str) -> Result<Self, InterfaceError> {
        let index = if_nametoindex(name).map_err(|error| match error {
            // What the kernel says to a name that is too long for any interface.
            Errno::ENODEV | Errno::EINVAL | Errno::ENAMETOOLONG => {
                InterfaceError::Missing { name: name.into(), existing: existing() }
            }
            error => InterfaceError::Lookup { name: name.into(), source: error.into() },
        })?;
        // Its first name, under which its addresses are listed.
        let first_name = if_indextoname(index).map(|first| first.to_string_lossy().into_owned());
        Ok(Self { name: first_name.unwrap_or_else(|_| name.into()), index })
    }

    /// The driver's name; a virtual interface may have none.
    #[must_use]
    pub fn driver(&self) -> Option<String> {
        ethtool::driver(&self.name).ok().filter(|driver| !driver.is_empty())
    }

    /// Where on its bus the device is; a virtual interface is on none.
    #[must_use]
    pub fn bus(&self) -> Option<String> {
        ethtool::bus(&self.name).ok().filter(|bus| !bus.is_empty())
    }

    /// Megabits per second, where the device knows.
    #[must_use]
    pub fn speed(&self) -> Option<u32> {
        ethtool::speed(&self.name).ok().flatten()
    }

    /// The queues in use, where the driver tells.
    #[must_use]
    pub fn channels(&self) -> Option<Channels> {
        ethtool::channels(&self.name).ok()
    }

    /// Its state now.
    ///
    /// # Errors
    /// Where it is gone, or the kernel's answer makes no sense.
    pub fn link(&self) -> Result<Link, InterfaceError> {
        netlink::link(self.index).map_err(|source| InterfaceError::Untold { name: self.name.clone(), source })
    }

    /// The host's own addresses on it. None where the kernel does not say.
    #[must_use]
    pub fn addresses(&self) -> Vec<IpAddr> {
        getifaddrs().map_or_else(
            |_| Vec::new(),
            |addresses| {
                addresses
                    .filter(|entry| entry.interface_name == self.name)
                    .filter_map(|entry| ip(entry.address.as_ref()?))
                    .collect()
            },
        )
    }
}

fn ip(address: &SockaddrStorage) -> Option<IpAddr> {
    match address.family()? {
        nix::sys::socket::AddressFamily::Inet => Some(address.as_sockaddr_in()?.ip().into()),
        nix::sys::socket::AddressFamily::Inet6 => Some(address.as_sockaddr_in6()?.ip().into()),
        _ => None,
    }
}

/// Names of all interfaces, for a message.
fn existing() -> Vec<String> {
    if_nameindex().map_or_else(
        |_| Vec::new(),
        |all| all.iter().map(|one| one.name().to_string_lossy().into_owned()).collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loopback_interface_is_found_with_its_facts() {
        let loopback = Interface::find("lo").unwrap();
        assert_eq!((loopback.name.as_str(), loopback.index), ("lo", 1));
        assert!(loopback.link().unwrap().mtu > 0);
        assert_eq!(loopback.channels(), None);
    }

    #[test]
    fn a_missing_interface_is_named_with_those_that_exist() {
        for name in ["apus-none", "a-name-longer-than-any-interface-has"] {
            let message = Interface::find(name).unwrap_err().to_string();
            assert!(message.starts_with(&format!("there is no interface {name}; there is ")), "{message}");
            assert!(message.contains("lo"), "{message}");
        }
    }

    #[test]
    fn an_interface_that_is_gone_is_an_error() {
        let gone = Interface { name: "gone".into(), index: i32::MAX.cast_unsigned() };
        assert!(gone.link().unwrap_err().to_string().contains("gone"));
        assert_eq!((gone.driver(), gone.addresses()), (None, Vec::new()));
    }
}
