//! Loading the XDP program with its configuration.

mod rodata;

use std::num::NonZeroU32;
use std::path::Path;

use aya::programs::{ProgramError, Xdp};
use aya::{Ebpf, EbpfError, EbpfLoader, VerifierLogLevel};
use sensor_ebpf::abi::{BANKS, Control, CpuCounters, Ipv4Range, Ipv6Range, maps, programs};

use crate::features::{Cpus, Features};

pub use rodata::{NO_WINDOW, Rodata};

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
