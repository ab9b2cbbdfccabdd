//! The XDP traffic generator: writes each packet anew from a template, and counts what it wrote.
#![no_std]
#![no_main]
#![feature(asm_experimental_arch)]

use core::arch::asm;
use core::ptr;

use aya_ebpf::bindings::xdp_action::{XDP_ABORTED, XDP_TX};
use aya_ebpf::helpers::bpf_get_smp_processor_id;
use aya_ebpf::helpers::generated::bpf_xdp_adjust_tail;
use aya_ebpf::macros::{map, xdp};
use aya_ebpf::maps::{Array, ProgramArray};
use aya_ebpf::programs::XdpContext;
use sensor_ebpf::classify::ZMAP_IDENTIFICATION;
use sensor_ebpf::generate::{
    FIRST_SOURCE, GENERATOR_CPUS, Generated, Generator, SCHEDULE, TEMPLATE_BYTES, TEMPLATES, Template,
    mutations,
};
use sensor_ebpf::headers::{Ipv4, Ipv6};

const BPF_F_MMAPABLE: u32 = 1 << 10;

#[map]
static GENERATOR: Array<Generator> = Array::with_max_entries(1, BPF_F_MMAPABLE);
#[map]
static GENERATED: Array<Generated> = Array::with_max_entries(GENERATOR_CPUS, BPF_F_MMAPABLE);
#[map]
static UNDER_TEST: ProgramArray = ProgramArray::with_max_entries(1, 0);

#[xdp(frags)]
pub fn generate(context: XdpContext) -> u32 {
    write_and_send(&context)
}

#[xdp]
pub fn generate_single_buffer(context: XdpContext) -> u32 {
    write_and_send(&context)
}

#[inline(always)]
fn write_and_send(context: &XdpContext) -> u32 {
    match write_packet(context) {
        Some(()) => XDP_TX,
        None => XDP_ABORTED,
    }
}

#[xdp(frags)]
pub fn generate_and_call(context: XdpContext) -> u32 {
    if write_packet(&context).is_some() {
        // SAFETY: on success it does not come back.
        let _absent = unsafe { UNDER_TEST.tail_call(&context, 0) };
    }
    XDP_ABORTED
}

#[inline(always)]
fn write_packet(context: &XdpContext) -> Option<()> {
    let generator = GENERATOR.get_ptr(0)?;
    // SAFETY: no arguments, no side effects.
    let generated = GENERATED.get_ptr_mut(unsafe { bpf_get_smp_processor_id() })?;
    // SAFETY: look-ups that succeeded; this CPU alone writes its entry, and the indices are masked.
    unsafe {
        let random = next_random(&mut (*generated).random);
        let drawn = (random >> 48) as usize & (SCHEDULE - 1);
        let number = *(&raw const (*generator).schedule).cast::<u32>().add(drawn) as usize & (TEMPLATES - 1);
        let template = &*(&raw const (*generator).templates).cast::<Template>().add(number);
        let written = resize(context, template.length)
            .and_then(|()| copy(context, template))
            .and_then(|()| mutate(context, template, (*generator).sources, random));
        if written.is_some() {
            *(&raw mut (*generated).sent).cast::<u64>().add(number) += 1;
        } else {
            (*generated).failed += 1;
        }
        written
    }
}

/// xorshift64 (Marsaglia 2003).
#[inline(always)]
fn next_random(state: &mut u64) -> u64 {
    let mut random = *state;
    random ^= random << 13;
    random ^= random >> 7;
    random ^= random << 17;
    *state = random;
    random
}

#[inline(always)]
fn resize(context: &XdpContext, length: u32) -> Option<()> {
    let now = context.data_end().wrapping_sub(context.data()) as u32;
    if now == length {
        return Some(());
    }
    let difference = (length as i32).wrapping_sub(now as i32);
    // SAFETY: the context is the one that the kernel passed.
    (unsafe { bpf_xdp_adjust_tail(context.ctx, difference) } == 0).then_some(())
}

/// A place in the packet, checked against its end.
#[inline(always)]
fn at<T>(context: &XdpContext, offset: usize) -> Option<*mut T> {
    let place = context.data() + offset;
    if place + size_of::<T>() > context.data_end() {
        return None;
    }
    Some(ptr::with_exposed_provenance_mut(place))
}

#[inline(always)]
fn copy(context: &XdpContext, template: &Template) -> Option<()> {
    let source = (&raw const template.bytes).cast::<u8>();
    let mut offset = 0;
    while offset < TEMPLATE_BYTES {
        let Some(eight) = at::<u64>(context, offset) else {
            break;
        };
        // SAFETY: both places hold eight bytes, at any alignment.
        unsafe { eight.write_unaligned(source.add(offset).cast::<u64>().read_unaligned()) };
        offset += 8;
    }
    // Lengths up to a template's are multiples of 4, so that at most one word is left. What a longer frame has beyond
    // its template stays as it was: zeros.
    let rest = template.length as usize & (TEMPLATE_BYTES - 8);
    if template.length < TEMPLATE_BYTES as u32 && template.length & 4 != 0 {
        // SAFETY: as above, for four bytes; `rest` is at most TEMPLATE_BYTES - 8.
        unsafe { at::<u32>(context, rest)?.write_unaligned(source.add(rest).cast::<u32>().read_unaligned()) };
    }
    Some(())
}

/// What TCP and UDP begin with; UDP has other things in place of the sequence number.
#[repr(C)]
struct TransportStart {
    source_port: [u8; 2],
    destination_port: [u8; 2],
    sequence: [u8; 4],
}

/// A template whose flags ask for a header that its frame has not is a mistake, and fails.
#[inline(always)]
fn mutate(context: &XdpContext, template: &Template, sources: u32, random: u64) -> Option<()> {
    let has = |mutation: u32| template.mutations & mutation != 0;
    if template.mutations == 0 {
        return Some(());
    }
    // A second draw's worth of bits, for fields that must not hang together.
    let other = random.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    if has(mutations::IPV6_SOURCE) {
        *header::<Ipv6>(context, template.network)?.source.last_chunk_mut()? = other.to_ne_bytes();
    }
    // In an IPv6 packet these are other fields, and the flags for them are not set.
    let ipv4 = header::<Ipv4>(context, template.network)?;
    if has(mutations::IPV4_SOURCE) {
        let drawn = other >> 32;
        ipv4.source = if sources == 0 {
            (drawn as u32).to_ne_bytes()
        } else {
            FIRST_SOURCE.wrapping_add(((drawn * u64::from(sources)) >> 32) as u32).to_be_bytes()
        };
    }
    if has(mutations::IPV4_TARGET) {
        ipv4.destination[3] = random as u8;
    }
    if !has(mutations::TRANSPORT) {
        return Some(());
    }
    let transport = header::<TransportStart>(context, template.transport)?;
    if has(mutations::SOURCE_PORT) {
        transport.source_port = ((random >> 8) as u16).to_ne_bytes();
    }
    if has(mutations::DESTINATION_PORT) {
        transport.destination_port = ((random >> 24) as u16).to_ne_bytes();
    }
    if has(mutations::SEQUENCE | mutations::MIRAI | mutations::MASSCAN) {
        sequence(template.mutations, ipv4, transport, (random >> 16) as u32);
    }
    Some(())
}

/// The header at `offset`, checked against the packet's end.
#[inline(always)]
fn header<'a, T>(context: &'a XdpContext, offset: u32) -> Option<&'a mut T> {
    const { assert!(align_of::<T>() == 1) };
    let mut place = context.data() + (offset as usize & (TEMPLATE_BYTES - 1));
    // Without it the compiler would add the offset anew for each field, which to the verifier is
    // another pointer, and not a checked one. A move, because the kernel refuses line information for
    // no instruction at all.
    // SAFETY: the pointer comes out as it went in.
    unsafe { asm!("{0} = {0}", inout(reg) place, options(pure, nomem, nostack)) };
    if place + size_of::<T>() > context.data_end() {
        return None;
    }
    // SAFETY: inside the packet, and of bytes only.
    Some(unsafe { &mut *ptr::with_exposed_provenance_mut(place) })
}

/// Sets the sequence number, such that exactly the signatures that the template asks for match.
#[inline(always)]
fn sequence(wanted: u32, ipv4: &mut Ipv4, tcp: &mut TransportStart, random: u32) {
    if wanted & mutations::MIRAI != 0 {
        tcp.sequence = ipv4.destination;
        return;
    }
    let target = u32::from_be_bytes(ipv4.destination);
    let port = u32::from(u16::from_be_bytes(tcp.destination_port));
    let masscan = wanted & mutations::MASSCAN != 0;
    let forbidden = if masscan { ZMAP_IDENTIFICATION } else { u16::from_be_bytes(ipv4.identification) };
    let mut sequence = random;
    if (target ^ port ^ sequence) as u16 == forbidden {
        sequence ^= 1;
    }
    if masscan {
        ipv4.identification = ((target ^ port ^ sequence) as u16).to_be_bytes();
    }
    // The highest bit last: it does not reach the 16 bits that masscan's ID is made of.
    if sequence == target {
        sequence ^= 1 << 31;
    }
    tcp.sequence = sequence.to_be_bytes();
}

#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";
