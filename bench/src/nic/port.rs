//! The interface under test: what it is, and whether it is free.

use std::fs;
use std::io::ErrorKind;

use anyhow::{Result, ensure};
use nix::net::if_::if_indextoname;
use sensor_user::interface::{AttachedProgram, Interface};
use sensor_user::table::grouped;
use testbed::Statistics;

/// An interface that is up.
pub struct Port {
    interface: Interface,
}

impl Port {
    /// An interface with nothing attached to it.
    pub fn open(name: &str) -> Result<Self> {
        let port = Self::up(name)?;
        if let Some(AttachedProgram { identifier, .. }) = port.program()? {
            let number = identifier.map_or_else(String::new, |identifier| format!(" (number {identifier})"));
            anyhow::bail!(
                "{0} has an XDP program already{number}, which stays as it is: detach it first, a sensor with \
                 `apus-sensor detach`, or measure on another interface (`ip -d link show dev {0}` names it)",
                port.name()
            );
        }
        Ok(port)
    }

    /// An interface, whatever is attached to it.
    pub fn up(name: &str) -> Result<Self> {
        let interface = Interface::find(name)?;
        let link = interface.link()?;
        let Interface { name, .. } = &interface;
        ensure!(link.up, "{name} is down: `ip link set dev {name} up`");
        ensure!(link.carrier, "{name} is up, but without carrier: connect its other end");
        Ok(Self { interface })
    }

    pub fn name(&self) -> &str {
        &self.interface.name
    }

    pub fn index(&self) -> u32 {
        self.interface.index
    }

    /// The XDP program that is attached, by the kernel's word.
    pub fn program(&self) -> Result<Option<AttachedProgram>> {
        Ok(self.interface.link()?.xdp)
    }

    /// What the interface has counted so far.
    pub fn statistics(&self) -> Result<Statistics> {
        let found = Statistics::here(self.name())?;
        found.ok_or_else(|| anyhow::anyhow!("{} is not in /proc/net/dev: it is gone", self.name()))
    }

    /// The bridge, bond or other device that it is a port of.
    pub fn master(&self) -> Result<Option<String>> {
        let name = |index| match if_indextoname(index) {
            Ok(name) => name.to_string_lossy().into_owned(),
            // It may be in another network namespace.
            Err(_) => format!("device {index}"),
        };
        Ok(self.interface.link()?.master.map(name))
    }

    /// The first of `ipv4` and `ipv6` whose packets that come in by it are passed on to other hosts.
    pub fn forwards(&self) -> Result<Option<&'static str>> {
        for version in ["ipv4", "ipv6"] {
            match fs::read_to_string(format!("/proc/sys/net/{version}/conf/{}/forwarding", self.name())) {
                Ok(text) if text.trim() != "0" => return Ok(Some(version)),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(None)
    }

    /// Driver, speed, queues, and the memory that it is next to.
    pub fn facts(&self) -> String {
        let driver = self.interface.driver().unwrap_or_else(|| "unknown".into());
        let speed = self.interface.speed().map_or_else(
            || "of unknown speed".into(),
            |megabits| format!("{} Mbit/s", grouped(megabits.into())),
        );
        let queues = self.interface.channels().map_or_else(
            || "an unknown number of receive queues".into(),
            |channels| format!("receive queues {} of {}", channels.receive, channels.receive_maximum),
        );
        let node = self.interface.bus().and_then(|bus| numa_node(&bus));
        let node = node.map_or_else(|| "no NUMA node told".into(), |node| format!("NUMA node {node}"));
        format!("{}: driver {driver}, {speed}, {queues}, {node}", self.name())
    }
}

/// By the device's place on its bus, for `/sys/class/net` may be another network namespace's. A machine with
/// one node says -1.
fn numa_node(bus: &str) -> Option<u32> {
    let text = fs::read_to_string(format!("/sys/bus/pci/devices/{bus}/numa_node")).ok()?;
    text.trim().parse().ok()
}
