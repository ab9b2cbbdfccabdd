//! Frames through a socket of the interface: slower than the kernel's own way, which older kernels do not have.

use std::io;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};

use crate::Error;

/// A packet socket that receives nothing.
pub struct Socket(OwnedFd);

impl Socket {
    /// Binds one to an interface of this thread's network namespace.
    pub fn bind(interface: u32) -> Result<Self, Error> {
        let index = i32::try_from(interface).map_err(|_| Error::Interface(interface))?;
        // Of protocol 0: no frame comes in.
        // SAFETY: three integers in, a new descriptor or an error out.
        let descriptor = unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0) };
        if descriptor < 0 {
            return Err(Error::Socket(io::Error::last_os_error()));
        }
        // SAFETY: just opened, and nobody else's.
        let socket = Self(unsafe { OwnedFd::from_raw_fd(descriptor) });
        // SAFETY: all of it may be zero.
        let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
        address.sll_family = u16::try_from(libc::AF_PACKET).unwrap_or_default();
        address.sll_ifindex = index;
        let length = libc::socklen_t::try_from(size_of_val(&address)).unwrap_or_default();
        // SAFETY: the address is as long as it is said to be.
        let bound = unsafe { libc::bind(socket.0.as_raw_fd(), (&raw const address).cast(), length) };
        if bound < 0 { Err(Error::Socket(io::Error::last_os_error())) } else { Ok(socket) }
    }

    /// Sends a frame. Whether the far end took it, the far end tells.
    pub fn send(&self, frame: &[u8]) -> Result<(), Error> {
        loop {
            // SAFETY: the frame is as long as it is said to be.
            let sent = unsafe { libc::send(self.0.as_raw_fd(), frame.as_ptr().cast(), frame.len(), 0) };
            if sent >= 0 {
                return Ok(());
            }
            let error = io::Error::last_os_error();
            match error.raw_os_error() {
                // A signal that came before the frame was taken.
                Some(libc::EINTR) => {}
                // It left, and was dropped.
                Some(libc::ENOBUFS) => return Ok(()),
                _ => return Err(Error::Socket(error)),
            }
        }
    }
}
