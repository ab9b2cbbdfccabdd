//! What a person should know about how attaching went.

use std::fmt;

use sensor_ebpf::abi::AttachMode;

use crate::program::Rings;
use crate::table::grouped;

/// What a person should know about how it went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A pinned set was found, and its counters go on.
    Resumed,
    /// It had another configuration or an older program, which was replaced while counting went on.
    Replaced,
    /// Rings that were made, and how large.
    Rings(Rings),
    /// An interface that was attached already.
    Kept {
        interface: String,
    },
    Attached {
        interface: String,
        driver: String,
        mode: AttachMode,
    },
    /// Native mode was not to be had, for this reason.
    FellBack {
        interface: String,
        reason: String,
    },
    /// An interface that is no longer configured, or no longer there.
    Removed {
        interface: String,
    },
    /// The host's own address is among those whose packets are dropped.
    OwnAddressDropped {
        interface: String,
        address: std::net::IpAddr,
    },
}

impl fmt::Display for Notice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: String = match self {
            Notice::Resumed => "found a pinned sensor; its counters go on".into(),
            Notice::Replaced => "its configuration or program was another one, and is replaced".into(),
            Notice::Rings(rings) => format!(
                "rings of {} IPv4 and {} IPv6 digests on each of {} CPUs, {} MiB in all",
                grouped(rings.records.into()),
                grouped(rings.records_ipv6.into()),
                rings.cpus,
                rings.kernel_memory() >> 20
            ),
            Notice::Kept { interface } => format!("attached to {interface} already"),
            Notice::Attached { interface, driver, mode } => {
                let mode = match mode {
                    AttachMode::Native => "native",
                    AttachMode::Generic => "generic",
                };
                format!("attached to {interface} ({mode}, driver {driver})")
            }
            Notice::FellBack { interface, reason } => {
                format!(
                    "warning: {interface} does not take XDP natively ({reason}); in the network stack it is slower"
                )
            }
            Notice::Removed { interface } => format!("no longer attached to {interface}"),
            Notice::OwnAddressDropped { interface, address } => {
                format!("warning: packets to {address}, this host's own address on {interface}, are dropped")
            }
        };
        formatter.write_str(&words)
    }
}
