//! The programs, each of which passes every packet.

use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, Result};
use aya::Ebpf;
use aya::programs::ProgramFd;
use ipnet::IpNet;
use sensor_ebpf::abi::{CpuCounters, maps};
use sensor_user::config::{Action, Options};
use sensor_user::mapping::MappedArray;
use sensor_user::program::{self, Alone, Rings};
use sensor_user::watcher::Watcher;

use crate::draining::Draining;

/// One program in the kernel.
pub struct Variant {
    pub label: &'static str,
    program: ProgramFd,
    sensor: Option<Sensor>,
    /// Keeps its maps.
    ebpf: Ebpf,
}

/// What the sensor has besides.
struct Sensor {
    watcher: Watcher,
    counters: MappedArray<CpuCounters>,
    rings: Rings,
    drain_cpu: Option<u32>,
}

/// A bare pass.
pub fn bare_pass() -> Result<ProgramFd> {
    Variant::baseline("pass", "bare_pass").map(|variant| variant.program)
}

impl Variant {
    /// The bare pass, decoding, the sensor with and without digests.
    pub fn all(observed: &[IpNet], drain_cpu: Option<u32>) -> Result<Vec<Self>> {
        Ok(vec![
            Self::baseline("pass", "bare_pass")?,
            Self::baseline("decode", "decode_pass")?,
            Self::sensor("sensor", observed, false, drain_cpu)?,
            Self::sensor("sensor+digest", observed, true, drain_cpu)?,
        ])
    }

    fn baseline(label: &'static str, name: &'static str) -> Result<Self> {
        let mut ebpf = Ebpf::load(sensor_objects::BASELINE).context("cannot load the baseline programs")?;
        let program = program::xdp(&mut ebpf, name)?;
        program.load()?;
        Ok(Self { label, program: program.fd()?.try_clone()?, sensor: None, ebpf })
    }

    fn sensor(
        label: &'static str,
        observed: &[IpNet],
        digests: bool,
        drain_cpu: Option<u32>,
    ) -> Result<Self> {
        let options = Options {
            observed: Some(observed.to_vec()),
            action: Some(Action::Pass),
            digests: Some(digests),
            ..Options::default()
        };
        let mut alone = Alone::load(&options.resolve()?)?;
        let program = alone.program()?.fd()?.try_clone()?;
        let Alone { ebpf, plan, .. } = alone;
        let sensor = Sensor {
            watcher: Watcher::new(&ebpf)?,
            counters: MappedArray::of(maps::COUNTERS, &ebpf)?,
            rings: plan.rings,
            drain_cpu,
        };
        Ok(Self { label, program, sensor: Some(sensor), ebpf })
    }

    pub fn program(&self) -> &ProgramFd {
        &self.program
    }

    /// Before it is attached: the sensor's counts as they are, and its rings drained from now on.
    pub fn start(&self) -> Result<Option<Draining<'_>>> {
        let Some(Sensor { watcher, rings, drain_cpu, .. }) = &self.sensor else {
            return Ok(None);
        };
        rings.is_on().then(|| Draining::start(&self.ebpf, *rings, watcher, *drain_cpu)).transpose()
    }

    /// Packets that it has counted so far; none where it does not count.
    pub fn counted(&self) -> Option<u64> {
        let Sensor { counters, .. } = self.sensor.as_ref()?;
        let packets = |entry| {
            // SAFETY: a live word of the mapping, which everyone accesses atomically.
            unsafe { AtomicU64::from_ptr(&raw mut (*counters.entry(entry)).packets) }.load(Ordering::Relaxed)
        };
        Some((0..counters.entries()).map(packets).sum())
    }
}
