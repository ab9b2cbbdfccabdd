//! A program on the interface, for as long as this process holds its link.

use std::io;
use std::os::fd::{AsFd as _, OwnedFd};

use anyhow::{Context as _, Result, bail};
use aya::programs::ProgramFd;
use sensor_ebpf::abi::AttachMode;
use sensor_user::config::Mode;
use sensor_user::system::{create_link, update_link};

use super::port::Port;

/// The link. It is pinned nowhere: with the last descriptor of it the program is gone.
pub struct Attached {
    link: OwnedFd,
    interface: String,
    mode: AttachMode,
    /// Why not natively, where that was tried.
    fell_back: Option<io::Error>,
}

impl Attached {
    /// Attaches the program in the mode that is asked for and to be had.
    pub fn new(port: &Port, mode: Mode, program: &ProgramFd) -> Result<Self> {
        let attempt = |mode| create_link(program.as_fd(), port.index(), mode);
        let (link, mode, fell_back) = match mode {
            Mode::Native => (attempt(AttachMode::Native), AttachMode::Native, None),
            Mode::Generic => (attempt(AttachMode::Generic), AttachMode::Generic, None),
            Mode::Auto => match attempt(AttachMode::Native) {
                Err(error) if !is_occupied(&error) => {
                    (attempt(AttachMode::Generic), AttachMode::Generic, Some(error))
                }
                other => (other, AttachMode::Native, None),
            },
        };
        let interface = port.name().to_owned();
        match link {
            Ok(link) => Ok(Self { link, interface, mode, fell_back }),
            Err(error) if is_occupied(&error) => {
                bail!("another XDP program was attached to {interface} meanwhile, which stays as it is")
            }
            Err(error) => {
                let native = fell_back.map_or_else(String::new, |error| format!(" (natively: {error})"));
                Err(error).with_context(|| format!("{interface} takes no XDP program{native}"))
            }
        }
    }

    /// Puts another program in its place, between two packets.
    pub fn show(&self, program: &ProgramFd) -> Result<()> {
        update_link(self.link.as_fd(), program.as_fd()).with_context(|| {
            format!("cannot exchange the program on {}, which may be down or gone", self.interface)
        })
    }

    /// The mode in words.
    pub fn mode(&self) -> String {
        let mode = match self.mode {
            AttachMode::Native => "native mode",
            AttachMode::Generic => "generic mode",
        };
        self.fell_back.as_ref().map_or_else(
            || mode.to_owned(),
            |error| format!("{mode}, for the driver takes no program natively: {error}"),
        )
    }
}

fn is_occupied(error: &io::Error) -> bool {
    // EBUSY and EEXIST, both of which the kernel says.
    matches!(error.kind(), io::ErrorKind::ResourceBusy | io::ErrorKind::AlreadyExists)
}
