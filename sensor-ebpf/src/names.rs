//! The words that people and machines read for outcomes, classes and signatures.

use crate::abi::{EvidenceSkip, Family, Outcome, Signature, TcpClass, TrafficClass};

impl Outcome {
    /// Every outcome, in the order of its counters.
    pub const ALL: [Self; 12] = [
        Self::Ipv4Tcp,
        Self::Ipv4Udp,
        Self::Ipv4Icmp,
        Self::Ipv4Other,
        Self::Ipv6Tcp,
        Self::Ipv6Udp,
        Self::Ipv6Icmp,
        Self::Ipv6Other,
        Self::Fragment,
        Self::Malformed,
        Self::NonIp,
        Self::Unobserved,
    ];

    /// Its name in JSON, metrics and tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ipv4Tcp => "ipv4_tcp",
            Self::Ipv4Udp => "ipv4_udp",
            Self::Ipv4Icmp => "ipv4_icmp",
            Self::Ipv4Other => "ipv4_other",
            Self::Ipv6Tcp => "ipv6_tcp",
            Self::Ipv6Udp => "ipv6_udp",
            Self::Ipv6Icmp => "ipv6_icmp",
            Self::Ipv6Other => "ipv6_other",
            Self::Fragment => "fragment",
            Self::Malformed => "malformed",
            Self::NonIp => "non_ip",
            Self::Unobserved => "unobserved",
        }
    }
}

impl TcpClass {
    /// Every class, in the order of its counters.
    pub const ALL: [Self; 4] = [Self::Scan, Self::BackscatterSynAck, Self::BackscatterRst, Self::Other];

    /// Its name in JSON, metrics and tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scan => "scan",
            Self::BackscatterSynAck => "backscatter_syn_ack",
            Self::BackscatterRst => "backscatter_rst",
            Self::Other => "other",
        }
    }
}

impl EvidenceSkip {
    /// Every reason, in the order of its counters.
    pub const ALL: [Self; 2] = [Self::Ring, Self::Gate];

    /// Its name in JSON, metrics and tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ring => "ring",
            Self::Gate => "gate",
        }
    }
}

impl Signature {
    /// Every signature with a counter of its own, in the order of its counters.
    pub const ALL: [Self; 3] = [Self::Mirai, Self::Zmap, Self::Masscan];

    /// Its name in JSON, metrics and tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mirai => "mirai",
            Self::Zmap => "zmap",
            Self::Masscan => "masscan",
        }
    }
}

impl Family {
    /// Both, in the order of their counters.
    pub const ALL: [Self; 2] = [Self::Ipv4, Self::Ipv6];

    /// Its name in JSON, metrics and tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
        }
    }
}

impl TrafficClass {
    /// Every class, in the order of its numbers.
    pub const ALL: [Self; 6] = [
        Self::Scan,
        Self::BackscatterSynAck,
        Self::BackscatterRst,
        Self::Backscatter,
        Self::Other,
        Self::Fragment,
    ];

    /// Its name in flows, JSON and tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scan => "scan",
            Self::BackscatterSynAck => "backscatter_syn_ack",
            Self::BackscatterRst => "backscatter_rst",
            Self::Backscatter => "backscatter",
            Self::Other => "other",
            Self::Fragment => "fragment",
        }
    }

    /// The class with this number, if there is one.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }

    /// Whether it is an answer: its packets are told apart by source port, the service under attack.
    #[must_use]
    pub const fn is_backscatter(self) -> bool {
        matches!(self, Self::BackscatterSynAck | Self::BackscatterRst | Self::Backscatter)
    }
}
