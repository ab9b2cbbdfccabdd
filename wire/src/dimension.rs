//! Counters in long form: a dimension, a key in it, and the packets.

use sensor_ebpf::abi::{CpuCounters, PORTS, WATCHED_WINDOWS};

use crate::totals::Totals;

/// One counter that is not zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Counter {
    pub dimension: Dimension,
    /// Port, protocol, type, flags, window, or the number of a name; see [`Dimension`].
    pub key: u32,
    /// Packets, but for [`Dimension::Bytes`].
    pub packets: u64,
}

macro_rules! dimensions {
    ($($(#[$about:meta])* $variant:ident = $number:literal $name:literal),+ $(,)?) => {
        /// What counters are told apart by. Numbers and names are of the format, and never change their meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Dimension {
            $($(#[$about])* $variant = $number),+
        }

        impl Dimension {
            /// Every dimension, in the order of their numbers.
            pub const ALL: [Self; 19] = [$(Self::$variant),+];

            /// Its name on the wire and in the store.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name),+
                }
            }
        }
    };
}

dimensions! {
    /// All packets that the program saw; the key is 0.
    Packets = 0 "packets",
    /// Bytes of their frames; the key is 0.
    Bytes = 1 "bytes",
    /// By [`sensor_ebpf::abi::Outcome`].
    Outcome = 2 "outcome",
    /// By [`sensor_ebpf::abi::TcpClass`].
    TcpClass = 3 "tcp_class",
    /// By [`sensor_ebpf::abi::Signature`].
    Signature = 4 "signature",
    /// TCP scans by watched window.
    Window = 5 "window",
    IpProtocol = 6 "ip_protocol",
    TcpFlags = 7 "tcp_flags",
    IcmpV4Type = 8 "icmp_v4_type",
    IcmpV6Type = 9 "icmp_v6_type",
    TcpScanDestinationPort = 10 "tcp_scan_dst_port",
    TcpOtherDestinationPort = 11 "tcp_other_dst_port",
    TcpBackscatterSourcePort = 12 "tcp_backscatter_src_port",
    UdpDestinationPort = 13 "udp_dst_port",
    MiraiDestinationPort = 14 "mirai_dst_port",
    /// By [`sensor_ebpf::abi::Family`].
    DigestsWritten = 15 "digests_written",
    /// By [`sensor_ebpf::abi::Family`].
    DigestsLost = 16 "digests_lost",
    /// The key is 0.
    EvidenceWritten = 17 "evidence_written",
    /// By [`sensor_ebpf::abi::EvidenceSkip`].
    EvidenceSkipped = 18 "evidence_skipped",
}

impl Dimension {
    /// The dimension with this number, if there is one.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }

    /// The dimension with this name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dimension| dimension.name() == name)
    }

    /// The counters of this dimension; their places are its keys, but for windows.
    fn of(self, counters: &CpuCounters) -> &[u64] {
        // So that a new field has to be given its place here.
        let CpuCounters {
            packets,
            bytes,
            digests,
            digests_lost,
            evidence_written,
            evidence_skipped,
            tcp_classes,
            signatures,
            outcomes,
            windows,
            ip_protocols,
            tcp_flags,
            icmp_v4_types,
            icmp_v6_types,
            tcp_scan_destination_ports,
            tcp_other_destination_ports,
            tcp_backscatter_source_ports,
            udp_destination_ports,
            mirai_destination_ports,
        } = counters;
        match self {
            Self::Packets => std::slice::from_ref(packets),
            Self::Bytes => std::slice::from_ref(bytes),
            Self::Outcome => outcomes,
            Self::TcpClass => tcp_classes,
            Self::Signature => signatures,
            Self::Window => windows,
            Self::IpProtocol => ip_protocols,
            Self::TcpFlags => tcp_flags,
            Self::IcmpV4Type => icmp_v4_types,
            Self::IcmpV6Type => icmp_v6_types,
            Self::TcpScanDestinationPort => tcp_scan_destination_ports,
            Self::TcpOtherDestinationPort => tcp_other_destination_ports,
            Self::TcpBackscatterSourcePort => tcp_backscatter_source_ports,
            Self::UdpDestinationPort => udp_destination_ports,
            Self::MiraiDestinationPort => mirai_destination_ports,
            Self::DigestsWritten => digests,
            Self::DigestsLost => digests_lost,
            Self::EvidenceWritten => std::slice::from_ref(evidence_written),
            Self::EvidenceSkipped => evidence_skipped,
        }
    }

    fn of_mut(self, counters: &mut CpuCounters) -> &mut [u64] {
        match self {
            Self::Packets => std::slice::from_mut(&mut counters.packets),
            Self::Bytes => std::slice::from_mut(&mut counters.bytes),
            Self::Outcome => &mut counters.outcomes,
            Self::TcpClass => &mut counters.tcp_classes,
            Self::Signature => &mut counters.signatures,
            Self::Window => &mut counters.windows,
            Self::IpProtocol => &mut counters.ip_protocols,
            Self::TcpFlags => &mut counters.tcp_flags,
            Self::IcmpV4Type => &mut counters.icmp_v4_types,
            Self::IcmpV6Type => &mut counters.icmp_v6_types,
            Self::TcpScanDestinationPort => &mut counters.tcp_scan_destination_ports,
            Self::TcpOtherDestinationPort => &mut counters.tcp_other_destination_ports,
            Self::TcpBackscatterSourcePort => &mut counters.tcp_backscatter_source_ports,
            Self::UdpDestinationPort => &mut counters.udp_destination_ports,
            Self::MiraiDestinationPort => &mut counters.mirai_destination_ports,
            Self::DigestsWritten => &mut counters.digests,
            Self::DigestsLost => &mut counters.digests_lost,
            Self::EvidenceWritten => std::slice::from_mut(&mut counters.evidence_written),
            Self::EvidenceSkipped => &mut counters.evidence_skipped,
        }
    }
}

/// Why counters in long form are not an interval's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CounterError {
    #[error("counter {} has no key {key}", .dimension.name())]
    Key { dimension: Dimension, key: u32 },
    #[error("counter {} of key {key} is there twice, or out of order", .dimension.name())]
    Order { dimension: Dimension, key: u32 },
    #[error("{0} watched windows, at most {WATCHED_WINDOWS} fit")]
    Windows(usize),
    #[error("the sum of counter {} of key {key} is beyond 64 bits", .dimension.name())]
    Overflow { dimension: Dimension, key: u32 },
}

/// Counters in long form, by dimension and key; the zero ones left out.
#[must_use]
pub fn counters(totals: &CpuCounters, watched_windows: &[u16]) -> Vec<Counter> {
    let mut long = Vec::new();
    for dimension in Dimension::ALL {
        let places = (0..).zip(dimension.of(totals)).filter(|(_, packets)| **packets != 0);
        let begin = long.len();
        for (place, &packets) in places {
            let key = match dimension {
                // A window that nobody watches cannot have been counted.
                Dimension::Window => watched_windows.get(place as usize).copied().map_or(place, u32::from),
                _ => place,
            };
            long.push(Counter { dimension, key, packets });
        }
        long[begin..].sort_unstable();
    }
    long
}

/// Whether these are an interval's counters: in order, each once, and each with a key that there is.
///
/// # Errors
/// Where they are not.
pub fn check(long: &[Counter], watched_windows: &[u16]) -> Result<(), CounterError> {
    if watched_windows.len() > WATCHED_WINDOWS {
        return Err(CounterError::Windows(watched_windows.len()));
    }
    let name = |counter: &Counter| (counter.dimension, counter.key);
    if let Some(pair) = long.windows(2).find(|pair| name(&pair[0]) >= name(&pair[1])) {
        let Counter { dimension, key, .. } = pair[1];
        return Err(CounterError::Order { dimension, key });
    }
    match long.iter().find(|counter| place(counter, watched_windows).is_none()) {
        Some(&Counter { dimension, key, .. }) => Err(CounterError::Key { dimension, key }),
        None => Ok(()),
    }
}

/// Adds counters in long form to totals.
///
/// # Errors
/// Where a key has no counter, or a sum is beyond what one holds.
pub fn add_to(totals: &mut Totals, long: &[Counter], watched_windows: &[u16]) -> Result<(), CounterError> {
    for counter in long {
        let &Counter { dimension, key, packets } = counter;
        let place = place(counter, watched_windows).ok_or(CounterError::Key { dimension, key })?;
        let sum = &mut dimension.of_mut(totals.counters_mut())[place];
        *sum = sum.checked_add(packets).ok_or(CounterError::Overflow { dimension, key })?;
    }
    Ok(())
}

fn place(counter: &Counter, watched_windows: &[u16]) -> Option<usize> {
    const KEYS_OF_TYPES: usize = 256;
    let key = counter.key as usize;
    let keys = match counter.dimension {
        Dimension::Window => {
            return watched_windows.iter().position(|window| usize::from(*window) == key);
        }
        Dimension::Packets | Dimension::Bytes | Dimension::EvidenceWritten => 1,
        Dimension::DigestsWritten | Dimension::DigestsLost => 2,
        Dimension::EvidenceSkipped => 3,
        Dimension::TcpClass | Dimension::Signature => 4,
        Dimension::Outcome => 16,
        Dimension::IpProtocol | Dimension::TcpFlags | Dimension::IcmpV4Type | Dimension::IcmpV6Type => {
            KEYS_OF_TYPES
        }
        Dimension::TcpScanDestinationPort
        | Dimension::TcpOtherDestinationPort
        | Dimension::TcpBackscatterSourcePort
        | Dimension::UdpDestinationPort
        | Dimension::MiraiDestinationPort => PORTS,
    };
    (key < keys).then_some(key)
}
