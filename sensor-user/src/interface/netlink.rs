//! `RTM_GETLINK`: the state of one interface.

use std::io;
use std::os::fd::AsRawFd as _;

use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, recv, sendto, socket,
};

use super::{AttachedProgram, Link, Place};

/// `struct nlmsghdr`, and `struct ifinfomsg` after it.
const MESSAGE_HEADER: usize = 16;
const LINK_HEADER: usize = 16;
/// Bits of an attribute's type that are not flags (`include/uapi/linux/netlink.h`).
const TYPE_MASK: u16 = 0x3fff;
/// Attributes within `IFLA_XDP`, and values of its `IFLA_XDP_ATTACHED` (`include/uapi/linux/if_link.h`).
const XDP_ATTACHED: u16 = 2;
const XDP_PROGRAM: u16 = 4;
/// More than the kernel says of one interface, unless it is asked for virtual functions too.
const LARGEST_ANSWER: usize = 64 << 10;

/// Asks the kernel.
pub fn link(index: u32) -> io::Result<Link> {
    let socket =
        socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, SockProtocol::NetlinkRoute)?;
    sendto(socket.as_raw_fd(), &request(index), &NetlinkAddr::new(0, 0), MsgFlags::empty())?;
    let mut answer = vec![0; LARGEST_ANSWER];
    let length = recv(socket.as_raw_fd(), &mut answer, MsgFlags::empty())?;
    parse(&answer[..length])
}

fn request(index: u32) -> [u8; MESSAGE_HEADER + LINK_HEADER] {
    let mut bytes = [0; MESSAGE_HEADER + LINK_HEADER];
    bytes[0..4].copy_from_slice(&((MESSAGE_HEADER + LINK_HEADER) as u32).to_ne_bytes());
    bytes[4..6].copy_from_slice(&libc::RTM_GETLINK.to_ne_bytes());
    bytes[6..8].copy_from_slice(&(libc::NLM_F_REQUEST.cast_unsigned() as u16).to_ne_bytes());
    bytes[20..24].copy_from_slice(&index.to_ne_bytes());
    bytes
}

fn parse(answer: &[u8]) -> io::Result<Link> {
    let nonsense = || io::Error::new(io::ErrorKind::InvalidData, "its netlink answer makes no sense");
    let kind = answer.get(4..6).and_then(short).ok_or_else(nonsense)?;
    if i32::from(kind) == libc::NLMSG_ERROR {
        let error = answer.get(16..20).and_then(word).ok_or_else(nonsense)?;
        return Err(io::Error::from_raw_os_error(-error.cast_signed()));
    }
    if kind != libc::RTM_NEWLINK {
        return Err(nonsense());
    }
    let flags = answer.get(24..28).and_then(word).ok_or_else(nonsense)?.cast_signed();
    let attributes = answer.get(MESSAGE_HEADER + LINK_HEADER..).ok_or_else(nonsense)?;
    let find = |wanted| Attributes(attributes).find(|(kind, _)| *kind == wanted).map(|(_, value)| value);
    Ok(Link {
        up: flags & libc::IFF_UP != 0,
        carrier: flags & libc::IFF_LOWER_UP != 0,
        mtu: find(libc::IFLA_MTU).and_then(word).ok_or_else(nonsense)?,
        master: find(libc::IFLA_MASTER).and_then(word).filter(|index| *index != 0),
        xdp: find(libc::IFLA_XDP).and_then(attached),
    })
}

fn attached(attributes: &[u8]) -> Option<AttachedProgram> {
    let find = |wanted| Attributes(attributes).find(|(kind, _)| *kind == wanted).map(|(_, value)| value);
    let place = match find(XDP_ATTACHED)?.first()? {
        0 => return None,
        1 => Place::Native,
        2 => Place::Generic,
        3 => Place::Hardware,
        _ => Place::Several,
    };
    Some(AttachedProgram { place, identifier: find(XDP_PROGRAM).and_then(word) })
}

fn short(bytes: &[u8]) -> Option<u16> {
    bytes.try_into().ok().map(u16::from_ne_bytes)
}

fn word(bytes: &[u8]) -> Option<u32> {
    bytes.try_into().ok().map(u32::from_ne_bytes)
}

/// Attributes with their types, up to the first that is cut off.
struct Attributes<'a>(&'a [u8]);

impl<'a> Iterator for Attributes<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let Self(bytes) = self;
        let length = usize::from(bytes.get(0..2).and_then(short)?);
        let kind = bytes.get(2..4).and_then(short)? & TYPE_MASK;
        let value = bytes.get(4..length)?;
        *bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((kind, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
        let length = 4 + value.len();
        let mut bytes = [(length as u16).to_ne_bytes(), kind.to_ne_bytes()].concat();
        bytes.extend(value);
        bytes.resize(length.next_multiple_of(4), 0);
        bytes
    }

    fn answer(kind: u16, flags: i32, attributes: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = vec![0; MESSAGE_HEADER + LINK_HEADER];
        bytes[4..6].copy_from_slice(&kind.to_ne_bytes());
        bytes[24..28].copy_from_slice(&flags.to_ne_bytes());
        bytes.extend(attributes.concat());
        bytes
    }

    #[test]
    fn flags_mtu_and_program_are_read() {
        let program = [attribute(XDP_ATTACHED, &[2]), attribute(XDP_PROGRAM, &57_u32.to_ne_bytes())].concat();
        let attributes = [
            // A name of odd length, so that what follows is behind padding.
            attribute(libc::IFLA_IFNAME, b"eth0\0"),
            attribute(libc::IFLA_MTU, &9000_u32.to_ne_bytes()),
            attribute(libc::IFLA_MASTER, &7_u32.to_ne_bytes()),
            // Nested attributes carry a flag in their type.
            attribute(libc::IFLA_XDP | 0x8000, &program),
        ];
        let link = parse(&answer(libc::RTM_NEWLINK, libc::IFF_UP, &attributes)).unwrap();
        let xdp = Some(AttachedProgram { place: Place::Generic, identifier: Some(57) });
        assert_eq!(link, Link { up: true, carrier: false, mtu: 9000, master: Some(7), xdp });
    }

    #[test]
    fn an_interface_without_a_program_says_so() {
        let none = attribute(libc::IFLA_XDP, &attribute(XDP_ATTACHED, &[0]));
        let attributes = [attribute(libc::IFLA_MTU, &1500_u32.to_ne_bytes()), none];
        let link = parse(&answer(libc::RTM_NEWLINK, 0, &attributes)).unwrap();
        assert_eq!((link.xdp, link.master), (None, None));
    }

    #[test]
    fn an_error_is_the_kernels_own() {
        let mut bytes = answer(libc::NLMSG_ERROR as u16, 0, &[]);
        bytes[16..20].copy_from_slice(&(-libc::ENODEV).to_ne_bytes());
        assert_eq!(parse(&bytes).unwrap_err().raw_os_error(), Some(libc::ENODEV));
    }

    #[test]
    fn no_cut_of_an_answer_panics() {
        let whole = answer(libc::RTM_NEWLINK, 1, &[attribute(libc::IFLA_MTU, &1500_u32.to_ne_bytes())]);
        for length in 0..whole.len() {
            assert!(parse(&whole[..length]).is_err(), "{length} bytes");
        }
        // A length of less than its own header ends the list.
        assert_eq!(Attributes(&[0; 8]).count(), 0);
    }
}
