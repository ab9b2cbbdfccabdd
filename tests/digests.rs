//! Digests of the real program: what the rules say of each fixture, and none lost without being counted.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::{Context as _, Result, ensure};
use end_to_end::fixture::{self, Fixture};
use end_to_end::kernel::Kernel;
use end_to_end::{frame_text, host, privileged};
use sensor_ebpf::abi::Outcome;
use sensor_ebpf::classify::{is_masscan, is_mirai, is_zmap, traffic_class};
use sensor_ebpf::digest::{Ipv4Digest, Ipv6Digest, marks};
use sensor_ebpf::packet::{Network, Packet, Transport};
use sensor_user::config::{Options, Settings};
use sensor_user::digests::RingMaps;
use sensor_user::drain::Drain;
use sensor_user::flows::Limits;
use sensor_user::flows::Settled;
use sensor_user::flows::law::Since;

/// A digest of either family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Any {
    Ipv4(Ipv4Digest),
    Ipv6(Ipv6Digest),
}

/// Takes what the program has written, from whichever CPU it ran on.
fn take(rings: &RingMaps) -> Vec<Any> {
    let mut digests = Vec::new();
    for cpu in 0..rings.plan().cpus {
        rings.ring(cpu).drain(u64::MAX, |part| digests.extend(part.iter().copied().map(Any::Ipv4)));
        rings.ring(cpu).drain(u64::MAX, |part| digests.extend(part.iter().copied().map(Any::Ipv6)));
    }
    digests
}

/// What the rules say, in the same words but by another way to the signatures than counting.
fn expected(packet: &Packet<'_>) -> Option<Any> {
    if matches!(packet.outcome, Outcome::Malformed | Outcome::NonIp | Outcome::Unobserved) {
        return None;
    }
    let class = traffic_class(packet);
    match packet.network {
        Network::None => None,
        Network::Ipv4(ipv4) => {
            let mut signatures = 0;
            if packet.outcome != Outcome::Fragment && is_zmap(ipv4) {
                signatures |= marks::ZMAP;
            }
            if let (Transport::Tcp(tcp), sensor_ebpf::abi::TrafficClass::Scan) = (packet.transport, class) {
                signatures |= if is_mirai(ipv4, tcp) { marks::MIRAI } else { 0 };
                signatures |= if is_masscan(ipv4, tcp) { marks::MASSCAN } else { 0 };
            }
            Some(Any::Ipv4(Ipv4Digest::new(ipv4, packet, class, signatures)))
        }
        Network::Ipv6(ipv6) => Some(Any::Ipv6(Ipv6Digest::new(ipv6, packet, class, 0))),
    }
}

#[test]
fn every_fixture_has_the_digest_that_the_rules_say() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    let mut loaded: Vec<(Settings, Kernel, RingMaps)> = Vec::new();
    let mut digests = 0;
    for Fixture { name, settings, frame, .. } in fixture::all()? {
        let settings = Settings { digests: true, ring_records: std::num::NonZeroU32::new(64), ..settings };
        let place = match loaded.iter().position(|(other, ..)| *other == settings) {
            Some(place) => place,
            None => {
                let kernel = Kernel::load(&settings)?;
                let rings = RingMaps::new(&kernel.ebpf, kernel.plan.rings)?;
                loaded.push((settings.clone(), kernel, rings));
                loaded.len() - 1
            }
        };
        let (_, kernel, rings) = &mut loaded[place];
        if !kernel.takes(&frame) {
            continue;
        }
        kernel.run(&frame)?;
        let written = take(rings);
        let wanted: Vec<Any> = expected(&host::decoded(&settings, &frame)).into_iter().collect();
        ensure!(written == wanted, "{name}: expected {wanted:?}, but was {written:?}");
        digests += written.len();
    }
    ensure!(digests > 200, "only {digests} fixtures have a digest");
    Ok(())
}

/// Rings of 64 digests, a drain that is always late, cuts all the while: what is lost is counted.
#[test]
fn a_tiny_ring_under_full_load_loses_exactly_what_it_says() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    const FRAMES: [&str; 3] = [
        "ethernet  020000000002 020000000001 0800
         ipv4      45 00 0028 d431 0000 40 06 0000 c6336401 cb007107
         tcp       9c40 0017 cb007107 00000000 50 02 1618 0000 0000",
        "ethernet  020000000002 020000000001 86dd
         ipv6      60000000 0008 11 40 20010db8000000010000000000000001 20010db8000000000000000000000007
         udp       0035 14e9 0008 0000",
        "ethernet  020000000002 020000000001 0800
         ipv4      45 00 001c 0001 0000 40 01 0000 c6336401 cb007107
         icmp      08 00 0000 00000000",
    ];
    let options =
        Options { digests: Some(true), ring_records: std::num::NonZeroU32::new(64), ..Options::default() };
    let settings = options.resolve()?;
    let kernel = Kernel::load(&settings)?;
    let rings = RingMaps::new(&kernel.ebpf, kernel.plan.rings)?;
    let mut drain = Drain::new(rings, Limits::new(&settings), 0);
    let (program, stop) = (kernel.program()?, AtomicBool::new(false));
    let (mut lost, mut read, mut reported) = (0, 0, kernel.watcher.cut().totals);
    drop(drain.finish(0));
    thread::scope(|scope| -> Result<()> {
        let load = |text: &str| -> Result<()> {
            let frame = frame_text::parse(text)?;
            while !stop.load(Ordering::Relaxed) {
                program.run(&frame, 50_000)?;
            }
            Ok(())
        };
        let threads: Vec<_> = FRAMES.map(|text| scope.spawn(move || load(text))).into_iter().collect();
        let mut interval = || -> Result<()> {
            // Passes at no particular time.
            for _ in 0..200 {
                drain.pass(0);
            }
            let totals = kernel.watcher.cut().totals;
            let finished = drain.finish(0);
            let counted = totals.since(&reported).context("a counter has shrunk")?;
            let settled = Settled::new(&finished.flows, &counted, Since::ItsBeginning);
            ensure!(settled.breaches.is_empty(), "{:?}", settled.breaches);
            lost += settled.digests.lost.sum();
            read += settled.flows.packets;
            reported = totals;
            Ok(())
        };
        let measured = (0..60).try_for_each(|_| interval());
        stop.store(true, Ordering::Relaxed);
        for thread in threads {
            thread.join().ok().context("a thread has panicked")??;
        }
        measured.and_then(|()| interval())
    })?;
    let observed: u64 = kernel.watcher.cut().totals.ip_protocols.iter().sum();
    ensure!(lost + read == observed, "{observed} packets, {read} digests read and {lost} lost");
    ensure!(lost > 0 && read > 0, "{read} digests read, {lost} lost: this was no load, or no drain");
    Ok(())
}
