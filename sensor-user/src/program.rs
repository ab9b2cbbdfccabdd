//! Loading the XDP program with its configuration.

use std::num::NonZeroU32;
use std::path::Path;

use aya::programs::{ProgramError, Xdp};
use aya::{Ebpf, EbpfError, EbpfLoader, VerifierLogLevel};
use sensor_ebpf::abi::{
    BANKS, Control, CpuCounters, Ipv4Range, Ipv6Range, WATCHED_WINDOWS, globals, maps, programs,
};

use crate::config::{Action, Settings};
use crate::features::{Cpus, Features};

/// Why the program is not in the kernel.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error(
        "no permission to load XDP programs: run as root, or with CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON"
    )]
    Permission,
    #[error("the kernel has too little memory for {mebibytes} MiB of counters: lower --counter-cpus")]
    Memory { mebibytes: u64 },
    #[error("cannot load the XDP program: {0}")]
    Object(#[from] EbpfError),
    #[error("cannot load the XDP program: {0}")]
    Program(#[from] ProgramError),
    #[error("cannot ask the kernel what it supports: {0}")]
    Probe(ProgramError),
    #[error("the embedded object has no program {0}: this agent was built wrong")]
    Absent(&'static str),
    #[error("cannot read the debug lines of the XDP program: {0}")]
    Lines(#[from] aya_log::Error),
    #[error("cannot read which CPUs there are: {0}")]
    Cpus(#[from] std::io::Error),
}

impl LoadError {
    /// What to say where the kernel could not even be asked.
    #[must_use]
    pub fn probe(error: ProgramError) -> Self {
        match error {
            ProgramError::SyscallError(error)
                if matches!(error.io_error.raw_os_error(), Some(libc::EPERM | libc::EACCES)) =>
            {
                Self::Permission
            }
            error => Self::Probe(error),
        }
    }
}

/// How CPUs share slots of counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slots {
    /// Slots in all.
    pub count: u32,
    /// Whether the last one is for every CPU without one of its own.
    pub last_is_shared: bool,
}

impl Slots {
    /// A slot for each CPU that is up, at most `limit`; and one for all others, where there can be any.
    #[must_use]
    pub fn plan(cpus: Cpus, limit: NonZeroU32) -> Self {
        let exclusive = cpus.online_end.min(limit.get());
        Self::existing(cpus, (exclusive + 1).min(cpus.possible))
    }

    /// The plan behind a set of counters with so many slots.
    #[must_use]
    pub const fn existing(cpus: Cpus, count: u32) -> Self {
        Self { count, last_is_shared: count < cpus.possible }
    }

    /// Kernel memory of all maps and of `.rodata`, in bytes.
    #[must_use]
    pub fn kernel_memory(self) -> u64 {
        let counters = size_of::<CpuCounters>() as u64;
        let ranges = (size_of::<Ipv4Range>() + size_of::<Ipv6Range>()) * sensor_ebpf::abi::OBSERVED_RANGES;
        counters * u64::from(self.count * BANKS + 2) + (size_of::<Control>() + ranges) as u64
    }
}

/// What goes into the program's `.rodata`.
#[derive(Clone, Debug)]
pub struct Rodata {
    last_slot: u32,
    last_slot_shared: u32,
    multi_buffer: u32,
    drop_observed: u32,
    observed_restricted: u32,
    observed_ipv4: Vec<[u32; 2]>,
    observed_ipv4_count: u32,
    observed_ipv6: Vec<[u64; 4]>,
    observed_ipv6_count: u32,
    watched_windows: [u32; WATCHED_WINDOWS],
    watched_window_count: u32,
}

/// A watched window that no packet has.
pub const NO_WINDOW: u32 = u32::MAX;

impl Rodata {
    /// The configuration in the program's terms. `windows` are in the order of their counters.
    #[must_use]
    pub fn new(settings: &Settings, slots: Slots, features: Features, windows: &[u32]) -> Self {
        let (ipv4, ipv6) = settings.ranges.tables();
        let mut watched_windows = [NO_WINDOW; WATCHED_WINDOWS];
        watched_windows.iter_mut().zip(windows).for_each(|(place, window)| *place = *window);
        Self {
            last_slot: slots.count - 1,
            last_slot_shared: slots.last_is_shared.into(),
            multi_buffer: features.multi_buffer.into(),
            drop_observed: (settings.action == Action::Drop).into(),
            observed_restricted: (!settings.observed.is_empty()).into(),
            observed_ipv4: ipv4.iter().map(|Ipv4Range { first, last }| [*first, *last]).collect(),
            observed_ipv4_count: count(settings.ranges.ipv4.len()),
            observed_ipv6: ipv6
                .iter()
                .map(|Ipv6Range { first: [a, b], last: [c, d] }| [*a, *b, *c, *d])
                .collect(),
            observed_ipv6_count: count(settings.ranges.ipv6.len()),
            watched_windows,
            watched_window_count: count(windows.len()),
        }
    }

    fn put_into<'a>(&'a self, loader: &mut EbpfLoader<'a>) {
        let Self {
            last_slot,
            last_slot_shared,
            multi_buffer,
            drop_observed,
            observed_restricted,
            observed_ipv4,
            observed_ipv4_count,
            observed_ipv6,
            observed_ipv6_count,
            watched_windows,
            watched_window_count,
        } = self;
        loader
            .override_global(globals::LAST_SLOT, last_slot, true)
            .override_global(globals::LAST_SLOT_SHARED, last_slot_shared, true)
            .override_global(globals::MULTI_BUFFER, multi_buffer, true)
            .override_global(globals::DROP_OBSERVED, drop_observed, true)
            .override_global(globals::OBSERVED_RESTRICTED, observed_restricted, true)
            .override_global(globals::OBSERVED_IPV4, observed_ipv4.as_slice(), true)
            .override_global(globals::OBSERVED_IPV4_COUNT, observed_ipv4_count, true)
            .override_global(globals::OBSERVED_IPV6, observed_ipv6.as_slice(), true)
            .override_global(globals::OBSERVED_IPV6_COUNT, observed_ipv6_count, true)
            .override_global(globals::WATCHED_WINDOWS, watched_windows, true)
            .override_global(globals::WATCHED_WINDOW_COUNT, watched_window_count, true);
    }

    /// A fingerprint of this configuration and of the program itself (FNV-1a, 64 bits), by which an
    /// agent knows a pinned program as the one that it would load.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        let mut fingerprint = Fnv::default();
        fingerprint.write(sensor_objects::SENSOR);
        let words = [
            self.last_slot,
            self.last_slot_shared,
            self.multi_buffer,
            self.drop_observed,
            self.observed_restricted,
            self.observed_ipv4_count,
            self.observed_ipv6_count,
            self.watched_window_count,
        ];
        words.iter().chain(&self.watched_windows).for_each(|word| fingerprint.write(&word.to_le_bytes()));
        self.observed_ipv4.as_flattened().iter().for_each(|word| fingerprint.write(&word.to_le_bytes()));
        self.observed_ipv6.as_flattened().iter().for_each(|word| fingerprint.write(&word.to_le_bytes()));
        fingerprint.0
    }
}

/// Fowler, Noll and Vo's hash: the same in every build, as the standard library's is not.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
        }
    }
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// The program of the object that this kernel can take.
#[must_use]
pub const fn program_name(features: Features) -> &'static str {
    if features.multi_buffer { programs::SENSOR } else { programs::SENSOR_SINGLE_BUFFER }
}

/// Loads the program and its maps; the maps under `pins` where it is given: found there, or pinned there.
///
/// # Errors
/// Where this process may not, the kernel will not, or has too little memory.
pub fn load(
    rodata: &Rodata,
    slots: Slots,
    features: Features,
    pins: Option<&Path>,
) -> Result<Ebpf, LoadError> {
    let mut loader = EbpfLoader::new();
    // The verifier's reasons are for us, not for one line to a person.
    loader.verifier_log_level(VerifierLogLevel::STATS);
    rodata.put_into(&mut loader);
    loader.map_max_entries(maps::COUNTERS, slots.count * BANKS);
    if let Some(directory) = pins {
        for name in [maps::COUNTERS, maps::CONTROL, maps::REPORTED] {
            loader.map_pin_path(name, directory.join(name));
        }
    }
    let mut ebpf = loader.load(sensor_objects::SENSOR).map_err(|error| explain(error, slots))?;
    let program = xdp(&mut ebpf, program_name(features))?;
    program.load()?;
    Ok(ebpf)
}

/// The XDP program `name` of a loaded object.
///
/// # Errors
/// Where the object has none of that name and type.
pub fn xdp<'a>(ebpf: &'a mut Ebpf, name: &'static str) -> Result<&'a mut Xdp, LoadError> {
    Ok(ebpf.program_mut(name).ok_or(LoadError::Absent(name))?.try_into()?)
}

/// A refused map creation says `EPERM` or `ENOMEM` deep inside: the two that a person can act on.
fn explain(error: EbpfError, slots: Slots) -> LoadError {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(cause) = source {
        if let Some(io) = cause.downcast_ref::<std::io::Error>() {
            match io.raw_os_error() {
                Some(libc::EPERM | libc::EACCES) => return LoadError::Permission,
                Some(libc::ENOMEM) => {
                    return LoadError::Memory { mebibytes: slots.kernel_memory() >> 20 };
                }
                _ => {}
            }
        }
        source = cause.source();
    }
    error.into()
}
