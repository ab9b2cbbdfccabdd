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
use testbed::{Generator, Namespace, document, mix};

use crate::chain::{Chain, METRICS, Machines};
use crate::http::get;
use crate::results::{self, Bar, Better, Figure, Measurement, Plot, Quantiles};

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

/// Of what is stored and what was sent, in an error.
const MOST_DIFFERENCES: usize = 5;

pub fn run(arguments: &Arguments) -> Result<()> {
    results::show(&measure(arguments)?, arguments.json)
}

#[expect(clippy::cast_precision_loss, reason = "MiB")]
pub fn measure(arguments: &Arguments) -> Result<Measurement> {
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
    ensure!(
        differences.is_empty(),
        "what is stored is not what was sent, in {} counters: {:?}",
        differences.len(),
        &differences[..differences.len().min(MOST_DIFFERENCES)]
    );
    collector.stop()?;
    agent.detach()?;
    let stored = stored["packets"].as_u64().unwrap_or_default();
    ensure!(stored == sent.packets, "{} packets sent, {stored} stored", sent.packets);
    let quantiles = Plot::Quantiles(vec![latency]);
    let cpu = used.as_secs_f64() / elapsed * 100.0;
    let one = |name: &str, title: &str, unit: &str, value: f64| {
        Figure::bars(name, title, unit, Better::Lower, vec![Bar::once("the whole run", value)])
    };
    Ok(Measurement {
        figures: vec![
            Figure {
                name: "latency".into(),
                title: "From an interval's end until the collector has said 'stored'".into(),
                unit: "s".into(),
                better: Better::Lower,
                plot: quantiles,
            },
            one("cpu", "The agent, of a CPU", "%", cpu),
            one("memory", "The agent's memory at most", "MiB", memory as f64 / f64::from(1 << 20)),
        ],
        aims: Vec::new(),
        checked: vec![format!(
            "{elapsed:.0} s: {} packets sent, {} stored, alike in every counter",
            grouped(sent.packets),
            grouped(stored)
        )],
        warnings: Vec::new(),
    })
}

const QUANTILES: &str = "apus_sensor_ship_latency_quantile_seconds";
const COUNT: &str = "apus_sensor_ship_latency_seconds_count";

/// The agent's own histogram, by its metrics.
fn latency(namespace: &Namespace) -> Result<Quantiles> {
    let address = METRICS.parse().context("no address")?;
    let text = namespace.within(|| get(address, "/metrics"))??;
    let value = |series: &str| -> Result<f64> {
        let mut lines = text.lines().filter_map(|line| line.rsplit_once(' '));
        let found = lines.find(|(name, _)| *name == series);
        let (_, value) = found.with_context(|| format!("the agent's metrics have no {series}"))?;
        value.parse().with_context(|| format!("{series} is {value}"))
    };
    let quantile = |quantile: &str| value(&format!("{QUANTILES}{{quantile=\"{quantile}\"}}"));
    Ok(Quantiles {
        label: "interval's end to stored".into(),
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
        count: value(COUNT)? as u64,
        p50: quantile("0.5")?,
        p90: quantile("0.9")?,
        p99: quantile("0.99")?,
        p999: quantile("0.999")?,
        max: quantile("1")?,
    })
}
