//! Generator, veth, agent: what was sent is what was counted, to the packet and in every counter.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, sleep};
use std::time::Duration;

use anyhow::{Result, ensure};
use end_to_end::agent::{Host, OBSERVING, sum, wait_until};
use end_to_end::privileged;
use nix::sys::signal::Signal;
use serde_json::Value;
use testbed::{Generator, Link, Namespace, Order, Pace, document, machine, mix};

/// Every counter is as expected, or an error that tells of those that are not.
fn same(expected: &Value, counted: &Value) -> Result<()> {
    let differences = document::differences(expected, counted);
    ensure!(differences.is_empty(), "expected and counted differ: {differences:#?}");
    Ok(())
}

#[test]
fn a_million_packets_of_the_mix() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    let (sender, host) = (Namespace::new()?, Host::new()?);
    let link = Link::between(&sender, &host.namespace)?;
    let mix = mix::telescope();
    let interface = link.telescope.interface.as_str();
    for mode in ["native", "generic"] {
        if mode == "generic" {
            link.receive_without_xdp()?;
        }
        let agent = host.start(
            mode,
            &[&OBSERVING[..], &["--interface", interface, "--mode", mode, "--interval", "200ms"]].concat(),
        )?;
        let sent = Generator::new(&mix)?.send(&link, &Order::packets(machine::packets(1_000_000)))?;
        let (status, intervals) = agent.stop(Signal::SIGTERM)?;
        ensure!(status.success(), "the agent ended with {status}");
        let breaches =
            intervals.iter().filter(|interval| interval["conservation_breaches"] != Value::Array(vec![]));
        ensure!(breaches.count() == 0, "conservation is broken");
        same(&mix.expected(&sent.by_kind), &sum(&intervals))?;
        same(&mix.expected(&sent.by_kind), &host.status()?["totals"])?;
        ensure!(host.run("detach", &[])?.code == Some(0), "cannot detach");
    }
    Ok(())
}

#[test]
fn a_killed_agent_and_one_with_another_configuration_miss_nothing() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    let (sender, host) = (Namespace::new()?, Host::new()?);
    let link = Link::between(&sender, &host.namespace)?;
    let mix = mix::telescope();
    let mut generator = Generator::new(&mix)?;
    let arguments =
        [&OBSERVING[..], &["--interface", &link.telescope.interface, "--interval", "100ms"]].concat();
    let first = host.start("first", &arguments)?;
    let (stop, progress) = (AtomicBool::new(false), generator.progress());
    let order = Order {
        pace: Pace::PacketsPerSecond(machine::rate(const { NonZeroU32::new(400_000).unwrap() })),
        stop: Some(&stop),
        ..Order::packets(u64::MAX >> 1)
    };
    // More than are under way at a time: the last of them were made, and come in, after this was asked.
    let more_arrive = |what: &str| {
        let enough = progress.packets() + machine::packets(40_000);
        wait_until(what, || Ok(progress.packets() > enough))
    };
    let (sent, intervals, third) = thread::scope(|scope| -> Result<_> {
        let sending = scope.spawn(|| generator.send(&link, &order));
        let agents = (|| -> Result<_> {
            sleep(Duration::from_millis(700));
            more_arrive("packets arrive with the first agent")?;
            let mut intervals = first.kill()?;
            sleep(Duration::from_millis(300));
            more_arrive("packets arrive without an agent")?;
            let second = host.start("second", &arguments)?;
            sleep(Duration::from_millis(500));
            let (_, more) = second.stop(Signal::SIGINT)?;
            intervals.extend(more);
            // Another window besides: another program, put in place while packets come in.
            let third = host.start(
                "third",
                &[&arguments[..], &["--watched-window", "5656", "--watched-window", "1"]].concat(),
            )?;
            let said = third.errors()?;
            ensure!(said.contains("replaced"), "the program was not replaced: {said}");
            more_arrive("packets arrive at the other program")?;
            Ok((intervals, third))
        })();
        stop.store(true, Ordering::Relaxed);
        let sent = sending.join().map_err(|_| anyhow::anyhow!("the sender panicked"))??;
        let (intervals, third) = agents?;
        Ok((sent, intervals, third))
    })?;
    let (_, more) = third.stop(Signal::SIGTERM)?;
    let mut intervals = [intervals, more].concat();
    let expected = mix.expected(&sent.by_kind);
    same(&expected, &host.status()?["totals"])?;
    intervals.sort_by_key(|interval| interval["sequence"].as_u64());
    same(&expected, &sum(&intervals))
}

#[test]
fn two_interfaces_are_one_sensor() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    let (sender, host) = (Namespace::new()?, Host::new()?);
    let links = [Link::between(&sender, &host.namespace)?, Link::between(&sender, &host.namespace)?];
    let mix = mix::telescope();
    let [first, second] = links.each_ref().map(|link| link.telescope.interface.as_str());
    let agent =
        host.start("both", &[&OBSERVING[..], &["--interface", first, "--interface", second]].concat())?;
    let mut generator = Generator::new(&mix)?;
    let mut expected = document::empty();
    for (link, packets) in links.iter().zip([300_000, 200_000]) {
        let sent = generator.send(link, &Order::packets(machine::packets(packets)))?;
        document::add(&mut expected, &mix.expected(&sent.by_kind));
    }
    let (_, intervals) = agent.stop(Signal::SIGTERM)?;
    same(&expected, &sum(&intervals))?;

    // With one interface fewer, the other one's packets are counted no more.
    let agent = host.start("one", &[&OBSERVING[..], &["--interface", first]].concat())?;
    ensure!(agent.errors()?.contains(&format!("no longer attached to {second}")), "{}", agent.errors()?);
    let sent = generator.send(&links[0], &Order::packets(machine::packets(100_000)))?;
    let (_, intervals) = agent.stop(Signal::SIGTERM)?;
    same(&mix.expected(&sent.by_kind), &sum(&intervals))
}
