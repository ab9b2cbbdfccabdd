//! The XDP sensor: decode, classify, count, digest, verdict; and evidence where it is asked for. Nothing else.
#![no_std]
#![no_main]
#![feature(asm_experimental_arch)]

mod configured;
mod evidence;
mod observe;
mod rings;

use aya_ebpf::macros::xdp;
use aya_ebpf::programs::XdpContext;

use evidence::Kept;
use observe::{NotKept, observe};
use rings::ToRings;

#[xdp(frags)]
pub fn sensor(context: XdpContext) -> u32 {
    observe::<ToRings, NotKept>(&context)
}

#[xdp]
pub fn sensor_single_buffer(context: XdpContext) -> u32 {
    observe::<ToRings, NotKept>(&context)
}

// Programs of their own, so that where no evidence is kept not one instruction is there for it.
#[xdp(frags)]
pub fn sensor_evidence(context: XdpContext) -> u32 {
    observe::<ToRings, Kept>(&context)
}

#[xdp]
pub fn sensor_evidence_single_buffer(context: XdpContext) -> u32 {
    observe::<ToRings, Kept>(&context)
}

#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";
