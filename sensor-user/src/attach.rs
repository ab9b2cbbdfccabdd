//! Attaching: from configuration to a program in the kernel, on its interfaces, pinned.

use std::io;
use std::os::fd::AsFd as _;
use std::time::SystemTime;

use aya::programs::links::{FdLink, LinkError, PinnedLink};
use aya::programs::xdp::XdpLink;
use aya::programs::{ProgramError, Xdp};
use aya_obj::programs::XdpAttachType;
use sensor_ebpf::abi::AttachMode;

use crate::config::{Action, Mode, Settings};
use crate::features::{Cpus, Features};
use crate::interface::{Interface, InterfaceError};
use crate::logs::Lines;
use crate::pins::{Lock, PinError, Pins};
use crate::program::{self, LoadError, Rodata, Slots};
use crate::state::{State, StateError, place_windows, unpadded};
use crate::system;

/// Why the sensor is not attached.
#[derive(Debug, thiserror::Error)]
pub enum AttachError {
    #[error("no interface is configured: name one with --interface")]
    NoInterface,
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

/// What a person should know about how it went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A pinned set was found, and its counters go on.
    Resumed,
    /// It had another configuration or an older program, which was replaced while counting went on.
    Replaced,
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

/// A sensor at work: attached, pinned, and this agent's alone.
pub struct Sensor {
    pub state: State,
    pub pins: Pins,
    /// The program's debug lines, not printed yet.
    pub lines: Lines,
    pub lock: Lock,
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
    let pins = Pins::new(&settings.pin_directory);
    let existed = pins.path().exists();
    pins.create()?;
    let lock = pins.lock()?;
    let mut notices = own_addresses(settings, &interfaces);
    match attach_locked(settings, &pins, &interfaces, &mut notices) {
        Ok((state, lines)) => Ok((Sensor { state, pins, lines, lock }, notices)),
        Err(error) => {
            if !existed {
                // The first error is the one to tell of.
                let _second = pins.remove_all();
            }
            Err(error)
        }
    }
}

fn attach_locked(
    settings: &Settings,
    pins: &Pins,
    interfaces: &[Interface],
    notices: &mut Vec<Notice>,
) -> Result<(State, Lines), AttachError> {
    let Opened { state, program, lines } = open_program(settings, pins, notices)?;
    remove_others(&state, pins, interfaces, notices)?;
    let attached = pins.links()?;
    for interface in interfaces {
        if attached.contains(&interface.index) {
            notices.push(Notice::Kept { interface: interface.name.clone() });
        } else {
            attach_one(settings.mode, &state, pins, &program, interface, notices)?;
        }
    }
    Ok((state, lines))
}

/// The program that the configuration asks for, pinned and ready to attach, and its maps.
struct Opened {
    state: State,
    program: Xdp,
    lines: Lines,
}

fn open_program(
    settings: &Settings,
    pins: &Pins,
    notices: &mut Vec<Notice>,
) -> Result<Opened, AttachError> {
    let features = Features::probe().map_err(LoadError::probe)?;
    let cpus = Cpus::probe().map_err(LoadError::from)?;
    // An agent that was killed before it attached anything leaves maps that no packet reached.
    if !pins.has_maps() && pins.links()?.is_empty() {
        pins.clear()?;
    }
    let found = if pins.path().join(sensor_ebpf::abi::maps::CONTROL).exists() {
        Some(State::open(pins)?)
    } else {
        None
    };
    let (slots, windows, watched) = match &found {
        Some(state) => {
            let control = state.control();
            let (record, watched) = place_windows(&control, &settings.watched_windows)?;
            (Slots::existing(cpus, control.slots), record, watched)
        }
        None => {
            let watched: Vec<u32> = settings.watched_windows.iter().copied().map(u32::from).collect();
            (Slots::plan(cpus, settings.counter_cpus), watched.clone(), watched)
        }
    };
    let rodata = Rodata::new(settings, slots, features, &watched);
    let fingerprint = rodata.fingerprint();
    let found = match found {
        Some(state) if state.control().configuration == fingerprint && pins.is_complete() => {
            notices.push(Notice::Resumed);
            return Ok(Opened { state, program: pinned_program(pins)?, lines: Lines::NONE });
        }
        other => other,
    };

    let mut ebpf = program::load(&rodata, slots, features, Some(pins.path()))?;
    let fresh = found.is_none();
    let state = match found {
        Some(state) => state,
        None => State::begin(&ebpf, unix_nanoseconds())?,
    };
    let program = program::xdp(&mut ebpf, program::program_name(features))?;
    pins.remove(&pins.next_program())?;
    program
        .pin(pins.next_program())
        .map_err(|source| AttachError::Pinning { what: "the program", source })?;
    for index in pins.links()? {
        replace(program, pins, index)?;
    }
    pins.promote_next_program()?;
    state.update(|control| {
        control.configuration = fingerprint;
        control.drop_observed = (settings.action == Action::Drop).into();
        control.watched_window_count = u32::try_from(windows.len()).unwrap_or(0);
        control.watched_windows.iter_mut().zip(&windows).for_each(|(place, window)| *place = *window);
    });
    if !fresh {
        notices.extend([Notice::Resumed, Notice::Replaced]);
    }
    let lines = Lines::of(&mut ebpf).map_err(LoadError::from)?;
    Ok(Opened { state, program: pinned_program(pins)?, lines })
}

fn pinned_program(pins: &Pins) -> Result<Xdp, AttachError> {
    Ok(Xdp::from_pin(pins.program(), XdpAttachType::Interface).map_err(LoadError::from)?)
}

/// Puts the program in the place of the one that a pinned link holds, without a packet in between.
fn replace(program: &mut Xdp, pins: &Pins, index: u32) -> Result<(), AttachError> {
    let link_error = |source| AttachError::Link { interface: format!("interface {index}"), source };
    let link: FdLink = PinnedLink::from_pin(pins.link(index)).map_err(link_error)?.into();
    match program.attach_to_link(XdpLink::try_from(link).map_err(link_error)?) {
        // An interface that is gone has left a link that leads nowhere; it is removed afterwards.
        Ok(_) => Ok(()),
        Err(ProgramError::SyscallError(error)) if error.io_error.raw_os_error() == Some(libc::ENOLINK) => {
            Ok(())
        }
        Err(error) => Err(LoadError::from(error).into()),
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
    for record in state.control().interfaces.iter().filter(|record| record.index != 0) {
        if !wanted(record.index) || !links.contains(&record.index) {
            state.remove_interface(record.index);
            notices.push(Notice::Removed { interface: unpadded(&record.name) });
        }
    }
    for index in links.into_iter().filter(|index| !wanted(*index)) {
        pins.remove(&pins.link(index))?;
    }
    Ok(())
}

fn attach_one(
    mode: Mode,
    state: &State,
    pins: &Pins,
    program: &Xdp,
    interface: &Interface,
    notices: &mut Vec<Notice>,
) -> Result<(), AttachError> {
    let driver = interface.driver().unwrap_or_else(|| "unknown".into());
    let attempt = |mode: AttachMode| -> Result<(), Refusal> {
        // Noted first, so that an agent killed in between leaves no link without its record.
        state
            .add_interface(interface.index, &interface.name, &driver, mode, unix_nanoseconds())
            .map_err(|error| Refusal::Own(error.into()))?;
        let attached = attach_in_mode(pins, program, interface, mode);
        if attached.is_err() {
            state.remove_interface(interface.index);
        }
        attached
    };
    let attached = match mode {
        Mode::Native => attempt(AttachMode::Native).map(|()| AttachMode::Native),
        Mode::Generic => attempt(AttachMode::Generic).map(|()| AttachMode::Generic),
        Mode::Auto => match attempt(AttachMode::Native) {
            Err(Refusal::Kernel(reason)) => {
                notices
                    .push(Notice::FellBack { interface: interface.name.clone(), reason: reason.to_string() });
                attempt(AttachMode::Generic).map(|()| AttachMode::Generic)
            }
            other => other.map(|()| AttachMode::Native),
        },
    };
    let name = || interface.name.clone();
    match attached {
        Ok(mode) => {
            notices.push(Notice::Attached { interface: name(), driver, mode });
            Ok(())
        }
        Err(Refusal::Own(error)) => Err(error),
        Err(Refusal::Kernel(source)) if mode == Mode::Native => {
            Err(AttachError::Native { interface: name(), driver, source })
        }
        Err(Refusal::Kernel(source)) => Err(AttachError::Generic { interface: name(), driver, source }),
    }
}

/// Why one attempt failed: by the driver or kernel, so that another mode may do; or for all modes.
enum Refusal {
    Kernel(io::Error),
    Own(AttachError),
}

fn attach_in_mode(
    pins: &Pins,
    program: &Xdp,
    interface: &Interface,
    mode: AttachMode,
) -> Result<(), Refusal> {
    let own = |error: LoadError| Refusal::Own(error.into());
    let program = program.fd().map_err(|error| own(error.into()))?;
    // Not aya's attach, which falls back on netlink where the kernel refuses a link: what netlink attaches
    // cannot be pinned, and stays.
    let link = system::create_link(program.as_fd(), interface.index, mode).map_err(|error| {
        match error.raw_os_error() {
            Some(libc::EBUSY | libc::EEXIST) => {
                Refusal::Own(AttachError::Occupied { interface: interface.name.clone() })
            }
            Some(libc::EPERM) => own(LoadError::Permission),
            _ => Refusal::Kernel(error),
        }
    })?;
    system::pin(link.as_fd(), &pins.link(interface.index))
        .map_err(|source| Refusal::Own(AttachError::PinningLink { interface: interface.name.clone(), source }))
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
