//! Link types: the number that says what every packet begins with.
//!
//! Source: <https://www.tcpdump.org/linktypes.html>.

use super::error::CaptureError;
use super::input::Input;

/// What errors tell to whoever brings another link type.
pub(super) const SUPPORTED: &str = "Ethernet (1), raw IP (101, 12, 14), IPv4 (228), IPv6 (229) and \
                                    Linux cooked (113, 276)";

/// A link layer whose packets can be made Ethernet frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LinkLayer {
    Ethernet,
    /// An IPv4 or IPv6 packet; its version field says which.
    RawIp,
    RawIpv4,
    RawIpv6,
    /// Behind a header of 16 bytes, as Linux gives it for the interface `any`.
    Cooked,
    /// Behind a header of 20 bytes, the same with the interface's number.
    Cooked2,
}

impl LinkLayer {
    /// The link layer of packets of type `number`, or an error that names the type.
    pub(super) fn of(number: u32, input: &Input) -> Result<Self, CaptureError> {
        match number {
            1 => Ok(Self::Ethernet),
            // LINKTYPE_RAW, and what DLT_RAW is on most systems and on OpenBSD, whose programs have
            // written their own number to files.
            101 | 12 | 14 => Ok(Self::RawIp),
            228 => Ok(Self::RawIpv4),
            229 => Ok(Self::RawIpv6),
            113 => Ok(Self::Cooked),
            276 => Ok(Self::Cooked2),
            _ => Err(CaptureError::LinkType { at: input.place(), number, name: name(number) }),
        }
    }
}

/// The registry's name for an unsupported type, without `LINKTYPE_`.
fn name(number: u32) -> &'static str {
    if (147..=162).contains(&number) {
        return "USER0 to USER15, private";
    }
    NAMES.iter().find(|(known, _)| *known == number).map_or("not a common type", |(_, name)| name)
}

const NAMES: [(u32, &str); 47] = [
    (0, "NULL, BSD loopback"),
    (3, "AX25"),
    (6, "IEEE802_5"),
    (8, "SLIP"),
    (9, "PPP"),
    (10, "FDDI"),
    (50, "PPP_HDLC"),
    (51, "PPP_ETHER"),
    (100, "ATM_RFC1483"),
    (104, "C_HDLC"),
    (105, "IEEE802_11"),
    (107, "FRELAY"),
    (108, "LOOP, OpenBSD loopback"),
    (117, "PFLOG"),
    (119, "IEEE802_11_PRISM"),
    (122, "IP_OVER_FC"),
    (123, "SUNATM"),
    (127, "IEEE802_11_RADIOTAP"),
    (138, "APPLE_IP_OVER_IEEE1394"),
    (140, "MTP2"),
    (143, "DOCSIS"),
    (163, "IEEE802_11_AVS"),
    (166, "PPP_PPPD"),
    (187, "BLUETOOTH_HCI_H4"),
    (189, "USB_LINUX"),
    (192, "PPI"),
    (195, "IEEE802_15_4_WITHFCS"),
    (197, "ERF"),
    (201, "BLUETOOTH_HCI_H4_WITH_PHDR"),
    (204, "PPP_WITH_DIR"),
    (205, "C_HDLC_WITH_DIR"),
    (220, "USB_LINUX_MMAPPED"),
    (226, "IPNET"),
    (227, "CAN_SOCKETCAN"),
    (230, "IEEE802_15_4_NOFCS"),
    (231, "DBUS"),
    (239, "NFLOG"),
    (240, "NETANALYZER"),
    (242, "IPOIB"),
    (247, "INFINIBAND"),
    (249, "USBPCAP"),
    (251, "BLUETOOTH_LE_LL"),
    (253, "NETLINK"),
    (258, "PKTAP"),
    (271, "VSOCK"),
    (274, "ETHERNET_MPACKET"),
    (281, "DSA_TAG_BRCM"),
];
