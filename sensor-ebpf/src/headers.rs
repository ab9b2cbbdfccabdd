//! A frame as a pair of pointers, and the headers read from it.
//!
//! In BPF the pointers are the packet pointers that the verifier knows, and [`Frame::at`] is the one
//! comparison against `data_end` that it asks for. On the host they come from a slice.

use core::marker::PhantomData;

/// The bytes of one Ethernet frame that can be read directly: in BPF its first buffer.
#[derive(Clone, Copy)]
pub struct Frame<'a> {
    start: *const u8,
    end: *const u8,
    bytes: PhantomData<&'a [u8]>,
}

/// A header whose every field is an array of bytes: any bytes are a valid value, at any alignment.
///
/// # Safety
/// The type must have alignment 1, no padding, and no invalid values.
pub unsafe trait Header {}

impl<'a> Frame<'a> {
    /// The frame in a slice.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        let range = bytes.as_ptr_range();
        Self { start: range.start, end: range.end, bytes: PhantomData }
    }

    /// The frame between two pointers.
    ///
    /// # Safety
    /// `start..end` must be readable for `'a`; in BPF they are `xdp_md`'s `data` and `data_end`.
    #[inline(always)]
    #[must_use]
    pub unsafe fn from_pointers(start: *const u8, end: *const u8) -> Self {
        Self { start, end, bytes: PhantomData }
    }

    /// The address of the first byte.
    #[inline(always)]
    #[must_use]
    pub fn start(&self) -> usize {
        self.start.addr()
    }

    /// Bytes between the two pointers.
    #[inline(always)]
    #[must_use]
    pub fn length(&self) -> usize {
        self.end.addr().wrapping_sub(self.start.addr())
    }

    /// The header at `offset`, or `None` where the frame ends before it does.
    #[inline(always)]
    #[must_use]
    pub fn at<T: Header>(&self, offset: usize) -> Option<&'a T> {
        // Wrapping, because the sum may pass the frame's end before it is compared; `offset` is at
        // most a few thousand here, so it cannot pass the end of the address space.
        let header = self.start.wrapping_add(offset);
        if header.wrapping_add(size_of::<T>()) > self.end {
            return None;
        }
        // SAFETY: the whole of T lies in start..end, and a Header is valid for any bytes at any alignment.
        Some(unsafe { &*header.cast::<T>() })
    }
}

/// Ethernet II (IEEE 802.3), 14 bytes.
#[repr(C)]
pub struct Ethernet {
    pub destination: [u8; 6],
    pub source: [u8; 6],
    pub ethertype: [u8; 2],
}

/// A VLAN tag after its tag protocol identifier (IEEE 802.1Q), with the ethertype that follows.
#[repr(C)]
pub struct Vlan {
    pub control: [u8; 2],
    pub ethertype: [u8; 2],
}

/// IPv4 without options (RFC 791), 20 bytes.
#[repr(C)]
pub struct Ipv4 {
    pub version_and_header_length: u8,
    pub service: u8,
    pub total_length: [u8; 2],
    pub identification: [u8; 2],
    pub fragment: [u8; 2],
    pub time_to_live: u8,
    pub protocol: u8,
    pub checksum: [u8; 2],
    pub source: [u8; 4],
    pub destination: [u8; 4],
}

/// IPv6 (RFC 8200), 40 bytes.
#[repr(C)]
pub struct Ipv6 {
    pub version_and_class: [u8; 4],
    pub payload_length: [u8; 2],
    pub next_header: u8,
    pub hop_limit: u8,
    pub source: [u8; 16],
    pub destination: [u8; 16],
}

/// The first eight bytes of an IPv6 extension header (RFC 8200, section 4).
#[repr(C)]
pub struct Ipv6Extension {
    pub next_header: u8,
    /// Length in units of eight bytes, without the first; reserved in a fragment header.
    pub length: u8,
    /// Offset (13 bits), two reserved bits and the more flag, in a fragment header.
    pub fragment: [u8; 2],
    pub rest: [u8; 4],
}

/// TCP without options (RFC 9293), 20 bytes.
#[repr(C)]
pub struct Tcp {
    pub source_port: [u8; 2],
    pub destination_port: [u8; 2],
    pub sequence: [u8; 4],
    pub acknowledgement: [u8; 4],
    pub data_offset: u8,
    pub flags: u8,
    pub window: [u8; 2],
    pub checksum: [u8; 2],
    pub urgent: [u8; 2],
}

/// A TCP option of four bytes (RFC 9293, section 3.1).
#[repr(C)]
pub struct TcpOption {
    pub kind: u8,
    pub length: u8,
    pub value: [u8; 2],
}

/// UDP (RFC 768), 8 bytes.
#[repr(C)]
pub struct Udp {
    pub source_port: [u8; 2],
    pub destination_port: [u8; 2],
    pub length: [u8; 2],
    pub checksum: [u8; 2],
}

/// ICMP (RFC 792): the eight bytes that every type has.
#[repr(C)]
pub struct Icmp {
    pub kind: u8,
    pub code: u8,
    pub checksum: [u8; 2],
    pub rest: [u8; 4],
}

/// ICMPv6 (RFC 4443): the four bytes that every type has.
#[repr(C)]
pub struct Icmpv6 {
    pub kind: u8,
    pub code: u8,
    pub checksum: [u8; 2],
}

macro_rules! headers {
    ($($header:ident: $size:literal),* $(,)?) => {
        $(
            // SAFETY: repr(C) with fields of bytes only, so alignment 1, no padding, any value valid.
            unsafe impl Header for $header {}
            const _: () = assert!(size_of::<$header>() == $size && align_of::<$header>() == 1);
        )*
    };
}

headers! {
    Ethernet: 14, Vlan: 4, Ipv4: 20, Ipv6: 40, Ipv6Extension: 8, Tcp: 20, TcpOption: 4, Udp: 8, Icmp: 8, Icmpv6: 4,
}
