//! From a packet of any supported link layer to an Ethernet frame.
//!
//! The frame is made where the packet lies. The buffer keeps room for an Ethernet header before the
//! packet, and a cooked header is longer than the Ethernet header that replaces its end.

use super::link::LinkLayer;

/// An Ethernet header, in bytes: two addresses and the Ethertype.
pub(super) const ETHERNET_HEADER: usize = 14;

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;

/// For a packet whose protocol is not IP and has no Ethertype. RFC 1701 reserves this value, so that
/// no packet from a network has it.
const NOT_IP: u16 = 0xffff;

/// Lower protocol numbers of a cooked header are Linux's own for frames without an Ethertype: 1 for
/// Novell's raw 802.3, 4 for 802.2, 0xc and 0xd for CAN, 3 "in some mysterious cases".
const LOWEST_ETHERTYPE: u16 = 0x0600;

/// Linux's ARPHRD_ device types whose cooked header has no Ethertype, whatever is in its place:
/// Frame Relay (770), Netlink (824), and the 802.11 ones (801, 802 with Prism's header, 803 with
/// radiotap's), where the packet begins with a header of that kind.
///
/// GRE (778) is not among them: its protocol types are Ethertypes (RFC 2784, section 2.4).
const WITHOUT_ETHERTYPE: [u16; 5] = [770, 801, 802, 803, 824];

/// One packet as captured, behind room for an Ethernet header.
#[derive(Debug)]
pub(super) struct FrameBuffer {
    bytes: Vec<u8>,
}

/// A frame in a [`FrameBuffer`], and how many of its first bytes are not from the capture.
pub(super) struct Frame<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) synthetic: usize,
}

impl FrameBuffer {
    pub(super) fn new() -> Self {
        Self { bytes: vec![0; ETHERNET_HEADER] }
    }

    /// Room for a packet of `length` bytes, to be filled by the caller.
    pub(super) fn captured(&mut self, length: u32) -> &mut [u8] {
        self.bytes.resize(ETHERNET_HEADER + length as usize, 0);
        &mut self.bytes[ETHERNET_HEADER..]
    }

    /// Makes the packet an Ethernet frame. Once for each packet: it overwrites what it replaces.
    pub(super) fn ethernet(&mut self, link: LinkLayer) -> Frame<'_> {
        let packet = &self.bytes[ETHERNET_HEADER..];
        let (replaced, ethertype) = match link {
            LinkLayer::Ethernet => {
                let bytes = &self.bytes[ETHERNET_HEADER..];
                return Frame { bytes, synthetic: 0 };
            }
            LinkLayer::RawIpv4 => (0, Some(IPV4)),
            LinkLayer::RawIpv6 => (0, Some(IPV6)),
            LinkLayer::RawIp => (0, packet.first().map(raw_ethertype)),
            LinkLayer::Cooked => (16, packet.first_chunk().map(cooked_ethertype)),
            LinkLayer::Cooked2 => (20, packet.first_chunk().map(cooked2_ethertype)),
        };
        let Some(ethertype) = ethertype else {
            return Frame { bytes: &[], synthetic: 0 };
        };
        let frame = &mut self.bytes[replaced..];
        frame[..12].fill(0);
        frame[12..ETHERNET_HEADER].copy_from_slice(&ethertype.to_be_bytes());
        Frame { bytes: frame, synthetic: ETHERNET_HEADER }
    }
}

/// By the version in the first byte of an IP packet.
fn raw_ethertype(first: &u8) -> u16 {
    match first >> 4 {
        4 => IPV4,
        6 => IPV6,
        _ => NOT_IP,
    }
}

/// Source: <https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL.html>.
fn cooked_ethertype(header: &[u8; 16]) -> u16 {
    let [_, _, device_high, device_low, .., high, low] = *header;
    ethertype_on(u16::from_be_bytes([device_high, device_low]), u16::from_be_bytes([high, low]))
}

/// Source: <https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL2.html>.
fn cooked2_ethertype(header: &[u8; 20]) -> u16 {
    let [high, low, _, _, _, _, _, _, device_high, device_low, ..] = *header;
    ethertype_on(u16::from_be_bytes([device_high, device_low]), u16::from_be_bytes([high, low]))
}

fn ethertype_on(device_type: u16, protocol: u16) -> u16 {
    if protocol < LOWEST_ETHERTYPE || WITHOUT_ETHERTYPE.contains(&device_type) {
        return NOT_IP;
    }
    protocol
}
