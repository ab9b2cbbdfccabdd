//! `bench sustained`: the whole sensor for a while, agent and all, over a veth pair.
//!
//! The generator sends at full speed, or at a rate, from one CPU; the agent, a process of its own, drains on
//! another. Second by second: what was sent, counted and lost, how full the rings were, and what the agent
//! used of a processor. Every packet sent has to be counted, or the command fails.

mod figures;

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use clap::Args;
use serde_json::Value;
use testbed::{Agent, Bpffs, Generator, Link, Namespace, Order, Pace, Sent, find_agent};

use crate::affinity;
use crate::kernel::Traffic;
use crate::results::{self, Measurement};

/// Runs the real agent under traffic for a while: sent, counted, digests lost, ring fill, the agent's CPU
#[derive(Args)]
pub struct Arguments {
    /// How long
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(2..))]
    seconds: u64,
    /// Packets per second [default: as many as the machine gives]
    #[arg(long)]
    rate: Option<NonZeroU32>,
    /// What the packets are
    #[arg(long, value_enum, default_value_t = Traffic::Telescope)]
    traffic: Traffic,
    /// How many IPv4 sources they are from, where sources are random; 0 for all that there can be
    #[arg(long, default_value_t = 1_000_000)]
    sources: u32,
    /// CPU that sends, and receives [default: the first that this process may use]
    #[arg(long)]
    send_cpu: Option<usize>,
    /// CPU that the agent drains on [default: the next]
    #[arg(long)]
    drain_cpu: Option<usize>,
    /// Length of the agent's intervals
    #[arg(long, default_value = "1s")]
    interval: String,
    /// Digests in a ring [default: the agent's]
    #[arg(long)]
    ring_records: Option<NonZeroU32>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// All of it together.
struct Report {
    seconds: f64,
    sent: u64,
    counted: u64,
    observed: u64,
    digests_written: u64,
    digests_lost: u64,
    agent_cpu_percent: f64,
    /// The most memory that the agent has had at a time, rings and counters included.
    agent_memory_bytes: u64,
    intervals: Vec<Second>,
}

/// One interval of the agent's.
#[derive(Clone, Copy)]
struct Second {
    packets: u64,
    digests_lost: u64,
    most_waiting: u64,
    ring_records: u64,
    flows: u64,
    overflow_packets: u64,
    agent_cpu_percent: f64,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    results::show(&measure(arguments)?, arguments.json)
}

pub fn measure(arguments: &Arguments) -> Result<Measurement> {
    let [send_cpu, drain_cpu] = affinity::sender_and_other(arguments.send_cpu, arguments.drain_cpu)
        .context("cannot choose --send-cpu and --drain-cpu, which may be the same where both are named")?;
    let (sender, receiver, bpffs) = (Namespace::new()?, Namespace::new()?, Bpffs::new()?);
    let link = Link::between(&sender, &receiver)?;
    let mut generator = Generator::new(&arguments.traffic.mix().from_sources(arguments.sources))?;
    let drain_cpu = drain_cpu.to_string();
    let ring_records = arguments.ring_records.map(|records| records.to_string());
    let mut flags = vec!["--sensor", "bench", "--drain-cpu", &drain_cpu, "--interval", &arguments.interval];
    flags.extend(ring_records.iter().flat_map(|records| ["--ring-records", records.as_str()]));
    let pins = bpffs.path().join("sensor");
    let mut agent = Agent::start(&find_agent()?, &link.telescope, &pins, &flags, || false)?;
    let (before, started) = (agent.processor_time()?, Instant::now());
    let (sent, percents) = send(arguments, send_cpu, &mut generator, &link, &mut agent)?;
    let (used, elapsed) = (agent.processor_time()? - before, started.elapsed());
    let memory = agent.most_memory()?;
    let intervals = agent.stop()?;
    agent.detach()?;
    let report =
        report(&sent, &intervals, &percents, memory, used.as_secs_f64() / elapsed.as_secs_f64() * 100.0)?;
    ensure!(report.sent == report.counted, "{} packets sent, {} counted", report.sent, report.counted);
    ensure!(
        report.digests_written + report.digests_lost == report.observed,
        "{} packets observed, {} digests written and {} lost",
        report.observed,
        report.digests_written,
        report.digests_lost
    );
    Ok(figures::measurement(&report))
}

/// Sends until the time is over; gives what was sent, and the agent's share of a processor at each interval.
fn send(
    arguments: &Arguments,
    cpu: usize,
    generator: &mut Generator,
    link: &Link<'_>,
    agent: &mut Agent,
) -> Result<(Sent, Vec<f64>)> {
    let stop = AtomicBool::new(false);
    let cpus = [cpu];
    let pace = arguments.rate.map_or(Pace::FullSpeed, Pace::PacketsPerSecond);
    let order = Order { packets: u64::MAX >> 1, pace, cpus: &cpus, stop: Some(&stop) };
    thread::scope(|scope| {
        let sending = scope.spawn(|| generator.send(link, &order));
        let watched = watch(agent, arguments.seconds, || sending.is_finished());
        stop.store(true, Ordering::Relaxed);
        let sent = sending.join().map_err(|_| anyhow::anyhow!("the generator panicked"))?;
        Ok((sent?, watched?))
    })
}

fn watch(agent: &mut Agent, seconds: u64, is_over: impl Fn() -> bool) -> Result<Vec<f64>> {
    let mut percents = Vec::new();
    let (started, mut last) = (Instant::now(), (Instant::now(), agent.processor_time()?));
    while started.elapsed() < Duration::from_secs(seconds) && !is_over() {
        thread::sleep(Duration::from_millis(10));
        agent.listen()?;
        if agent.intervals().len() > percents.len() {
            let now = (Instant::now(), agent.processor_time()?);
            let share = (now.1 - last.1).as_secs_f64() / (now.0 - last.0).as_secs_f64();
            percents.resize(agent.intervals().len(), share * 100.0);
            last = now;
        }
    }
    Ok(percents)
}

fn report(
    sent: &Sent,
    intervals: &[Value],
    percents: &[f64],
    agent_memory_bytes: u64,
    agent_cpu_percent: f64,
) -> Result<Report> {
    let number = |interval: &Value, path: &str| interval.pointer(path).and_then(Value::as_u64).unwrap_or(0);
    let both = |interval: &Value, path: &str| {
        number(interval, &format!("{path}/ipv4")) + number(interval, &format!("{path}/ipv6"))
    };
    let sum = |value: &dyn Fn(&Value) -> u64| intervals.iter().map(value).sum::<u64>();
    let protocols = |interval: &Value| {
        let by_number = interval["ip_protocols"].as_object();
        by_number.map_or(0, |protocols| protocols.values().filter_map(Value::as_u64).sum())
    };
    for interval in intervals {
        let breaches =
            interval["conservation_breaches"].as_array().context("an interval without breaches")?;
        ensure!(breaches.is_empty(), "conservation is broken: {breaches:?}");
    }
    let second = |(place, interval): (usize, &Value)| Second {
        packets: number(interval, "/packets"),
        digests_lost: both(interval, "/digests/lost"),
        most_waiting: number(interval, "/rings/most_waiting"),
        ring_records: number(interval, "/rings/records"),
        flows: number(interval, "/flows/rows"),
        overflow_packets: number(interval, "/flows/overflow_packets"),
        agent_cpu_percent: percents.get(place).copied().unwrap_or(0.0),
    };
    Ok(Report {
        seconds: sent.elapsed.as_secs_f64(),
        sent: sent.packets,
        counted: sum(&|interval| number(interval, "/packets")),
        observed: sum(&protocols),
        digests_written: sum(&|interval| both(interval, "/digests/written")),
        digests_lost: sum(&|interval| both(interval, "/digests/lost")),
        agent_cpu_percent,
        agent_memory_bytes,
        intervals: intervals.iter().enumerate().map(second).collect(),
    })
}
