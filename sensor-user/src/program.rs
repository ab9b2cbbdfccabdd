//! Loading the XDP program with its configuration.

mod plan;
mod rodata;

use std::io;
use std::path::Path;

use aya::programs::{ProgramError, Xdp};
use aya::{Ebpf, EbpfError, EbpfLoader, VerifierLogLevel};
use sensor_ebpf::abi::{BANKS, maps, programs};

use crate::config::Settings;
use crate::features::{Missing, lacks_locked_memory, locked_memory, requirement};
use crate::privileges;

pub use plan::{Plan, Rings, Slots, segments};
pub use rodata::{NO_WINDOW, Rodata};

/// Why the program is not in the kernel.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("no permission to load XDP programs: {}", privileges::NEEDED)]
    Permission,
    #[error(
        "the kernel has too little memory for {mebibytes} MiB of counters and digests: lower --counter-cpus or --ring-records"
    )]
    Memory { mebibytes: u64 },
    #[error(
        "this kernel is too old for the sensor: it has {0}; run Linux {oldest} or later",
        oldest = requirement::OLDEST_RELEASE
    )]
    TooOld(Missing),
    #[error(
        "this kernel counts maps as locked memory, of which this user may have {} KiB in all, and the sensor takes {} KiB: {}",
        limit >> 10,
        needed >> 10,
        privileges::LOCKED_MEMORY
    )]
    LockedMemory { limit: u64, needed: u64 },
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

/// The program of the object that this kernel can take, and that does what is planned and no more.
#[must_use]
pub const fn program_name(plan: &Plan) -> &'static str {
    match (plan.features.multi_buffer, plan.keeps_evidence()) {
        (true, false) => programs::SENSOR,
        (false, false) => programs::SENSOR_SINGLE_BUFFER,
        (true, true) => programs::SENSOR_EVIDENCE,
        (false, true) => programs::SENSOR_EVIDENCE_SINGLE_BUFFER,
    }
}

/// Loads the program and its maps; the maps under `pins` where it is given: found there, or pinned there.
///
/// # Errors
/// Where this process may not, the kernel will not, or has too little memory.
pub fn load(rodata: &Rodata, plan: &Plan, pins: Option<&Path>) -> Result<Ebpf, LoadError> {
    load_from(sensor_objects::SENSOR, rodata, plan, pins)
}

fn load_from(object: &[u8], rodata: &Rodata, plan: &Plan, pins: Option<&Path>) -> Result<Ebpf, LoadError> {
    if let Some(missing) = Missing::probe() {
        return Err(LoadError::TooOld(missing));
    }
    let mut loader = EbpfLoader::new();
    // The verifier's reasons are for us, not for one line to a person.
    loader.verifier_log_level(VerifierLogLevel::STATS);
    rodata.put_into(&mut loader);
    let [positions, ipv4_segments, ipv6_segments] = plan.rings.entries();
    loader
        .map_max_entries(maps::COUNTERS, plan.slots.count * BANKS)
        .map_max_entries(maps::RINGS, positions)
        .map_max_entries(maps::IPV4_DIGESTS, ipv4_segments)
        .map_max_entries(maps::IPV6_DIGESTS, ipv6_segments)
        .map_max_entries(maps::EVIDENCE_RECORDS, plan.evidence_ring_bytes);
    if let Some(directory) = pins {
        for name in maps::ALL {
            loader.map_pin_path(name, directory.join(name));
        }
    }
    let mut ebpf = loader.load(object).map_err(|error| explain(error, plan))?;
    let program = xdp(&mut ebpf, program_name(plan))?;
    program.load().map_err(|error| explain_program(error, plan))?;
    Ok(ebpf)
}

/// A program of one's own in the kernel: unpinned and not attached, it goes when this does.
pub struct Alone {
    pub ebpf: Ebpf,
    /// The program of the object that is loaded.
    pub name: &'static str,
    pub plan: Plan,
}

impl Alone {
    /// Loads the program as these settings want it on this machine.
    ///
    /// # Errors
    /// Those of [`Plan::probe`] and [`load`].
    pub fn load(settings: &Settings) -> Result<Self, LoadError> {
        Self::load_as(settings, Plan::probe(settings)?)
    }

    /// The same by another plan.
    ///
    /// # Errors
    /// Those of [`load`].
    pub fn load_as(settings: &Settings, plan: Plan) -> Result<Self, LoadError> {
        let ebpf = load(&Rodata::new(settings, &plan, &settings.watched_windows()), &plan, None)?;
        Ok(Self { ebpf, name: program_name(&plan), plan })
    }

    /// The program of another build of the sensor's object, to be measured beside the agent's own.
    ///
    /// # Errors
    /// Those of [`Self::load`].
    pub fn load_object(settings: &Settings, object: &[u8]) -> Result<Self, LoadError> {
        let plan = Plan::probe(settings)?;
        let rodata = Rodata::new(settings, &plan, &settings.watched_windows());
        let ebpf = load_from(object, &rodata, &plan, None)?;
        Ok(Self { ebpf, name: program_name(&plan), plan })
    }

    /// The program itself.
    ///
    /// # Errors
    /// Those of [`xdp`].
    pub fn program(&mut self) -> Result<&mut Xdp, LoadError> {
        xdp(&mut self.ebpf, self.name)
    }
}

/// The XDP program `name` of a loaded object.
///
/// # Errors
/// Where the object has none of that name and type.
pub fn xdp<'a>(ebpf: &'a mut Ebpf, name: &'static str) -> Result<&'a mut Xdp, LoadError> {
    Ok(ebpf.program_mut(name).ok_or(LoadError::Absent(name))?.try_into()?)
}

/// A refused map creation says why deep inside.
fn explain(error: EbpfError, plan: &Plan) -> LoadError {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(cause) = source {
        if let Some(reason) = cause.downcast_ref::<io::Error>().and_then(|error| explain_number(error, plan))
        {
            return reason;
        }
        source = cause.source();
    }
    error.into()
}

/// The verifier has numbers for what it finds wrong, which are others' too: its own are told by its words.
fn explain_program(error: ProgramError, plan: &Plan) -> LoadError {
    let reason = match &error {
        ProgramError::LoadError { io_error, verifier_log } if verifier_log.to_string().trim().is_empty() => {
            explain_number(io_error, plan)
        }
        _ => None,
    };
    reason.unwrap_or_else(|| error.into())
}

/// Those that a person can act on.
fn explain_number(error: &io::Error, plan: &Plan) -> Option<LoadError> {
    match error.raw_os_error()? {
        libc::EPERM if !plan.features.group_memory && lacks_locked_memory(error) => {
            let limit = locked_memory::limit().unwrap_or(u64::MAX);
            Some(LoadError::LockedMemory { limit, needed: plan.kernel_memory() })
        }
        libc::EPERM | libc::EACCES => Some(LoadError::Permission),
        libc::ENOMEM => Some(LoadError::Memory { mebibytes: plan.kernel_memory() >> 20 }),
        _ => None,
    }
}
