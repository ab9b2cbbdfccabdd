//! What the generator can do by itself: figures near it are the generator's, and not those of what it sends to.

use anyhow::{Context as _, Result, ensure};
use aya::programs::{TestRun as _, TestRunOptions};
use sensor_ebpf::generate::names;
use sensor_user::program;
use testbed::Generator;

use crate::kernel::processor_time;

/// What a frame is before the generator has written a packet into it.
const FRAME: [u8; 64] = [0; 64];

/// Nanoseconds of processor time in which the generator makes one packet, and does nothing with it, under
/// `BPF_PROG_TEST_RUN`.
pub fn nanoseconds_alone(generator: &mut Generator, packets: u32) -> Result<f64> {
    let made = |generator: &Generator| generator.generated().iter().sum::<u64>();
    let before = made(generator);
    let program = program::xdp(generator.ebpf_mut(), names::GENERATE)?;
    let options = TestRunOptions { data_in: Some(&FRAME), repeat: packets, ..TestRunOptions::default() };
    let start = processor_time()?;
    program.test_run(options).context("cannot run the generator by itself")?;
    let elapsed = processor_time()? - start;
    let made = made(generator) - before;
    ensure!(made == u64::from(packets), "the generator made {made} packets of {packets}");
    Ok(elapsed.as_secs_f64() * 1e9 / f64::from(packets))
}
