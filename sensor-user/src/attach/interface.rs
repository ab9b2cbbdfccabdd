//! One interface: attached in the mode that is asked for and to be had, by a pinned link.

use std::io;
use std::os::fd::AsFd as _;

use aya::programs::Xdp;
use sensor_ebpf::abi::AttachMode;

use super::{AttachError, Notice, unix_nanoseconds};
use crate::config::Mode;
use crate::interface::Interface;
use crate::pins::Pins;
use crate::program::LoadError;
use crate::state::State;
use crate::system;

/// Attaches one interface, and notes it in the control record.
///
/// # Errors
/// Where its driver, or the kernel, does not take the program in the mode that is asked for.
pub fn attach_one(
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
    system::pin(link.as_fd(), &pins.link(interface.index)).map_err(|source| {
        Refusal::Own(AttachError::PinningLink { interface: interface.name.clone(), source })
    })
}
