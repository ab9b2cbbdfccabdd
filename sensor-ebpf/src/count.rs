//! Counting: from a decoded packet to the counters it raises.

use crate::abi::{CpuCounters, EvidenceSkip, Family, Outcome, Signature, TcpClass};
use crate::classify::{is_masscan, is_mirai, is_zmap, tcp_class};
use crate::headers::Tcp;
use crate::packet::{Network, Packet, Transport};

/// How one counter is raised.
pub trait Raise {
    /// Whether a slot counted in this manner has no other writer.
    const EXCLUSIVE: bool;

    /// Adds `by` to the counter.
    ///
    /// # Safety
    /// `counter` must point to a live, aligned counter.
    unsafe fn raise(counter: *mut u64, by: u64);
}

/// For a slot that one CPU has to itself: no other writer, so no locked instruction.
pub struct Exclusive;

impl Raise for Exclusive {
    const EXCLUSIVE: bool = true;

    #[inline(always)]
    unsafe fn raise(counter: *mut u64, by: u64) {
        // SAFETY: the caller's promise; an XDP program is not preempted by another on the same CPU.
        unsafe { *counter = (*counter).wrapping_add(by) }
    }
}

/// For the slot that all CPUs beyond the last exclusive one share.
pub struct Shared;

impl Raise for Shared {
    const EXCLUSIVE: bool = false;

    #[inline(always)]
    #[cfg(target_arch = "bpf")]
    unsafe fn raise(counter: *mut u64, by: u64) {
        // SAFETY: the caller's promise. In assembly, because libcore has no atomic addition for BPF.
        unsafe { core::arch::asm!("lock *(u64 *)({0} + 0) += {1}", in(reg) counter, in(reg) by) }
    }

    #[cfg(not(target_arch = "bpf"))]
    unsafe fn raise(counter: *mut u64, by: u64) {
        use core::sync::atomic::{AtomicU64, Ordering};
        // SAFETY: the caller's promise, and every writer of this slot uses this function.
        unsafe { AtomicU64::from_ptr(counter) }.fetch_add(by, Ordering::Relaxed);
    }
}

/// The windows that the operator watches.
pub trait WatchedWindows {
    /// The place of `window` (host order) in the configuration, below [`crate::abi::WATCHED_WINDOWS`].
    fn position(&self, window: u16) -> Option<usize>;
}

/// Counts one packet of `bytes` bytes, and gives the signatures that it has: bits of
/// [`crate::digest::marks`].
///
/// # Safety
/// `counters` must point to live counters, with no writer but those that `R` allows for.
#[inline(always)]
pub unsafe fn count<R: Raise>(
    counters: *mut CpuCounters,
    packet: &Packet<'_>,
    bytes: u64,
    windows: &impl WatchedWindows,
) -> u8 {
    let mut marks = 0;
    // SAFETY: by the caller's promise the counters are live, and each index is inside its table by its
    // type: a byte, a port, or a variant of the enumeration that the table is laid out for.
    unsafe {
        R::raise(&raw mut (*counters).packets, 1);
        R::raise(&raw mut (*counters).bytes, bytes);
        R::raise(element(&raw mut (*counters).outcomes, packet.outcome as usize), 1);
        match packet.outcome {
            Outcome::Malformed | Outcome::NonIp | Outcome::Unobserved => return marks,
            _ => R::raise(element(&raw mut (*counters).ip_protocols, packet.protocol.into()), 1),
        }
        if let (Network::Ipv4(ipv4), true) = (packet.network, !matches!(packet.outcome, Outcome::Fragment))
            && is_zmap(ipv4)
        {
            marks |= count_signature::<R>(counters, Signature::Zmap);
        }
        match packet.transport {
            Transport::Tcp(tcp) => marks |= count_tcp::<R>(counters, packet.network, tcp, windows),
            Transport::Udp(udp) => {
                let port = port(udp.destination_port);
                R::raise(element(&raw mut (*counters).udp_destination_ports, port), 1);
            }
            Transport::Icmp(icmp) => {
                R::raise(element(&raw mut (*counters).icmp_v4_types, icmp.kind.into()), 1);
            }
            Transport::Icmpv6(icmpv6) => {
                R::raise(element(&raw mut (*counters).icmp_v6_types, icmpv6.kind.into()), 1);
            }
            Transport::None => {}
        }
    }
    marks
}

/// # Safety
/// As for [`count`].
#[inline(always)]
unsafe fn count_tcp<R: Raise>(
    counters: *mut CpuCounters,
    network: Network<'_>,
    tcp: &Tcp,
    windows: &impl WatchedWindows,
) -> u8 {
    let class = tcp_class(tcp.flags);
    let mut marks = 0;
    // SAFETY: as for `count`.
    unsafe {
        R::raise(element(&raw mut (*counters).tcp_flags, tcp.flags.into()), 1);
        R::raise(element(&raw mut (*counters).tcp_classes, class as usize), 1);
        match class {
            TcpClass::Scan => {
                let port = port(tcp.destination_port);
                R::raise(element(&raw mut (*counters).tcp_scan_destination_ports, port), 1);
                if let Network::Ipv4(ipv4) = network {
                    if is_mirai(ipv4, tcp) {
                        marks |= count_signature::<R>(counters, Signature::Mirai);
                        R::raise(element(&raw mut (*counters).mirai_destination_ports, port), 1);
                    }
                    if is_masscan(ipv4, tcp) {
                        marks |= count_signature::<R>(counters, Signature::Masscan);
                    }
                }
                if let Some(position) = windows.position(u16::from_be_bytes(tcp.window)) {
                    R::raise(element(&raw mut (*counters).windows, position), 1);
                }
            }
            TcpClass::BackscatterSynAck | TcpClass::BackscatterRst => {
                let port = port(tcp.source_port);
                R::raise(element(&raw mut (*counters).tcp_backscatter_source_ports, port), 1);
            }
            TcpClass::Other => {
                let port = port(tcp.destination_port);
                R::raise(element(&raw mut (*counters).tcp_other_destination_ports, port), 1);
            }
        }
    }
    marks
}

/// Counts a digest as written, or as lost.
///
/// # Safety
/// As for [`count`].
#[inline(always)]
pub unsafe fn count_digest<R: Raise>(counters: *mut CpuCounters, family: Family, written: bool) {
    // SAFETY: as for `count`.
    unsafe {
        if written {
            R::raise(element(&raw mut (*counters).digests, family as usize), 1);
        } else {
            R::raise(element(&raw mut (*counters).digests_lost, family as usize), 1);
        }
    }
}

/// Counts a packet that the evidence filter matches as handed over, or as skipped for this reason.
///
/// # Safety
/// As for [`count`].
#[inline(always)]
pub unsafe fn count_evidence<R: Raise>(counters: *mut CpuCounters, skipped: Option<EvidenceSkip>) {
    // SAFETY: as for `count`.
    unsafe {
        match skipped {
            None => R::raise(&raw mut (*counters).evidence_written, 1),
            Some(EvidenceSkip::Ring) => {
                R::raise(element(&raw mut (*counters).evidence_skipped, EvidenceSkip::Ring as usize), 1);
            }
            Some(EvidenceSkip::Gate) => {
                R::raise(element(&raw mut (*counters).evidence_skipped, EvidenceSkip::Gate as usize), 1);
            }
        }
    }
}

/// # Safety
/// As for [`count`].
#[inline(always)]
unsafe fn count_signature<R: Raise>(counters: *mut CpuCounters, signature: Signature) -> u8 {
    // SAFETY: as for `count`.
    unsafe { R::raise(element(&raw mut (*counters).signatures, signature as usize), 1) }
    1 << signature as u8
}

/// The counter at `index`, without the bounds check of indexing and the panic behind it.
///
/// # Safety
/// `table` must be live, and `index` below `N`.
#[inline(always)]
unsafe fn element<const N: usize>(table: *mut [u64; N], index: usize) -> *mut u64 {
    debug_assert!(index < N);
    // SAFETY: the caller's promise.
    unsafe { table.cast::<u64>().add(index) }
}

/// A port as an index.
#[inline(always)]
fn port(wire: [u8; 2]) -> usize {
    let port = usize::from(u16::from_be_bytes(wire));
    // The verifier forgets all bounds at a byte swap, and LLVM, which does not, would remove a plain
    // mask as needless.
    #[cfg(target_arch = "bpf")]
    let port = {
        let mut port = port;
        // SAFETY: one arithmetic instruction on a register.
        unsafe { core::arch::asm!("{0} &= 0xffff", inout(reg) port, options(pure, nomem, nostack)) };
        port
    };
    port
}
