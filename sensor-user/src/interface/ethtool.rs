//! What only the ethtool ioctl tells. Its records are those of `include/uapi/linux/ethtool.h`.

use std::io;
use std::os::fd::AsRawFd as _;

use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};

use super::Channels;

const ETHTOOL_GSET: u32 = 0x01;
const ETHTOOL_GDRVINFO: u32 = 0x03;
const ETHTOOL_GCHANNELS: u32 = 0x3c;

/// A record that the kernel reads a command from and writes its answer to.
///
/// # Safety
/// A `repr(C)` struct with the layout that the kernel has for the command in its first field, which
/// `asking` sets. Every bit pattern is a value of it.
unsafe trait Record {
    fn asking() -> Self;
}

/// `struct ethtool_drvinfo`.
#[repr(C)]
struct DriverInformation {
    command: u32,
    driver: [u8; 32],
    versions: [u8; 2 * 32],
    bus: [u8; 32],
    /// Another version, and sizes, which nobody here asks for.
    rest: [u8; 32 + 12 + 5 * 4],
}

/// `struct ethtool_cmd`.
#[repr(C)]
struct LinkSettings {
    command: u32,
    modes: [u32; 2],
    speed: u16,
    /// Duplex, port and the like.
    wiring: [u8; 6],
    coalescing: [u32; 2],
    speed_high: u16,
    crossover: [u8; 2],
    rest: [u32; 3],
}

/// `struct ethtool_channels`.
#[repr(C)]
struct ChannelNumbers {
    command: u32,
    maximum_receive: u32,
    maximum_send: u32,
    maximum_other: u32,
    maximum_combined: u32,
    receive: u32,
    send: u32,
    other: u32,
    combined: u32,
}

const _: () = {
    assert!(size_of::<DriverInformation>() == 196);
    assert!(size_of::<LinkSettings>() == 44);
    assert!(size_of::<ChannelNumbers>() == 36);
};

// SAFETY: laid out as `struct ethtool_drvinfo`; made of integers.
unsafe impl Record for DriverInformation {
    fn asking() -> Self {
        Self { command: ETHTOOL_GDRVINFO, driver: [0; 32], versions: [0; 64], bus: [0; 32], rest: [0; 64] }
    }
}

// SAFETY: laid out as `struct ethtool_cmd`; made of integers.
unsafe impl Record for LinkSettings {
    fn asking() -> Self {
        Self {
            command: ETHTOOL_GSET,
            modes: [0; 2],
            speed: 0,
            wiring: [0; 6],
            coalescing: [0; 2],
            speed_high: 0,
            crossover: [0; 2],
            rest: [0; 3],
        }
    }
}

// SAFETY: laid out as `struct ethtool_channels`; made of integers.
unsafe impl Record for ChannelNumbers {
    fn asking() -> Self {
        Self {
            command: ETHTOOL_GCHANNELS,
            maximum_receive: 0,
            maximum_send: 0,
            maximum_other: 0,
            maximum_combined: 0,
            receive: 0,
            send: 0,
            other: 0,
            combined: 0,
        }
    }
}

/// The driver's name.
pub fn driver(interface: &str) -> io::Result<String> {
    let DriverInformation { driver, .. } = ask(interface)?;
    Ok(text(&driver))
}

/// Where on its bus the device is, as in `0000:01:00.0`; empty where it is on none.
pub fn bus(interface: &str) -> io::Result<String> {
    let DriverInformation { bus, .. } = ask(interface)?;
    Ok(text(&bus))
}

/// Megabits per second, where the device knows.
pub fn speed(interface: &str) -> io::Result<Option<u32>> {
    ask(interface).map(|settings| known_speed(&settings))
}

/// An unknown speed has all bits set, in the low half alone where the driver is an old one.
fn known_speed(settings: &LinkSettings) -> Option<u32> {
    let speed = u32::from(settings.speed_high) << 16 | u32::from(settings.speed);
    (speed != 0 && speed != u32::from(u16::MAX) && speed != u32::MAX).then_some(speed)
}

fn text(padded: &[u8]) -> String {
    let end = padded.iter().position(|byte| *byte == 0).unwrap_or(padded.len());
    String::from_utf8_lossy(&padded[..end]).into_owned()
}

/// The queues.
pub fn channels(interface: &str) -> io::Result<Channels> {
    ask(interface).map(|numbers| receiving(&numbers))
}

fn receiving(numbers: &ChannelNumbers) -> Channels {
    let ChannelNumbers { receive, combined, maximum_receive, maximum_combined, .. } = *numbers;
    let is_combined = combined > 0;
    Channels {
        receive: receive + combined,
        receive_maximum: if is_combined { maximum_combined } else { maximum_receive },
        combined: is_combined,
    }
}

fn ask<R: Record>(interface: &str) -> io::Result<R> {
    let socket = socket(AddressFamily::Inet, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None)?;
    let mut record = R::asking();
    let mut request = libc::ifreq {
        ifr_name: [0; libc::IFNAMSIZ],
        ifr_ifru: libc::__c_anonymous_ifr_ifru { ifru_data: (&raw mut record).cast() },
    };
    // The last byte stays zero. A name that does not fit is none that the kernel knows.
    if interface.len() >= request.ifr_name.len() {
        return Err(io::ErrorKind::NotFound.into());
    }
    request.ifr_name.iter_mut().zip(interface.bytes()).for_each(|(place, byte)| *place = byte.cast_signed());
    // SAFETY: the request holds a terminated name and a pointer to a record that is as large as the
    // kernel's for its command, and both outlive the call.
    if unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCETHTOOL, &raw mut request) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(record)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(receive: u32, combined: u32) -> ChannelNumbers {
        let maxima = ChannelNumbers { maximum_receive: 8, maximum_combined: 16, ..Record::asking() };
        ChannelNumbers { receive, combined, ..maxima }
    }

    #[test]
    fn queues_that_only_receive_and_queues_that_do_both_are_all_counted() {
        let separate = Channels { receive: 2, receive_maximum: 8, combined: false };
        assert_eq!(receiving(&numbers(2, 0)), separate);
        let combined = Channels { receive: 4, receive_maximum: 16, combined: true };
        assert_eq!(receiving(&numbers(0, 4)), combined);
        assert_eq!(receiving(&numbers(1, 4)), Channels { receive: 5, ..combined });
    }

    #[test]
    fn a_speed_is_in_two_halves_or_unknown() {
        let settings = |speed_high, speed| LinkSettings { speed, speed_high, ..Record::asking() };
        assert_eq!(known_speed(&settings(0, 10_000)), Some(10_000));
        assert_eq!(known_speed(&settings(1, 34_464)), Some(100_000));
        for unknown in [(0, 0), (0, u16::MAX), (u16::MAX, u16::MAX)] {
            assert_eq!(known_speed(&settings(unknown.0, unknown.1)), None, "{unknown:?}");
        }
    }

    #[test]
    fn a_name_that_is_too_long_is_not_cut() {
        assert_eq!(driver("0123456789abcdef").unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
