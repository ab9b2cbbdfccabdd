//! Every record, index, limit and map name that the XDP program and user space share.
//!
//! Layout is asserted at compile time. A change to anything here that a pinned map could notice is a
//! new [`ABI_VERSION`]: an agent refuses to read maps of another version.

use core::mem::{offset_of, size_of};

/// Version of every layout in this file.
pub const ABI_VERSION: u32 = 2;
/// Version of the rules behind [`Signature`]: raised where a signature's meaning changes, so that a trend's break shows
/// as what it is.
pub const SIGNATURES_VERSION: u32 = 1;
/// First word of [`Control`], "APUS" in ASCII, in every ABI version.
pub const MAGIC: u32 = u32::from_be_bytes(*b"APUS");

/// Ports of TCP and UDP.
pub const PORTS: usize = 1 << 16;
/// Windows that an operator may watch at once.
pub const WATCHED_WINDOWS: usize = 16;
/// Disjoint destination ranges per address family that may be observed at once.
pub const OBSERVED_RANGES: usize = 1024;
/// Interfaces that one sensor may be attached to.
pub const INTERFACES: usize = 64;
/// Banks of counters per slot, see [`Control::active_bank`].
pub const BANKS: u32 = 2;
/// The largest array value before Linux 6.0.
pub const LARGEST_VALUE: usize = 4 << 20;

/// Digests in one segment of an IPv4 ring: 256 KiB. A ring is a power of two of digests, so that one
/// smaller than a segment lies in a part of it, and a larger one in several.
pub const IPV4_SEGMENT: usize = 1 << 13;
/// Digests in one segment of an IPv6 ring: 256 KiB.
pub const IPV6_SEGMENT: usize = 1 << 12;
/// The most digests that one ring holds: 4 GiB of them.
pub const LARGEST_RING: u32 = 1 << 26;

/// Bytes of a packet that a record of evidence has room for, a multiple of eight.
pub const EVIDENCE_SNAP: usize = 512;
/// Service ports that evidence may be kept of.
pub const EVIDENCE_PORTS: usize = 16;
/// Disjoint source ranges per address family that evidence may be kept of, a power of two.
pub const EVIDENCE_RANGES: usize = 64;
/// The smallest ring of evidence: a page, where none is kept.
pub const EVIDENCE_SMALLEST_RING: u32 = 1 << 12;

/// Names of the maps, as they are in the object and, in this spelling, under bpffs.
pub mod maps {
    /// `Array<CpuCounters>`, `BPF_F_MMAPABLE`: entry `slot * BANKS + bank`.
    pub const COUNTERS: &str = "COUNTERS";
    /// `Array<Control>` of one entry, `BPF_F_MMAPABLE`.
    pub const CONTROL: &str = "CONTROL";
    /// `Array<CpuCounters>` of two entries, `BPF_F_MMAPABLE`: totals as of the last interval reported.
    pub const REPORTED: &str = "REPORTED";
    /// `Array<RingPositions>`, `BPF_F_MMAPABLE`: an entry for each slot that is one CPU's own.
    pub const RINGS: &str = "RINGS";
    /// `Array<Ipv4Segment>`, `BPF_F_MMAPABLE`: all segments of the first ring, then those of the second.
    pub const IPV4_DIGESTS: &str = "IPV4_DIGESTS";
    /// `Array<Ipv6Segment>`, `BPF_F_MMAPABLE`, in the same order.
    pub const IPV6_DIGESTS: &str = "IPV6_DIGESTS";

    /// `RingBuf` of [`crate::evidence::EvidenceRecord`]s.
    pub const EVIDENCE_RECORDS: &str = "EVIDENCE_RECORDS";

    /// Every map that is pinned.
    pub const ALL: [&str; 7] =
        [COUNTERS, CONTROL, REPORTED, RINGS, IPV4_DIGESTS, IPV6_DIGESTS, EVIDENCE_RECORDS];
}

/// Names of the XDP programs in the object.
pub mod programs {
    /// The sensor, able to see multi-buffer packets (Linux 5.18 and later).
    pub const SENSOR: &str = "sensor";
    /// The sensor for kernels and drivers without multi-buffer support.
    pub const SENSOR_SINGLE_BUFFER: &str = "sensor_single_buffer";
    /// [`SENSOR`], where evidence is kept.
    pub const SENSOR_EVIDENCE: &str = "sensor_evidence";
    /// [`SENSOR_SINGLE_BUFFER`], where evidence is kept.
    pub const SENSOR_EVIDENCE_SINGLE_BUFFER: &str = "sensor_evidence_single_buffer";
}

/// Names of the `.rodata` globals that configure the program.
pub mod globals {
    /// `u32`: the slot of a CPU is its number, but at most this.
    pub const LAST_SLOT: &str = "LAST_SLOT";
    /// `u32`: 1 where several CPUs share the last slot, which then counts with atomic additions.
    pub const LAST_SLOT_SHARED: &str = "LAST_SLOT_SHARED";
    /// `u32`: digests in a ring of IPv4 digests, a power of two; 0 where none are written.
    pub const RING_RECORDS: &str = "RING_RECORDS";
    /// `u32`: the same for IPv6; 0 where `RING_RECORDS` is.
    pub const RING_RECORDS_IPV6: &str = "RING_RECORDS_IPV6";
    /// `u32`: 1 where the kernel knows `bpf_xdp_get_buff_len` (Linux 5.18).
    pub const MULTI_BUFFER: &str = "MULTI_BUFFER";
    /// `u32`: 1 to drop packets to observed destinations, 0 to pass everything.
    pub const DROP_OBSERVED: &str = "DROP_OBSERVED";
    /// `u32`: 1 where only the ranges are observed, 0 where every destination is.
    pub const OBSERVED_RESTRICTED: &str = "OBSERVED_RESTRICTED";
    /// `u32`: how many entries of `OBSERVED_IPV4` are used.
    pub const OBSERVED_IPV4_COUNT: &str = "OBSERVED_IPV4_COUNT";
    /// `u32`: how many entries of `OBSERVED_IPV6` are used.
    pub const OBSERVED_IPV6_COUNT: &str = "OBSERVED_IPV6_COUNT";
    /// `[Ipv4Range; OBSERVED_RANGES]`, sorted and disjoint.
    pub const OBSERVED_IPV4: &str = "OBSERVED_IPV4";
    /// `[Ipv6Range; OBSERVED_RANGES]`, sorted and disjoint.
    pub const OBSERVED_IPV6: &str = "OBSERVED_IPV6";
    /// `u32`: how many entries of `WATCHED_WINDOWS` are used.
    pub const WATCHED_WINDOW_COUNT: &str = "WATCHED_WINDOW_COUNT";
    /// `[u32; WATCHED_WINDOWS]`: TCP windows in host order, as the wire gives them (unscaled).
    pub const WATCHED_WINDOWS: &str = "WATCHED_WINDOWS";
    /// [`crate::evidence::EvidenceFilter`]: which packets, and how much of each.
    pub const EVIDENCE_FILTER: &str = "EVIDENCE_FILTER";
}

/// Where a packet ends up: exactly one of these, for every packet that the program sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Outcome {
    Ipv4Tcp,
    Ipv4Udp,
    Ipv4Icmp,
    Ipv4Other,
    Ipv6Tcp,
    Ipv6Udp,
    Ipv6Icmp,
    Ipv6Other,
    /// A fragment that is not the first, so that it has no transport header.
    Fragment,
    /// A header that is cut off or impossible.
    Malformed,
    NonIp,
    /// A destination outside the observed prefixes.
    Unobserved,
}

/// The traffic class of a TCP packet, from its flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum TcpClass {
    Scan,
    BackscatterSynAck,
    BackscatterRst,
    Other,
}

/// The IP versions, each with digests and rings of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Family {
    Ipv4,
    Ipv6,
}

/// The traffic class of any observed packet: what it is to a telescope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum TrafficClass {
    /// A request: a TCP scan, UDP to a port but not from 53, an ICMP echo request.
    Scan,
    /// TCP with SYN and ACK: an answer to a SYN that a forger sent.
    BackscatterSynAck,
    /// TCP with RST: a refusal of a packet that a forger sent.
    BackscatterRst,
    /// Another answer or error: ICMP, or UDP from port 53.
    Backscatter,
    /// Whatever else has a header to tell by.
    Other,
    /// A fragment that is not the first.
    Fragment,
}

/// Signatures with a counter of their own; watched windows have [`CpuCounters::windows`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Signature {
    Mirai,
    Zmap,
    Masscan,
}

/// Why the program did not hand over a packet that the evidence filter matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum EvidenceSkip {
    /// The ring buffer was full.
    Ring,
    /// The agent has closed the gate: as many were written as its limits allow.
    Gate,
}

/// What one slot (a CPU, or the CPUs that share the last slot) has counted in one bank.
///
/// Every counter is a number of packets, but for `bytes`. Counters only grow.
#[derive(Clone)]
#[repr(C)]
pub struct CpuCounters {
    /// Packets that the program saw.
    pub packets: u64,
    /// Bytes of their frames, from the Ethernet header on, without the frame check sequence.
    pub bytes: u64,
    /// Digests written, by [`Family`].
    pub digests: [u64; 2],
    /// Digests for which there was no room, by [`Family`]: of packets that are counted all the same.
    pub digests_lost: [u64; 2],
    /// Packets handed over as evidence.
    pub evidence_written: u64,
    /// Packets that the evidence filter matches and that were not, by [`EvidenceSkip`]; the last is spare.
    pub evidence_skipped: [u64; 3],
    /// By [`TcpClass`].
    pub tcp_classes: [u64; 4],
    /// By [`Signature`]; the last is spare.
    pub signatures: [u64; 4],
    /// By [`Outcome`]; the last four are spare.
    pub outcomes: [u64; 16],
    /// TCP scans by watched window, in the order of the configuration.
    pub windows: [u64; WATCHED_WINDOWS],
    /// By IP protocol, the last of an IPv6 chain: outcomes `ipv4_*`, `ipv6_*` and `fragment`.
    pub ip_protocols: [u64; 256],
    /// By the TCP flags byte (RFC 9293, byte 13 of the header).
    pub tcp_flags: [u64; 256],
    /// Outcome `ipv4_icmp` by ICMP type.
    pub icmp_v4_types: [u64; 256],
    /// Outcome `ipv6_icmp` by ICMPv6 type.
    pub icmp_v6_types: [u64; 256],
    /// TCP scans by destination port.
    pub tcp_scan_destination_ports: [u64; PORTS],
    /// TCP of class other by destination port.
    pub tcp_other_destination_ports: [u64; PORTS],
    /// TCP backscatter, both classes, by source port: the service under attack.
    pub tcp_backscatter_source_ports: [u64; PORTS],
    /// UDP by destination port.
    pub udp_destination_ports: [u64; PORTS],
    /// Mirai signature by destination port.
    pub mirai_destination_ports: [u64; PORTS],
}

/// How an interface was attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum AttachMode {
    /// In the driver.
    Native = 1,
    /// In the network stack, after the driver has built an skb.
    Generic = 2,
}

/// One attached interface; `index` 0 means an unused entry.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct InterfaceRecord {
    /// Kernel interface index.
    pub index: u32,
    /// [`AttachMode`] as a number.
    pub mode: u32,
    /// When it was attached, nanoseconds since the Unix epoch.
    pub attached_unix_nanoseconds: u64,
    /// Interface name when it was attached, padded with zero bytes.
    pub name: [u8; 16],
    /// Driver name as ethtool gives it, padded with zero bytes.
    pub driver: [u8; 32],
}

/// The sensor's state that outlives the agent: what the program reads, and what the next agent must know.
///
/// `magic` and `abi_version` keep their places in every ABI version.
#[repr(C)]
pub struct Control {
    pub magic: u32,
    pub abi_version: u32,
    /// The bank that packets are counted in, 0 or 1. The agent flips it, waits for the programs still
    /// running on the old one, and then reads counters that stand still: an exact cut between two
    /// intervals, at any packet rate.
    pub active_bank: u32,
    /// Slots in `COUNTERS`.
    pub slots: u32,
    /// Fingerprint of the configuration that is in the program's `.rodata`.
    pub configuration: u64,
    /// When the counters began at zero, nanoseconds since the Unix epoch: the sensor's epoch.
    pub epoch_unix_nanoseconds: u64,
    /// Intervals reported in this epoch; `REPORTED[sequence % 2]` holds the totals as of the last.
    pub sequence: u64,
    /// End of the last interval reported, nanoseconds since the Unix epoch.
    pub reported_unix_nanoseconds: u64,
    /// How many of `watched_windows` are used.
    pub watched_window_count: u32,
    /// 1 where packets to observed destinations are dropped.
    pub drop_observed: u32,
    /// Digests in each ring, as the maps were made for.
    pub ring_records: u32,
    pub ring_records_ipv6: u32,
    /// Bytes of the ring buffer of evidence, as the map was made for.
    pub evidence_ring_bytes: u32,
    /// 0: evidence is handed over. Anything else: it is only counted as skipped. The agent's.
    pub evidence_gate: u32,
    /// The windows behind [`CpuCounters::windows`].
    pub watched_windows: [u32; WATCHED_WINDOWS],
    pub interfaces: [InterfaceRecord; INTERFACES],
}

/// An inclusive range of IPv4 destinations, in host order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Ipv4Range {
    pub first: u32,
    pub last: u32,
}

/// An inclusive range of IPv6 destinations, each address as two halves in host order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Ipv6Range {
    pub first: [u64; 2],
    pub last: [u64; 2],
}

const _: () = {
    assert!(size_of::<CpuCounters>() == 8 * (2 + 4 + 4 + 4 + 4 + 16 + 16 + 4 * 256 + 5 * PORTS));
    assert!(size_of::<CpuCounters>() <= LARGEST_VALUE);
    assert!(offset_of!(CpuCounters, evidence_written) == 48);
    assert!(offset_of!(CpuCounters, outcomes) == 144);
    assert!(offset_of!(CpuCounters, windows) == 272);
    assert!(offset_of!(CpuCounters, ip_protocols) == 400);
    assert!(offset_of!(CpuCounters, tcp_scan_destination_ports) == 8592);
    assert!(size_of::<InterfaceRecord>() == 64);
    assert!(offset_of!(Control, active_bank) == 8);
    assert!(offset_of!(Control, configuration) == 16);
    assert!(offset_of!(Control, evidence_gate) == 68);
    assert!(offset_of!(Control, watched_windows) == 72);
    assert!(offset_of!(Control, interfaces) == 136);
    assert!(size_of::<Control>() == 136 + 64 * INTERFACES);
    assert!(size_of::<Ipv4Range>() == 8);
    assert!(size_of::<Ipv6Range>() == 32);
};
