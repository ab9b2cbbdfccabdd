//! `bench ship`: how long an interval takes from its end until the collector has stored it.
//!
//! The whole chain for a while, agent and collector as processes of their own, by the agent's own histogram. What is
//! stored at the end has to be what was sent, or the command fails.

use std::num::NonZeroU32;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use clap::Args;
use sensor_user::table::grouped;
use serde::Serialize;
use testbed::{Generator, Namespace, document, mix};

use crate::chain::{Chain, METRICS, Machines};
use crate::http::get;

/// Runs the whole chain for a while: p50 and p99 from an interval's end until it is stored
#[derive(Args)]
pub struct Arguments {
    /// How long
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(5..))]
    seconds: u64,
    /// Packets per second
    #[arg(long, default_value = "100000")]
    rate: NonZeroU32,
    /// Length of the agent's intervals
    #[arg(long, default_value = "1s")]
    interval: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    seconds: f64,
    sent: u64,
    stored: u64,
    /// Lines of the agent's metrics: from an interval's end until it was stored.
    latency: Vec<String>,
    agent_cpu_percent: f64,
    agent_memory_bytes: u64,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    let machines = Machines::new()?;
    let chain = Chain::new(&machines)?;
    let mix = mix::telescope();
    let mut generator = Generator::new(&mix)?;
    let collector = chain.start_collector()?;
    let mut agent = chain.start_agent(&arguments.interval)?;
    let (before, started) = (agent.processor_time()?, Instant::now());
    let (sent, ()) = chain.while_sending(&mut generator, arguments.rate, || {
        thread::sleep(Duration::from_secs(arguments.seconds));
        Ok(())
    })?;
    let (used, elapsed) = (agent.processor_time()? - before, started.elapsed().as_secs_f64());
    let memory = agent.most_memory()?;
    let latency = latency(&machines.sensor)?;
    agent.stop()?;
    let stored = collector.counted()?;
    let differences = document::differences(&mix.expected(&sent.by_kind), &stored);
    ensure!(differences.is_empty(), "what is stored is not what was sent: {differences:?}");
    collector.stop()?;
    agent.detach()?;
    let report = Report {
        seconds: elapsed,
        sent: sent.packets,
        stored: stored["packets"].as_u64().unwrap_or_default(),
        latency,
        agent_cpu_percent: used.as_secs_f64() / elapsed * 100.0,
        agent_memory_bytes: memory,
    };
    if arguments.json {
        println!("{}", serde_json::to_string(&report)?);
        return Ok(());
    }
    println!(
        "{:.0} s: {} packets sent, {} stored; agent {:.1} % of a CPU, {} MiB",
        report.seconds,
        grouped(report.sent),
        grouped(report.stored),
        report.agent_cpu_percent,
        report.agent_memory_bytes >> 20
    );
    report.latency.iter().for_each(|line| println!("{line}"));
    Ok(())
}

/// The lines of the agent's metrics that are about it.
fn latency(namespace: &Namespace) -> Result<Vec<String>> {
    let address = METRICS.parse().context("no address")?;
    let text = namespace.within(|| get(address, "/metrics"))??;
    let is_latency = |line: &&str| line.starts_with("apus_sensor_ship_latency_quantile_seconds");
    let lines: Vec<String> = text.lines().filter(is_latency).map(Into::into).collect();
    ensure!(!lines.is_empty(), "the agent tells no latency: {text}");
    Ok(lines)
}
