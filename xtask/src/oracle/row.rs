//! One packet as tshark prints it: a line of fields, each with all its occurrences in the packet.
//!
//! Headers inside headers (a tunnel, the packet that an ICMP error quotes) print the same fields
//! again. Occurrences come in the order of dissection, so the first is the outermost header's, if
//! that header was reached at all: this is for the caller to know before it asks.

use std::str::FromStr;

use anyhow::{Context, Result, ensure};

macro_rules! fields {
    ($($field:ident: $name:literal),* $(,)?) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Field { $($field),* }

        impl Field {
            /// tshark's names, in the order in which they are asked for and printed.
            pub const NAMES: &[&str] = &[$($name),*];
        }
    };
}

fields! {
    FrameNumber: "frame.number",
    FrameTime: "frame.time_epoch",
    FrameLength: "frame.len",
    FrameCaptured: "frame.cap_len",
    FrameEncapsulation: "frame.encap_type",
    FrameProtocols: "frame.protocols",
    EthernetType: "eth.type",
    CookedDevice: "sll.hatype",
    CookedType: "sll.etype",
    CookedGreType: "sll.gretype",
    VlanType: "vlan.etype",
    IpVersion: "ip.version",
    Ipv4HeaderLength: "ip.hdr_len",
    Ipv4TotalLength: "ip.len",
    Ipv4Identification: "ip.id",
    Ipv4FragmentOffset: "ip.frag_offset",
    Ipv4TimeToLive: "ip.ttl",
    Ipv4Protocol: "ip.proto",
    Ipv4Source: "ip.src",
    Ipv4Destination: "ip.dst",
    Ipv4CurrentRoute: "ip.cur_rt",
    Ipv6PayloadLength: "ipv6.plen",
    Ipv6NextHeader: "ipv6.nxt",
    Ipv6HopLimit: "ipv6.hlim",
    Ipv6Source: "ipv6.src",
    Ipv6Destination: "ipv6.dst",
    HopByHopNextHeader: "ipv6.hopopts.nxt",
    HopByHopLength: "ipv6.hopopts.len",
    RoutingNextHeader: "ipv6.routing.nxt",
    RoutingLength: "ipv6.routing.len",
    DestinationOptionsNextHeader: "ipv6.dstopts.nxt",
    DestinationOptionsLength: "ipv6.dstopts.len",
    FragmentNextHeader: "ipv6.fraghdr.nxt",
    FragmentOffset: "ipv6.fraghdr.offset",
    TcpSourcePort: "tcp.srcport",
    TcpDestinationPort: "tcp.dstport",
    TcpSequence: "tcp.seq_raw",
    TcpHeaderLength: "tcp.hdr_len",
    TcpFlags: "tcp.flags",
    TcpWindow: "tcp.window_size_value",
    UdpSourcePort: "udp.srcport",
    UdpDestinationPort: "udp.dstport",
    UdpLength: "udp.length",
    IcmpType: "icmp.type",
    IcmpCode: "icmp.code",
    Icmpv6Type: "icmpv6.type",
    Icmpv6Code: "icmpv6.code",
}

impl Field {
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }
}

/// Between the fields of a line, and between a field's occurrences.
pub const SEPARATOR: char = '\t';
pub const AGGREGATOR: char = ',';

#[derive(Debug)]
pub struct Row<'a> {
    columns: Vec<&'a str>,
}

impl<'a> Row<'a> {
    pub fn parse(line: &'a str) -> Result<Self> {
        let columns: Vec<&str> = line.split(SEPARATOR).collect();
        let (found, asked) = (columns.len(), Field::NAMES.len());
        ensure!(found == asked, "tshark printed {found} fields instead of {asked}: {line:?}");
        Ok(Self { columns })
    }

    /// One occurrence of a field, counted from 0, or `None` where tshark printed fewer.
    pub fn text(&self, field: Field, occurrence: usize) -> Option<&'a str> {
        let mut occurrences = self.columns[field as usize].split(AGGREGATOR);
        occurrences.nth(occurrence).filter(|text| !text.is_empty())
    }

    /// How often tshark printed a field.
    pub fn count(&self, field: Field) -> usize {
        match self.columns[field as usize] {
            "" => 0,
            occurrences => occurrences.split(AGGREGATOR).count(),
        }
    }

    /// One occurrence of a field, as the number that it is.
    pub fn number(&self, field: Field, occurrence: usize) -> Result<Option<u64>> {
        let Some(text) = self.text(field, occurrence) else {
            return Ok(None);
        };
        let number = match text.strip_prefix("0x") {
            Some(digits) => u64::from_str_radix(digits, 16),
            None => text.parse(),
        };
        let number = number.with_context(|| format!("{} is {text:?}, not a number", field.name()))?;
        Ok(Some(number))
    }

    /// The first occurrence of a field that must be there.
    pub fn fact(&self, field: Field) -> Result<u64> {
        self.number(field, 0)?.with_context(|| format!("tshark gives no {}", field.name()))
    }

    /// One occurrence of a field that has a number of few bits.
    pub fn small<T: TryFrom<u64>>(&self, field: Field, occurrence: usize) -> Result<Option<T>> {
        let Some(number) = self.number(field, occurrence)? else {
            return Ok(None);
        };
        let small = T::try_from(number).ok();
        small.with_context(|| format!("{} is {number}, which is too much", field.name())).map(Some)
    }

    /// The first occurrence of such a field that must be there.
    pub fn small_fact<T: TryFrom<u64>>(&self, field: Field) -> Result<T> {
        self.small(field, 0)?.with_context(|| format!("tshark gives no {}", field.name()))
    }

    /// One occurrence of a field that is an address.
    pub fn address<A: FromStr>(&self, field: Field, occurrence: usize) -> Result<Option<A>> {
        let Some(text) = self.text(field, occurrence) else {
            return Ok(None);
        };
        let address = text.parse().ok();
        address.with_context(|| format!("{} is {text:?}, not an address", field.name())).map(Some)
    }

    /// The first occurrence of such a field that must be there.
    pub fn address_fact<A: FromStr>(&self, field: Field) -> Result<A> {
        self.address(field, 0)?.with_context(|| format!("tshark gives no {}", field.name()))
    }
}
