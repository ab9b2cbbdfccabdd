//! The fair baseline: a counter by destination port on an `AF_PACKET` socket, as good as can be had without XDP.
//!
//! Packets come in a ring that is shared with the kernel, a block of them at a time, so that there is no system call per
//! packet; they are counted in an array by port. No flow, no flag, no signature.

mod ports;
mod ring;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::{Context as _, Result, ensure};
use signal_hook::consts::{SIGINT, SIGTERM};

use crate::affinity;
use ports::Ports;
use ring::Ring;

/// What one worker has counted, and what the kernel says that it could not give to it.
struct Counted {
    by_port: u64,
    other: u64,
    lost: u64,
}

/// Counts what comes to an interface until a signal says to stop, and prints it.
///
/// # Errors
/// Where the kernel gives no such socket.
pub fn run(interface: &str, workers: usize) -> Result<()> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGTERM, SIGINT] {
        signal_hook::flag::register(signal, Arc::clone(&stop)).context("cannot listen for signals")?;
    }
    ensure!(workers > 0, "no worker");
    let cpus = affinity::allowed()?;
    ensure!(workers <= cpus.len(), "{workers} workers, and this process may use CPUs {cpus:?} alone");
    let rings: Vec<Ring> =
        (0..workers).map(|_| Ring::open(interface, (workers > 1).then(group))).collect::<Result<_>>()?;
    println!("counting");
    let counted: Vec<Counted> = thread::scope(|scope| {
        let started: Vec<_> = rings
            .into_iter()
            .zip(cpus)
            .map(|(ring, cpu)| {
                let stop = &stop;
                scope.spawn(move || {
                    if workers > 1 {
                        affinity::stay_on(cpu)?;
                    }
                    count(ring, stop)
                })
            })
            .collect();
        let ended = started
            .into_iter()
            .map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        ended.collect::<Result<_>>()
    })?;
    let sum = |of: fn(&Counted) -> u64| counted.iter().map(of).sum::<u64>();
    println!("packets of other protocols: {}", sum(|counted| counted.other));
    println!("packets that the kernel dropped: {}", sum(|counted| counted.lost));
    println!("packets by port: {}", sum(|counted| counted.by_port));
    Ok(())
}

/// Number of the group of sockets among which packets are shared out: this process's alone.
fn group() -> u16 {
    #[expect(clippy::cast_possible_truncation, reason = "any number will do in a namespace of our own")]
    let number = std::process::id() as u16;
    number
}

fn count(mut ring: Ring, stop: &AtomicBool) -> Result<Counted> {
    let mut ports = Ports::new();
    loop {
        // Before the ring: what has come until then is counted.
        let is_last = stop.load(Ordering::Relaxed);
        while ring.take_block(|frame| ports.count(frame)) {}
        if is_last {
            break;
        }
        ring.wait()?;
    }
    Ok(Counted { by_port: ports.sum(), other: ports.other, lost: ring.lost()? })
}
