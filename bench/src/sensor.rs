//! The sensor's program, loaded as the agent loads it.

use anyhow::Result;
use aya::Ebpf;
use sensor_user::config::Options;
use sensor_user::features::{Cpus, Features};
use sensor_user::program::{self, Rodata, Slots};

/// Loads it, unattached; gives the name of the program that this kernel can take.
pub fn load(options: Options) -> Result<(Ebpf, &'static str)> {
    let settings = options.resolve()?;
    let features = Features::probe()?;
    let slots = Slots::plan(Cpus::probe()?, settings.counter_cpus);
    let windows: Vec<u32> = settings.watched_windows.iter().copied().map(u32::from).collect();
    let rodata = Rodata::new(&settings, slots, features, &windows);
    Ok((program::load(&rodata, slots, features, None)?, program::program_name(features)))
}
