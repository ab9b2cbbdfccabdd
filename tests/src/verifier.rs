//! What the kernel's verifier makes of each program: its instructions and states, and the time of it.
//!
//! aya asks for the verifier's words only where it refuses a program, so those that it takes are loaded once more, by
//! `bpf(2)` itself, with the same maps.

use std::collections::{HashMap, HashSet};
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, FromRawFd as _, OwnedFd, RawFd};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use aya::Ebpf;
use aya::maps::Map;
use aya_obj::Object;
use aya_obj::generated::{bpf_cmd, bpf_insn, bpf_prog_type};
use aya_obj::programs::XdpAttachType;
use sensor_user::config::Settings;
use sensor_user::features::{Cpus, Features};
use sensor_user::program::{Alone, Plan};
use serde::Serialize;

/// `BPF_LOG_STATS`: nothing but the sums.
const STATISTICS: u32 = 4;
/// The least of so many loads is the time of one.
const LOADS: u32 = 5;
/// `BPF_F_XDP_HAS_FRAGS`.
const SEVERAL_BUFFERS: u32 = 1 << 5;

/// One program in this kernel.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cost {
    pub program: &'static str,
    /// Instructions that the verifier went through, on all ways; the kernel's limit is a million.
    pub instructions: u64,
    /// States of registers and stack that it kept to compare with.
    pub states: u64,
    /// The most of them at a time.
    pub peak_states: u64,
    /// From the call until the program is there, machine code included.
    pub load_milliseconds: f64,
}

/// The cost of each program that this kernel takes, with these settings and the same with evidence.
///
/// # Errors
/// Where the kernel refuses one, or does not say.
pub fn costs(settings: &[Settings]) -> Result<Vec<Cost>> {
    let features = Features::probe()?;
    let mut costs = Vec::new();
    for settings in settings {
        // The program for one buffer is loaded wherever another has less, and has to be taken by every kernel.
        for multi_buffer in [true, false] {
            if multi_buffer && !features.multi_buffer {
                continue;
            }
            let plan = Plan::new(
                settings,
                Cpus { possible: 2, online_end: 2 },
                Features { multi_buffer, ..features },
            );
            let mut alone = Alone::load_as(settings, plan)?;
            let told = alone.program()?.info()?.verified_instruction_count();
            let cost = cost(&alone.ebpf, alone.name, multi_buffer)?;
            ensure!(
                told.is_none_or(|told| u64::from(told) == cost.instructions),
                "{}: the kernel tells {told:?} instructions, and the verifier {}",
                cost.program,
                cost.instructions
            );
            costs.push(cost);
        }
    }
    Ok(costs)
}

fn cost(ebpf: &Ebpf, program: &'static str, multi_buffer: bool) -> Result<Cost> {
    let (instructions, license) = relocated(ebpf, program)?;
    let mut least = f64::INFINITY;
    let mut words = String::new();
    for _ in 0..LOADS {
        let begin = Instant::now();
        words = load(&instructions, &license, multi_buffer)
            .with_context(|| format!("the kernel does not take {program} a second time"))?;
        least = least.min(begin.elapsed().as_secs_f64() * 1e3);
    }
    let Statistics { instructions, states, peak_states } =
        Statistics::find(&words).with_context(|| format!("the verifier's words have no sums: {words}"))?;
    Ok(Cost { program, instructions, states, peak_states, load_milliseconds: least })
}

/// The program's instructions, with these maps in their places, and its licence.
fn relocated(ebpf: &Ebpf, program: &str) -> Result<(Vec<bpf_insn>, Vec<u8>)> {
    let mut object = Object::parse(sensor_objects::SENSOR)?;
    let maps = std::mem::take(&mut object.maps);
    let descriptors: HashMap<&str, RawFd> =
        ebpf.maps().map(|(name, map)| Ok((name, descriptor(map)?))).collect::<Result<_>>()?;
    let placed = maps
        .iter()
        .map(|(name, map)| {
            let descriptor =
                descriptors.get(name.as_str()).with_context(|| format!("no map {name} is loaded"))?;
            Ok((name.as_str(), *descriptor, map))
        })
        .collect::<Result<Vec<_>>>()?;
    let sections: HashSet<usize> = object.functions.keys().map(|(section, _)| *section).collect();
    object.relocate_maps(placed.into_iter(), &sections)?;
    object.relocate_calls(&sections)?;
    object.sanitize_functions(aya::features());
    let definition = object.programs.get(program).context("the object has no such program")?;
    let function = object.functions.get(&definition.function_key()).context("the program has no code")?;
    Ok((function.instructions.clone(), definition.license.as_bytes_with_nul().to_vec()))
}

fn descriptor(map: &Map) -> Result<RawFd> {
    match map {
        Map::Array(data) | Map::RingBuf(data) | Map::PerfEventArray(data) | Map::ProgramArray(data) => {
            Ok(data.fd().as_fd().as_raw_fd())
        }
        _ => anyhow::bail!("the sensor has a map of another kind than this knows"),
    }
}

/// The first fields of `BPF_PROG_LOAD`, as `union bpf_attr` has them.
#[repr(C)]
struct Loading {
    kind: u32,
    instruction_count: u32,
    instructions: u64,
    license: u64,
    log_level: u32,
    log_size: u32,
    log: u64,
    kernel_version: u32,
    flags: u32,
    name: [u8; 16],
    interface: u32,
    attach_type: u32,
}

/// Loads the program, lets go of it, and gives what the verifier said.
fn load(instructions: &[bpf_insn], license: &[u8], multi_buffer: bool) -> io::Result<String> {
    let mut log = vec![0_u8; 4096];
    let loading = Loading {
        kind: bpf_prog_type::BPF_PROG_TYPE_XDP as u32,
        instruction_count: u32::try_from(instructions.len()).map_err(|_| io::ErrorKind::InvalidInput)?,
        instructions: instructions.as_ptr().expose_provenance() as u64,
        license: license.as_ptr().expose_provenance() as u64,
        log_level: STATISTICS,
        log_size: u32::try_from(log.len()).map_err(|_| io::ErrorKind::InvalidInput)?,
        log: log.as_mut_ptr().expose_provenance() as u64,
        kernel_version: 0,
        flags: if multi_buffer { SEVERAL_BUFFERS } else { 0 },
        name: [0; 16],
        interface: 0,
        attach_type: aya_obj::generated::bpf_attach_type::from(XdpAttachType::Interface) as u32,
    };
    // SAFETY: the record is the one of this command, as long as it is said to be, and what it points to lives.
    let result = unsafe {
        libc::syscall(libc::SYS_bpf, bpf_cmd::BPF_PROG_LOAD as u32, &raw const loading, size_of::<Loading>())
    };
    let descriptor = i32::try_from(result).ok().filter(|result| *result >= 0);
    let descriptor = descriptor.ok_or_else(io::Error::last_os_error)?;
    // SAFETY: fresh from the kernel, and nobody else's.
    drop(unsafe { OwnedFd::from_raw_fd(descriptor) });
    let end = log.iter().position(|byte| *byte == 0).unwrap_or(log.len());
    Ok(String::from_utf8_lossy(&log[..end]).into_owned())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Statistics {
    instructions: u64,
    states: u64,
    peak_states: u64,
}

impl Statistics {
    /// `processed 38 insns (limit 1000000) max_states_per_insn 0 total_states 2 peak_states 2 mark_read 1`
    fn find(words: &str) -> Option<Self> {
        let line = words.lines().find_map(|line| line.strip_prefix("processed "))?;
        let after = |name: &str| {
            let mut words = line.split_whitespace().skip_while(|word| *word != name);
            words.nth(1)?.parse().ok()
        };
        Some(Self {
            instructions: line.split_whitespace().next()?.parse().ok()?,
            states: after("total_states")?,
            peak_states: after("peak_states")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_read_from_the_verifiers_last_line() {
        let words = "verification time 306 usec\nstack depth 88\nprocessed 38 insns (limit 1000000) \
                     max_states_per_insn 1 total_states 12 peak_states 7 mark_read 1\n";
        let expected = Statistics { instructions: 38, states: 12, peak_states: 7 };
        assert_eq!(Statistics::find(words), Some(expected));
        assert_eq!(Statistics::find("R0 pointer -= pointer prohibited\n"), None);
    }

    #[test]
    fn this_kernel_tells_what_each_program_costs() -> Result<()> {
        if !testbed::privileged() {
            return Ok(());
        }
        let costs = costs(&[sensor_user::config::Options::default().resolve()?])?;
        ensure!(!costs.is_empty(), "no program was measured");
        for Cost { program, instructions, states, peak_states, load_milliseconds } in costs {
            ensure!(instructions > 100 && states >= peak_states && peak_states > 0, "{program}");
            ensure!(load_milliseconds > 0.0, "{program} took no time");
        }
        Ok(())
    }
}
