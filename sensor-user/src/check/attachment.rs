//! Whether the sensor attaches to an interface, from a trial or from what is attached.

use std::io;

use sensor_ebpf::abi::AttachMode;

use super::line::{Line, PERMISSION};
use crate::config::Mode;
use crate::interface::{AttachedProgram, Interface, Place};

const NATIVE: &str = "native XDP";
const GENERIC: &str = "generic XDP";
const ATTACHED: &str = "XDP program";

/// A program that is on the interface already; `ours` is whether it is the pinned sensor's.
pub fn attached(interface: &Interface, program: AttachedProgram, ours: bool, name: Option<&str>) -> Line {
    let place = match program.place {
        Place::Native => "natively",
        Place::Generic => "in generic mode",
        Place::Hardware => "in the device",
        Place::Several => "several times",
    };
    if ours && program.place == Place::Generic {
        return Line::warn(
            ATTACHED,
            "the sensor is attached already, in generic mode, which is slower than native",
            "where the driver takes XDP natively, `apus-sensor detach` and run again",
        );
    }
    if ours {
        return Line::pass(ATTACHED, format!("the sensor is attached already, {place}"));
    }
    let number = program.identifier.map_or_else(String::new, |identifier| format!(", number {identifier}"));
    let remedy = if name.is_some_and(|name| name.starts_with("sensor")) {
        "where it is a sensor pinned elsewhere, name its --pin-directory, or detach it there".into()
    } else {
        // Of the two ways to attach, each is undone in its own.
        let device = &interface.name;
        format!("stop what attached it, or remove its pinned link, or `ip link set dev {device} xdp off`")
    };
    let name = name.map_or_else(String::new, |name| format!(", named {name}"));
    Line::fail(ATTACHED, format!("another is attached already, {place}{number}{name}"), remedy)
}

/// Nothing attached, and nothing tried.
pub fn untried(why: &str, remedy: &str) -> Line {
    Line::warn(ATTACHED, format!("none is attached; whether one can be was not tried: {why}"), remedy)
}

/// The program could not be loaded, so it cannot be attached.
pub fn unloaded() -> Line {
    Line::fail(ATTACHED, "none is attached, and the sensor's own cannot be loaded", "see sensor program")
}

/// Tries the modes that `mode` allows, in its order, by `attempt`.
pub fn trial(
    interface: &Interface,
    mode: Mode,
    mut attempt: impl FnMut(AttachMode) -> io::Result<()>,
) -> Vec<Line> {
    let mut lines = Vec::new();
    if mode != Mode::Generic {
        let refusal = match attempt(AttachMode::Native) {
            Ok(()) => return vec![Line::pass(NATIVE, "the driver takes the program")],
            Err(refusal) => refusal,
        };
        let remedy = remedy(&refusal, interface);
        let found = format!("the driver refuses the program: {refusal}");
        if mode == Mode::Native {
            return vec![Line::fail(NATIVE, found, remedy)];
        }
        lines.push(Line::warn(NATIVE, found, remedy));
    }
    lines.push(match attempt(AttachMode::Generic) {
        Ok(()) => Line::pass(GENERIC, "the network stack takes the program; slower than native"),
        Err(refusal) => {
            let remedy = remedy(&refusal, interface);
            Line::fail(GENERIC, format!("the network stack refuses the program: {refusal}"), remedy)
        }
    });
    lines
}

/// What drivers commonly mean.
fn remedy(refusal: &io::Error, interface: &Interface) -> String {
    let device = &interface.name;
    match refusal.raw_os_error() {
        Some(libc::EPERM | libc::EACCES) => PERMISSION.into(),
        Some(libc::EBUSY | libc::EEXIST) => {
            format!(
                "another XDP program came first, or is on an interface above it: see `ip -details link show dev {device}`"
            )
        }
        Some(libc::EOPNOTSUPP) => format!(
            "the driver has no native XDP, or a setting is against it: try `ethtool -K {device} lro off rx-gro-hw off`"
        ),
        Some(libc::EINVAL | libc::ERANGE | libc::EMSGSIZE | libc::E2BIG) => {
            format!(
                "mostly this is the MTU: `ip link set dev {device} mtu 1500` and try again; dmesg may say more"
            )
        }
        Some(libc::ENOSPC | libc::ENOMEM) => {
            format!(
                "mostly there are too few queues for XDP's own: see `ethtool -l {device}`; dmesg may say more"
            )
        }
        _ => "dmesg may say more".into(),
    }
}
