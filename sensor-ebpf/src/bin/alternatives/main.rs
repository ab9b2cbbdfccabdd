//! What the sensor does not do, to be measured beside it: flows in a hash table of the kernel's, instead of
//! digests. All else is the sensor's own code.
#![no_std]
#![no_main]
#![feature(asm_experimental_arch)]

#[path = "../sensor/configured.rs"]
mod configured;
#[path = "../sensor/observe.rs"]
mod observe;

use aya_ebpf::macros::{map, xdp};
use aya_ebpf::maps::{HashMap, LruHashMap};
use aya_ebpf::programs::XdpContext;
use sensor_ebpf::classify::traffic_class;
use sensor_ebpf::count::{Raise, Shared};
use sensor_ebpf::packet::{Network, Packet};

use observe::{Log, NotKept, Place, observe};

/// More than the bench has sources.
const FLOWS: u32 = 1 << 21;

/// A source, and what it does: less than the agent tells apart, which is to the hash tables' advantage.
#[derive(Clone, Copy)]
#[repr(C)]
struct Key {
    source: [u8; 4],
    protocol: u8,
    class: u8,
    signatures: u8,
    spare: u8,
}

#[derive(Clone, Copy)]
#[repr(C)]
struct Sums {
    packets: u64,
    bytes: u64,
}

#[map]
static HASH: HashMap<Key, Sums> = HashMap::with_max_entries(FLOWS, 0);
#[map]
static LRU_HASH: LruHashMap<Key, Sums> = LruHashMap::with_max_entries(FLOWS, 0);

#[xdp(frags)]
pub fn flow_hash(context: XdpContext) -> u32 {
    observe::<ToHash, NotKept>(&context)
}

#[xdp(frags)]
pub fn flow_lru_hash(context: XdpContext) -> u32 {
    observe::<ToLruHash, NotKept>(&context)
}

#[inline(always)]
fn key(packet: &Packet<'_>, signatures: u8) -> Option<(Key, u64)> {
    let Network::Ipv4(ipv4) = packet.network else {
        return None;
    };
    let class = traffic_class(packet) as u8;
    let key = Key { source: ipv4.source, protocol: packet.protocol, class, signatures, spare: 0 };
    Some((key, u64::from(u16::from_be_bytes(ipv4.total_length))))
}

/// Adds to the sums that were found, or says that there are none.
#[inline(always)]
fn add(found: Option<*mut Sums>, bytes: u64) -> bool {
    let Some(sums) = found else {
        return false;
    };
    // SAFETY: a value of the map. Other CPUs add to it too, so atomically.
    unsafe {
        Shared::raise(&raw mut (*sums).packets, 1);
        Shared::raise(&raw mut (*sums).bytes, bytes);
    }
    true
}

struct ToHash;

impl Log for ToHash {
    #[inline(always)]
    fn log<R: Raise>(_place: Place, packet: &Packet<'_>, signatures: u8) {
        if let Some((key, bytes)) = key(packet, signatures)
            && !add(HASH.get_ptr_mut(&key), bytes)
        {
            // A full table refuses, which the bench does not let it be.
            let _refused = HASH.insert(&key, &Sums { packets: 1, bytes }, 0);
        }
    }
}

struct ToLruHash;

impl Log for ToLruHash {
    #[inline(always)]
    fn log<R: Raise>(_place: Place, packet: &Packet<'_>, signatures: u8) {
        if let Some((key, bytes)) = key(packet, signatures)
            && !add(LRU_HASH.get_ptr_mut(&key), bytes)
        {
            let _refused = LRU_HASH.insert(&key, &Sums { packets: 1, bytes }, 0);
        }
    }
}

#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";
