//! Slots of counters: exclusive ones, and the one that all other CPUs share, under packets on all CPUs.

use anyhow::{Context as _, Result, bail, ensure};
use end_to_end::counter_names::{Counts, counts};
use end_to_end::fixture::Effect;
use end_to_end::frame_text;
use end_to_end::kernel::Kernel;
use end_to_end::privileged;
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;
use sensor_user::config::{Options, Settings};
use sensor_user::features::Cpus;
use sensor_user::program::Slots;
use testbed::machine;

/// A mirai scan, which raises most of the counters that one packet can.
const SCAN: &str = "
    ethernet  020000000002 020000000001 0800
    ipv4      45 00 0028 d431 0000 40 06 0000 c6336401 cb007107   # zmap's IP ID
    tcp       9c40 0017 cb007107 00000000 50 02 1618 0000 0000     # window 5656
";

/// Packets on each CPU, and how many of them the kernel is asked for at once: going in and out of the
/// kernel takes far longer than a packet does.
const RUNS: u64 = 1_000_000;
const REPEAT: u32 = 100_000;

fn settings() -> Result<Settings> {
    Ok(Options { watched_windows: Some(vec![5656]), digests: Some(false), ..Options::default() }.resolve()?)
}

/// CPUs that this process may run on.
fn cpus() -> Result<Vec<usize>> {
    let set = sched_getaffinity(Pid::from_raw(0))?;
    Ok((0..CpuSet::count()).filter(|cpu| set.is_set(*cpu).unwrap_or(false)).collect())
}

/// Runs the program on this frame from every CPU at once, and says how many packets that were.
fn run_on_every_cpu(kernel: &Kernel, cpus: &[usize], frame: &[u8]) -> Result<u64> {
    let program = kernel.program()?;
    let run_on = |cpu: usize| -> Result<()> {
        let mut only = CpuSet::new();
        only.set(cpu)?;
        sched_setaffinity(Pid::from_raw(0), &only)?;
        for _ in 0..machine::packets(RUNS) / u64::from(REPEAT) {
            program.run(frame, REPEAT)?;
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = cpus.iter().map(|cpu| scope.spawn(move || run_on(*cpu))).collect();
        threads.into_iter().try_for_each(|thread| thread.join().ok().context("a thread has panicked")?)
    })?;
    Ok(machine::packets(RUNS) * cpus.len() as u64)
}

fn multiplied(raised: &Counts, packets: u64) -> Counts {
    raised.iter().map(|(name, count)| (name.clone(), count * packets)).collect()
}

/// What was counted from every CPU at once, and what should have been.
struct Sums {
    counted: Counts,
    expected: Counts,
}

fn sums(slots: Slots) -> Result<Sums> {
    let (settings, cpus, frame) = (settings()?, cpus()?, frame_text::parse(SCAN)?);
    let Effect { raised: one, .. } = Kernel::load_with(&settings, slots)?.run(&frame)?;
    ensure!(one.len() > 10, "this packet raises too little to test with: {one:?}");
    let kernel = Kernel::load_with(&settings, slots)?;
    let packets = run_on_every_cpu(&kernel, &cpus, &frame)?;
    Ok(Sums { counted: counts(&kernel.totals()), expected: multiplied(&one, packets) })
}

/// Every counter is the sum over all CPUs, exactly, whichever way CPUs share slots.
fn sums_are_exact(slots: Slots) -> Result<()> {
    let Sums { counted, expected } = sums(slots)?;
    ensure!(counted == expected, "with {slots:?}: {counted:?}, expected {expected:?}");
    Ok(())
}

#[test]
fn a_slot_for_each_cpu() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    let slots = Slots::plan(Cpus::probe()?, settings()?.counter_cpus);
    sums_are_exact(slots)
}

/// With `counter_cpus = 1`: CPU 0 has a slot, and all others share one, be they one or many.
#[test]
fn one_cpu_with_a_slot_of_its_own() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    let slots = Slots::plan(Cpus::probe()?, const { std::num::NonZeroU32::new(1).expect("one") });
    ensure!(slots.count <= 2);
    sums_are_exact(slots)
}

/// Every CPU in the one slot, the worst that can be: additions must be atomic.
#[test]
fn one_slot_for_all_cpus() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    let cpus = Cpus::probe()?;
    let slots = Slots::existing(cpus, 1);
    ensure!(slots.last_is_shared == (cpus.possible > 1));
    sums_are_exact(slots)
}

/// What the tests above can find: without atomic additions, CPUs that share a slot lose packets.
#[test]
fn sharing_without_atomic_additions_would_be_noticed() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    if cpus()?.len() < 2 {
        println!("one CPU cannot race with itself");
        return Ok(());
    }
    let lying = Slots { count: 1, last_is_shared: false };
    // A race need not be lost at once.
    for _ in 0..20 {
        let Sums { counted, expected } = sums(lying)?;
        if counted != expected {
            return Ok(());
        }
    }
    bail!("no packet was lost in 20 runs: the tests of this file prove nothing")
}
