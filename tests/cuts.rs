//! `Watcher::cut` while packets come in on every CPU: each cut is exact, and cuts add up.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, Result, ensure};
use end_to_end::counter_names::{Counts, counts};
use end_to_end::frame_text;
use end_to_end::kernel::Kernel;
use end_to_end::privileged;
use sensor_user::config::{Options, Settings};
use sensor_user::counters::Totals;
use sensor_user::features::Cpus;
use sensor_user::program::Slots;

/// Cuts that have packets before them.
const CUTS: usize = 200;
/// Cuts in all, after which the load must have been none.
const MOST_CUTS: usize = 5_000;
/// Packets of one run. A run begins and ends with waiting for an RCU grace period, so it has to be long.
const REPEAT: u32 = 100_000;

/// Packets that have no counter in common but `packets` and `bytes`: what a cut has counted of each can
/// then be told, and must be the same by every counter that it raises.
const PACKETS: [&str; 3] = [
    "ethernet  020000000002 020000000001 0800
     ipv4      45 00 0028 0001 0000 40 06 0000 c6336401 cb007107
     tcp       9c40 0017 cb007107 00000000 50 02 1618 0000 0000",
    "ethernet  020000000002 020000000001 86dd
     ipv6      60000000 000c 11 40 20010db8000000010000000000000001 20010db8000000000000000000000007
     udp       9c40 0035 000c 0000
     payload   00*4",
    "ethernet  020000000002 020000000001 0800
     ipv4      45 00 001c 0001 0000 40 01 0000 c6336401 cb007107
     icmp      08 00 0000 00000000",
];

fn settings() -> Result<Settings> {
    Ok(Options { watched_windows: Some(vec![5656]), digests: Some(false), ..Options::default() }.resolve()?)
}

/// A packet, and what one of it raises.
struct Packet {
    frame: Vec<u8>,
    raised: Counts,
}

fn packets(slots: Slots) -> Result<Vec<Packet>> {
    let mut kernel = Kernel::load_with(&settings()?, slots)?;
    let packet = |text: &&str| -> Result<Packet> {
        let frame = frame_text::parse(text)?;
        let raised = kernel.run(&frame)?.raised;
        Ok(Packet { frame, raised })
    };
    PACKETS.iter().map(packet).collect()
}

/// The counters that no other packet raises.
fn own<'a>(packets: &'a [Packet], packet: &'a Packet) -> BTreeSet<&'a str> {
    let others = packets.iter().filter(|other| !std::ptr::eq(*other, packet));
    let shared: BTreeSet<&String> = others.flat_map(|other| other.raised.keys()).collect();
    packet.raised.keys().filter(|name| !shared.contains(name)).map(String::as_str).collect()
}

/// Checks every counter of a cut: each packet is wholly in it, or not at all.
fn is_made_of_whole_packets(packets: &[Packet], totals: &Totals) -> Result<()> {
    let counted = counts(totals);
    let mut expected = Counts::new();
    for packet in packets {
        let witness = own(packets, packet).pop_first().context("a packet without a counter of its own")?;
        let times = counted.get(witness).copied().unwrap_or(0);
        for (name, count) in packet.raised.iter().filter(|_| times > 0) {
            *expected.entry(name.clone()).or_default() += count * times;
        }
    }
    ensure!(counted == expected, "a cut went through a packet:\n{counted:?}\n{expected:?}");
    Ok(())
}

/// Cuts under load: see the head of this file.
fn cuts_are_exact(slots: Slots) -> Result<()> {
    let packets = packets(slots)?;
    let kernel = Kernel::load_with(&settings()?, slots)?;
    let program = kernel.program()?;
    let stop = AtomicBool::new(false);
    // One thread for each packet: with two CPUs, more than can run at once.
    let load = |packet: &Packet| -> Result<u64> {
        let mut sent = 0;
        while !stop.load(Ordering::Relaxed) {
            program.run(&packet.frame, REPEAT)?;
            sent += u64::from(REPEAT);
        }
        Ok(sent)
    };
    let (sent, cuts) = std::thread::scope(|scope| {
        let threads: Vec<_> = packets.iter().map(|packet| scope.spawn(|| load(packet))).collect();
        let cuts = cut_again_and_again(&kernel, &packets);
        stop.store(true, Ordering::Relaxed);
        let sent: Result<Vec<u64>> =
            threads.into_iter().map(|thread| thread.join().ok().context("a thread has panicked")?).collect();
        anyhow::Ok((sent?, cuts?))
    })?;
    let last = kernel.watcher.cut().totals;
    is_made_of_whole_packets(&packets, &last)?;
    ensure!(last.packets == sent.iter().sum::<u64>(), "{} of {sent:?} were counted", last.packets);
    let rest = last.since(&cuts.last).context("a counter has shrunk")?;
    let mut sum = cuts.sum;
    sum.merge(&rest);
    ensure!(counts(&sum) == counts(&last), "the intervals do not add up to the totals");
    ensure!(cuts.intervals_with_packets == CUTS, "too little load: {}", cuts.intervals_with_packets);
    println!("{CUTS} cuts through {} packets", last.packets);
    Ok(())
}

/// What many cuts have found.
struct Cuts {
    last: Totals,
    /// The intervals, added up.
    sum: Totals,
    intervals_with_packets: usize,
}

fn cut_again_and_again(kernel: &Kernel, packets: &[Packet]) -> Result<Cuts> {
    let mut cuts = Cuts { last: Totals::default(), sum: Totals::default(), intervals_with_packets: 0 };
    for number in 0..MOST_CUTS {
        if cuts.intervals_with_packets == CUTS {
            break;
        }
        let cut = kernel.watcher.cut();
        ensure!(cut.breaches.is_empty(), "cut {number}: {:?}", cut.breaches);
        is_made_of_whole_packets(packets, &cut.totals).with_context(|| format!("cut {number}"))?;
        let interval = cut.totals.since(&cuts.last).context("a counter has shrunk")?;
        cuts.intervals_with_packets += usize::from(interval.packets > 0);
        cuts.sum.merge(&interval);
        cuts.last = cut.totals;
    }
    Ok(cuts)
}

#[test]
fn cuts_through_exclusive_slots() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    cuts_are_exact(Slots::plan(Cpus::probe()?, settings()?.counter_cpus))
}

#[test]
fn cuts_through_one_shared_slot() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    cuts_are_exact(Slots::existing(Cpus::probe()?, 1))
}
