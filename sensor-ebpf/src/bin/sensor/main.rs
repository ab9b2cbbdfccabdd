//! The XDP sensor: decode, classify, count, digest, verdict; nothing else.
#![no_std]
#![no_main]
#![feature(asm_experimental_arch)]

mod configured;
mod observe;
mod rings;

use aya_ebpf::macros::xdp;
use aya_ebpf::programs::XdpContext;

use observe::observe;
use rings::ToRings;

#[xdp(frags)]
pub fn sensor(context: XdpContext) -> u32 {
    observe::<ToRings>(&context)
}

#[xdp]
pub fn sensor_single_buffer(context: XdpContext) -> u32 {
    observe::<ToRings>(&context)
}

#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";
