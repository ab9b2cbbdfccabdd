//! Whether an interface is fit, from facts about it.

use std::net::IpAddr;

use ipnet::IpNet;

use super::facts::Memory;
use super::line::{Line, PERMISSION};
use crate::config::Mode;
use crate::interface::{Channels, Interface, InterfaceError, Link};

/// The largest MTU that drivers take natively with frames in one buffer: a page of 4 KiB, less what
/// they keep free before a frame and the kernel needs after it.
const LARGEST_SINGLE_BUFFER_MTU: u32 = 3498;
/// From so many CPUs on, a single queue is worth a word.
const MANY_CPUS: u32 = 4;

pub fn missing(error: &InterfaceError) -> Line {
    Line::fail("interface", error.to_string(), "name one that exists")
}

pub fn link(interface: &Interface, link: Link) -> Line {
    const CHECK: &str = "interface";
    let Interface { name, index } = interface;
    if !link.up {
        return Line::warn(CHECK, format!("number {index}, down"), format!("ip link set dev {name} up"));
    }
    if !link.carrier {
        return Line::warn(
            CHECK,
            format!("number {index}, up, but without carrier"),
            "connect its other end",
        );
    }
    Line::pass(CHECK, format!("number {index}, up"))
}

pub fn driver(driver: Option<String>) -> Line {
    Line::pass("driver", driver.unwrap_or_else(|| "none that it tells, as some virtual interfaces".into()))
}

/// `multi_buffer` is whether the kernel has it, where that is known.
pub fn mtu(interface: &Interface, mtu: u32, mode: Mode, multi_buffer: Option<bool>) -> Line {
    const CHECK: &str = "MTU";
    let name = &interface.name;
    if mtu <= LARGEST_SINGLE_BUFFER_MTU || mode == Mode::Generic {
        return Line::pass(CHECK, mtu.to_string());
    }
    match multi_buffer {
        Some(true) => Line::pass(
            CHECK,
            format!("{mtu}: jumbo frames, natively where the driver takes them in several buffers"),
        ),
        Some(false) => Line::warn(
            CHECK,
            format!("{mtu}: jumbo frames, which without multi-buffer XDP no driver takes natively"),
            format!(
                "ip link set dev {name} mtu {LARGEST_SINGLE_BUFFER_MTU}, or Linux 5.18, or --mode generic"
            ),
        ),
        None => Line::warn(
            CHECK,
            format!("{mtu}: jumbo frames; what the kernel does with them is not known"),
            PERMISSION,
        ),
    }
}

pub fn queues(interface: &Interface, channels: Option<Channels>, memory: &Memory) -> Line {
    const CHECK: &str = "receive queues";
    let Some(Channels { receive, receive_maximum, combined }) = channels else {
        return Line::pass(CHECK, "the driver tells no number");
    };
    let Memory { slots, cpus, cpus_online, .. } = *memory;
    let exclusive = slots.exclusive();
    if cpus.online_end > exclusive && receive > exclusive {
        return Line::warn(
            CHECK,
            format!(
                "{receive}, but only {exclusive} CPUs with counters of their own: the others share, which is slower"
            ),
            format!("--counter-cpus {}, for more memory", receive.min(cpus.online_end)),
        );
    }
    if receive == 1 && cpus_online >= MANY_CPUS {
        let found = format!("1 for {cpus_online} CPUs: a single CPU takes every packet");
        let wanted = receive_maximum.min(cpus_online);
        return if wanted > 1 {
            let which = if combined { "combined" } else { "rx" };
            Line::warn(CHECK, found, format!("ethtool -L {} {which} {wanted}", interface.name))
        } else {
            Line::warn(CHECK, found, "none by ethtool: the device or the virtual machine has to offer more")
        };
    }
    Line::pass(CHECK, format!("{receive} of at most {receive_maximum}, {cpus_online} CPUs online"))
}

/// Only where packets to observed destinations are dropped.
pub fn own_addresses(addresses: &[IpAddr], observed: &[IpNet]) -> Line {
    const CHECK: &str = "own addresses";
    let dropped: Vec<String> = addresses
        .iter()
        .filter(|address| observed.iter().any(|prefix| prefix.contains(*address)))
        .map(ToString::to_string)
        .collect();
    if dropped.is_empty() {
        return Line::pass(CHECK, "none is among those whose packets are dropped");
    }
    Line::warn(
        CHECK,
        format!("packets to this host's own {} are dropped", dropped.join(", ")),
        "observe other addresses, or --action pass",
    )
}
