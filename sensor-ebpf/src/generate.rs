//! What the traffic generator and user space share. For bench, tests and demo; never in a sensor.

use core::mem::{offset_of, size_of};

/// Bytes of the longest template.
pub const TEMPLATE_BYTES: usize = 128;
/// Bytes of the longest frame: a template begins it, and zeros follow.
pub const FRAME_BYTES: usize = 1514;
/// Templates in one mix.
pub const TEMPLATES: usize = 64;
/// Entries of the schedule, from which each packet's template is drawn at random.
pub const SCHEDULE: usize = 1024;
/// The most CPUs that generate at once.
pub const GENERATOR_CPUS: u32 = 256;

/// Names of the maps and programs in the generator's object.
pub mod names {
    /// `Array<Generator>` of one entry, `BPF_F_MMAPABLE`.
    pub const GENERATOR: &str = "GENERATOR";
    /// `Array<Generated>` of `GENERATOR_CPUS` entries, `BPF_F_MMAPABLE`.
    pub const GENERATED: &str = "GENERATED";
    /// `ProgramArray` of one entry: the program under test of `generate_and_call`.
    pub const UNDER_TEST: &str = "UNDER_TEST";
    /// Writes a packet and sends it out (`XDP_TX`).
    pub const GENERATE: &str = "generate";
    /// [`GENERATE`], for kernels without packets of several buffers.
    pub const GENERATE_SINGLE_BUFFER: &str = "generate_single_buffer";
    /// Writes a packet and hands it to the program under test.
    pub const GENERATE_AND_CALL: &str = "generate_and_call";
}

/// What is random in a packet made from a template, bits of [`Template::mutations`].
pub mod mutations {
    /// The IPv4 source.
    pub const IPV4_SOURCE: u32 = 1 << 0;
    /// The last byte of the IPv4 destination.
    pub const IPV4_TARGET: u32 = 1 << 1;
    /// The last eight bytes of the IPv6 source.
    pub const IPV6_SOURCE: u32 = 1 << 2;
    /// The first two bytes of the transport header.
    pub const SOURCE_PORT: u32 = 1 << 3;
    /// The second two bytes of the transport header.
    pub const DESTINATION_PORT: u32 = 1 << 4;
    /// The TCP sequence number, but never one that makes a signature match by chance.
    pub const SEQUENCE: u32 = 1 << 5;
    /// The TCP sequence number is the IPv4 destination.
    pub const MIRAI: u32 = 1 << 6;
    /// The IP ID is masscan's, from a random sequence number.
    pub const MASSCAN: u32 = 1 << 7;

    /// All that change the transport header, or need one.
    pub const TRANSPORT: u32 = SOURCE_PORT | DESTINATION_PORT | SEQUENCE | MIRAI | MASSCAN;
}

/// One kind of packet, or how it begins.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Template {
    pub bytes: [u8; TEMPLATE_BYTES],
    /// Bytes of the frame: a multiple of 4, or at least `TEMPLATE_BYTES`.
    pub length: u32,
    /// Where the IP header is.
    pub network: u32,
    /// Where the transport header is.
    pub transport: u32,
    /// What changes from packet to packet.
    pub mutations: u32,
}

/// The mix: templates, and how often each is drawn.
#[repr(C)]
pub struct Generator {
    pub templates: [Template; TEMPLATES],
    pub schedule: [u32; SCHEDULE],
    /// How many IPv4 sources are drawn from, where sources are random; 0 means all that there can be.
    pub sources: u32,
    pub spare: u32,
}

/// The first of the IPv4 sources, where they are limited: 11.0.0.0.
pub const FIRST_SOURCE: u32 = 11 << 24;

/// What one CPU has generated.
#[repr(C, align(64))]
pub struct Generated {
    /// State of the random number generator, never zero.
    pub random: u64,
    /// Packets that could not be made, and were not sent.
    pub failed: u64,
    /// Packets by template.
    pub sent: [u64; TEMPLATES],
}

const _: () = {
    assert!(size_of::<Template>() == 144);
    assert!(offset_of!(Generator, schedule) == 144 * TEMPLATES);
    assert!(size_of::<Generated>() == 576);
    assert!(TEMPLATES.is_power_of_two() && SCHEDULE.is_power_of_two() && TEMPLATE_BYTES.is_power_of_two());
};
