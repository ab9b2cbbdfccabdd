//! What the bench compares the sensor with: a bare verdict, and decoding alone.
#![no_std]
#![no_main]

use core::ptr;

use aya_ebpf::bindings::xdp_action::{XDP_ABORTED, XDP_DROP, XDP_PASS};
use aya_ebpf::macros::xdp;
use aya_ebpf::programs::XdpContext;
use sensor_ebpf::headers::Frame;
use sensor_ebpf::observed::Everything;
use sensor_ebpf::packet::{Packet, Then, Transport, decode_then};

/// The limit: nothing that looks at a packet can be faster.
#[xdp(frags)]
pub fn bare_drop(_context: XdpContext) -> u32 {
    XDP_DROP
}

/// The same for an interface whose packets are a host's own.
#[xdp(frags)]
pub fn bare_pass(_context: XdpContext) -> u32 {
    XDP_PASS
}

/// Decodes as the sensor does and drops every packet, with as little use of the result as keeps the
/// compiler from removing the work.
#[xdp(frags)]
pub fn decode_only(context: XdpContext) -> u32 {
    decode(&context, XDP_DROP)
}

/// The same, and passes every packet.
#[xdp(frags)]
pub fn decode_pass(context: XdpContext) -> u32 {
    decode(&context, XDP_PASS)
}

#[inline(always)]
fn decode(context: &XdpContext, verdict: u32) -> u32 {
    // SAFETY: the kernel gives a program pointers to a readable packet.
    let frame = unsafe {
        Frame::from_pointers(
            ptr::with_exposed_provenance(context.data()),
            ptr::with_exposed_provenance(context.data_end()),
        )
    };
    decode_then(frame, &Everything, Giving(verdict))
}

/// The verdict on every packet.
struct Giving(u32);

impl Then<'_> for Giving {
    type Result = u32;

    #[inline(always)]
    fn then(self, packet: Packet<'_>) -> u32 {
        let ports = match packet.transport {
            Transport::Tcp(tcp) => {
                u16::from_be_bytes(tcp.source_port) ^ u16::from_be_bytes(tcp.destination_port)
            }
            Transport::Udp(udp) => {
                u16::from_be_bytes(udp.source_port) ^ u16::from_be_bytes(udp.destination_port)
            }
            _ => 0,
        };
        // No packet has this: it keeps the decoded values alive.
        if packet.outcome as u32 + u32::from(ports) == u32::MAX { XDP_ABORTED } else { self.0 }
    }
}

#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";
