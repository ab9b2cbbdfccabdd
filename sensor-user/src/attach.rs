//! Attaching: from configuration to a program in the kernel, on its interfaces, pinned.

mod interface;
mod notice;
mod opening;

use std::io;
use std::time::SystemTime;

use aya::programs::links::LinkError;
use sensor_ebpf::abi::maps;

use crate::config::{Action, Mode, Settings};
use crate::flows::law::Since;
use crate::interface::{Interface, InterfaceError, Place};
use crate::logs::Lines;
use crate::pins::{Lock, PinError, Pins};
use crate::program::LoadError;
use crate::state::{State, StateError, unpadded};
use interface::attach_one;
pub use notice::Notice;
use opening::{Opened, open_program};

/// Why the sensor is not attached.
#[derive(Debug, thiserror::Error)]
pub enum AttachError {
    #[error("no interface is configured: name one with --interface")]
    NoInterface,
    #[error("interface {0} is named twice, under two names: name it once")]
    InterfaceTwice(String),
    #[error(transparent)]
    Interface(#[from] InterfaceError),
    #[error(transparent)]
    Pin(#[from] PinError),
    #[error(transparent)]
    State(#[from] StateError),
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error("cannot pin {what}: {source}")]
    Pinning { what: &'static str, source: aya::pin::PinError },
    #[error("cannot pin the link of {interface}: {source}")]
    PinningLink { interface: String, source: io::Error },
    #[error("cannot open the pinned link of {interface}: {source}")]
    Link { interface: String, source: LinkError },
    #[error(
        "{interface} has another XDP program already: if it is a sensor's, use that one's --pin-directory, or detach it; \
         else end whatever attached it (`ip -d link show dev {interface}` names the program)"
    )]
    Occupied { interface: String },
    #[error(
        "{interface} (driver {driver}) does not take XDP natively: {source}; \
         --mode auto or generic attaches it in the network stack, which is slower"
    )]
    Native { interface: String, driver: String, source: io::Error },
    #[error("{interface} (driver {driver}) does not take XDP even in the network stack: {source}")]
    Generic { interface: String, driver: String, source: io::Error },
}

/// A sensor at work: attached, pinned, and this agent's alone.
pub struct Sensor {
    pub state: State,
    pub pins: Pins,
    pub interfaces: Vec<Interface>,
    /// The program's debug lines, not printed yet.
    pub lines: Lines,
    pub lock: Lock,
    /// Whether the set's counters began with this agent.
    pub since: Since,
}

/// Loads or finds the program, and attaches it to every configured interface and to no other.
///
/// Where it fails on a set that was not there before, it leaves nothing behind.
///
/// # Errors
/// Each says what stands in the way, and what to do about it.
pub fn attach(settings: &Settings) -> Result<(Sensor, Vec<Notice>), AttachError> {
    if settings.interfaces.is_empty() {
        return Err(AttachError::NoInterface);
    }
    let interfaces =
        settings.interfaces.iter().map(|name| Interface::find(name)).collect::<Result<Vec<_>, _>>()?;
    for (place, interface) in interfaces.iter().enumerate() {
        // Of two names, one may be an alternative one.
        if interfaces[..place].iter().any(|other| other.index == interface.index) {
            return Err(AttachError::InterfaceTwice(interface.name.clone()));
        }
    }
    let pins = Pins::new(&settings.pin_directory);
    let folder_existed = pins.exists()?;
    pins.create()?;
    let lock = pins.lock()?;
    let set_existed = pins.map(maps::CONTROL).exists() || !pins.links()?.is_empty();
    let mut notices = own_addresses(settings, &interfaces);
    match attach_locked(settings, &pins, &interfaces, &mut notices) {
        Ok((state, lines, since)) => Ok((Sensor { state, pins, interfaces, lines, lock, since }, notices)),
        Err(error) => {
            // The first error is the one to tell of.
            let _second = match (set_existed, folder_existed) {
                (true, _) => Ok(Vec::new()),
                (false, true) => pins.clear(),
                (false, false) => pins.remove_all(),
            };
            Err(error)
        }
    }
}

fn attach_locked(
    settings: &Settings,
    pins: &Pins,
    interfaces: &[Interface],
    notices: &mut Vec<Notice>,
) -> Result<(State, Lines, Since), AttachError> {
    let Opened { state, program, lines, since } = open_program(settings, pins, notices)?;
    remove_others(&state, pins, interfaces, notices)?;
    let identifier = program.info().map_err(LoadError::from)?.id();
    let links = pins.links()?;
    for interface in interfaces {
        let attached = interface.has_program(identifier).filter(|_| links.contains(&interface.index));
        if attached.is_some_and(|place| fits(settings.mode, place)) {
            notices.push(Notice::Kept { interface: interface.name.clone() });
            continue;
        }
        // A link that leads nowhere, or in a mode that is not asked for. The kernel has no way from one mode
        // to the other but through none.
        pins.remove_link(interface.index)?;
        state.remove_interface(interface.index);
        attach_one(settings.mode, &state, pins, &program, interface, notices)?;
    }
    Ok((state, lines, since))
}

/// Whether a program that runs there already is what the mode asks for.
fn fits(mode: Mode, place: Place) -> bool {
    match mode {
        Mode::Auto => true,
        Mode::Native => place == Place::Native,
        Mode::Generic => place == Place::Generic,
    }
}

/// Detaches from every interface that is not configured, and forgets those that are gone.
fn remove_others(
    state: &State,
    pins: &Pins,
    interfaces: &[Interface],
    notices: &mut Vec<Notice>,
) -> Result<(), AttachError> {
    let wanted = |index: u32| interfaces.iter().any(|interface| interface.index == index);
    let links = pins.links()?;
    // The links first, so that an agent killed in between leaves no link without its record.
    for index in links.iter().filter(|index| !wanted(**index)) {
        pins.remove_link(*index)?;
    }
    for record in state.control().interfaces.iter().filter(|record| record.index != 0) {
        if !wanted(record.index) || !links.contains(&record.index) {
            state.remove_interface(record.index);
            notices.push(Notice::Removed { interface: unpadded(&record.name) });
        }
    }
    Ok(())
}

/// Addresses of the host's own on the interfaces, whose packets would be dropped.
fn own_addresses(settings: &Settings, interfaces: &[Interface]) -> Vec<Notice> {
    if settings.action == Action::Pass {
        return Vec::new();
    }
    let observed =
        |address: &std::net::IpAddr| settings.observed.iter().any(|prefix| prefix.contains(address));
    let notice = |interface: &Interface| {
        let name = interface.name.clone();
        interface
            .addresses()
            .into_iter()
            .filter(observed)
            .map(move |address| Notice::OwnAddressDropped { interface: name.clone(), address })
    };
    interfaces.iter().flat_map(notice).collect()
}

/// Now, in nanoseconds since the Unix epoch.
#[must_use]
pub fn unix_nanoseconds() -> u64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}
