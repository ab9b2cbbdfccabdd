//! The XDP traffic generator: writes each packet anew from a template, and counts what it wrote.
#![no_std]
#![no_main]

use core::ptr;

use aya_ebpf::bindings::xdp_action::{XDP_ABORTED, XDP_TX};
use aya_ebpf::helpers::bpf_get_smp_processor_id;
use aya_ebpf::helpers::generated::bpf_xdp_adjust_tail;
use aya_ebpf::macros::{map, xdp};
use aya_ebpf::maps::{Array, ProgramArray};
use aya_ebpf::programs::XdpContext;
use sensor_ebpf::classify::ZMAP_IDENTIFICATION;
use sensor_ebpf::generate::{
    GENERATOR_CPUS, Generated, Generator, SCHEDULE, TEMPLATE_BYTES, TEMPLATES, Template, mutations,
};
use sensor_ebpf::headers::Ipv4;

const BPF_F_MMAPABLE: u32 = 1 << 10;

#[map]
static GENERATOR: Array<Generator> = Array::with_max_entries(1, BPF_F_MMAPABLE);
#[map]
static GENERATED: Array<Generated> = Array::with_max_entries(GENERATOR_CPUS, BPF_F_MMAPABLE);
#[map]
static UNDER_TEST: ProgramArray = ProgramArray::with_max_entries(1, 0);

#[xdp(frags)]
pub fn generate(context: XdpContext) -> u32 {
    match write_packet(&context) {
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
            .and_then(|()| mutate(context, template, random));
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
    // Lengths are multiples of 4, so that at most one word is left.
    let rest = template.length as usize & (TEMPLATE_BYTES - 8);
    if template.length & 4 != 0 {
        // SAFETY: as above, for four bytes; `rest` is at most TEMPLATE_BYTES - 8.
        unsafe { at::<u32>(context, rest)?.write_unaligned(source.add(rest).cast::<u32>().read_unaligned()) };
    }
    Some(())
}

/// A template whose flags ask for a field that its frame has not is a mistake, and fails.
#[inline(always)]
fn mutate(context: &XdpContext, template: &Template, random: u64) -> Option<()> {
    let network = template.network as usize & (TEMPLATE_BYTES - 1);
    let transport = template.transport as usize & (TEMPLATE_BYTES - 1);
    let has = |mutation: u32| template.mutations & mutation != 0;
    // A second draw's worth of bits, for fields that must not hang together.
    let other = random.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    // SAFETY: every place is checked by `at`, and written and read unaligned.
    unsafe {
        if has(mutations::IPV4_SOURCE) {
            at::<u32>(context, network + 12)?.write_unaligned((other >> 32) as u32);
        }
        if has(mutations::IPV4_TARGET) {
            at::<u8>(context, network + 19)?.write(random as u8);
        }
        if has(mutations::IPV6_SOURCE) {
            at::<u64>(context, network + 16)?.write_unaligned(other);
        }
        if has(mutations::SOURCE_PORT) {
            at::<u16>(context, transport)?.write_unaligned((random >> 8) as u16);
        }
        if has(mutations::DESTINATION_PORT) {
            at::<u16>(context, transport + 2)?.write_unaligned((random >> 24) as u16);
        }
        if has(mutations::SEQUENCE | mutations::MIRAI | mutations::MASSCAN) {
            sequence(context, template, network, transport, (random >> 16) as u32)?;
        }
    }
    Some(())
}

/// Sets the sequence number, such that exactly the signatures that the template asks for match.
#[inline(always)]
fn sequence(
    context: &XdpContext,
    template: &Template,
    network: usize,
    transport: usize,
    random: u32,
) -> Option<()> {
    // One checked place for each header: the compiler merges several checks of one header into the
    // farthest, and the verifier does not follow it there.
    let ipv4 = at::<Ipv4>(context, network)?;
    let tcp = at::<TcpStart>(context, transport)?;
    // SAFETY: places checked by `at`, of types with alignment 1.
    let (ipv4, tcp) = unsafe { (&mut *ipv4, &mut *tcp) };
    if template.mutations & mutations::MIRAI != 0 {
        tcp.sequence = ipv4.destination;
        return Some(());
    }
    let target = u32::from_be_bytes(ipv4.destination);
    let port = u32::from(u16::from_be_bytes(tcp.destination_port));
    let masscan = template.mutations & mutations::MASSCAN != 0;
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
    Some(())
}

/// The beginning of a TCP header, as far as a template must have it to ask for a sequence number.
#[repr(C)]
struct TcpStart {
    source_port: [u8; 2],
    destination_port: [u8; 2],
    sequence: [u8; 4],
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    // Nothing here can panic; a program in which this loop were reachable would not pass the verifier.
    loop {}
}

#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";
