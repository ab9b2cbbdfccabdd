//! `bench outage`: the collector is away for a while, and the agent dies meanwhile, under steady traffic.
//!
//! It is no timed claim but a proof on a large scale: afterwards what is stored has to be what was sent, to the
//! packet, and no interval may be missing or twice, or the command fails.

use std::num::NonZeroU32;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use clap::Args;
use sensor_user::table::grouped;
use testbed::{Collector, Generator, Sent, document, mix};

use crate::chain::{Chain, Machines};
use crate::results::{self, Aim, Bar, Better, Figure, Measurement};

/// Time before the collector goes, and after it is back, in which traffic flows.
const AROUND: Duration = Duration::from_secs(5);
/// How long the backlog may stand still.
const PATIENCE: Duration = Duration::from_mins(1);

/// Stops the collector for a while under traffic, kills the agent meanwhile, and counts what is stored afterwards
#[derive(Args)]
pub struct Arguments {
    /// How long the collector is away
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u64).range(3..))]
    seconds: u64,
    /// How often the agent is killed meanwhile
    #[arg(long, default_value_t = 2)]
    kills: u32,
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

pub fn run(arguments: &Arguments) -> Result<()> {
    results::show(&measure(arguments)?, arguments.json)
}

pub fn measure(arguments: &Arguments) -> Result<Measurement> {
    let machines = Machines::new()?;
    let chain = Chain::new(&machines)?;
    let mix = mix::telescope();
    let mut generator = Generator::new(&mix)?;
    let collector = chain.start_collector()?;
    let mut agent = chain.start_agent(&arguments.interval)?;
    let (sent, collector) = chain.while_sending(&mut generator, arguments.rate, || {
        thread::sleep(AROUND);
        collector.stop()?;
        eprintln!("the collector is stopped for {} s", arguments.seconds);
        let part = Duration::from_secs(arguments.seconds) / (arguments.kills + 1);
        for number in 1..=arguments.kills {
            thread::sleep(part);
            agent.kill();
            agent = chain.start_agent(&arguments.interval)?;
            eprintln!("the agent was killed, and is started again: {number}");
        }
        thread::sleep(part);
        eprintln!("the collector is started again");
        let collector = chain.start_collector()?;
        thread::sleep(AROUND);
        Ok(collector)
    })?;
    let waiting = Instant::now();
    wait(&collector, sent.packets)?;
    let waited = waiting.elapsed();
    agent.stop()?;
    let differences = document::differences(&mix.expected(&sent.by_kind), &collector.counted()?);
    ensure!(differences.is_empty(), "what is stored is not what was sent: {differences:?}");
    let measurement = measurement(&sent, &collector, waited)?;
    collector.verify()?;
    collector.stop()?;
    agent.detach()?;
    Ok(measurement)
}

/// Waits until so many packets are stored.
fn wait(collector: &Collector<'_>, packets: u64) -> Result<()> {
    let (mut stored, mut since, mut told) = (0, Instant::now(), Instant::now());
    loop {
        let now = collector.packets()?;
        if now >= packets {
            return Ok(());
        }
        if now > stored {
            (stored, since) = (now, Instant::now());
        }
        ensure!(
            since.elapsed() < PATIENCE,
            "for {PATIENCE:?} no more than {stored} packets have been stored"
        );
        if told.elapsed() > Duration::from_secs(10) {
            eprintln!("{} of {} packets are stored", grouped(stored), grouped(packets));
            told = Instant::now();
        }
        thread::sleep(Duration::from_millis(200));
    }
}

#[expect(clippy::cast_precision_loss, reason = "figures, of which only the first digits matter")]
fn measurement(sent: &Sent, collector: &Collector<'_>, waited: Duration) -> Result<Measurement> {
    let question = "SELECT SUM(packets) AS packets, COUNT(*) AS intervals, SUM(last_sequence - first_sequence) AS merged, \
                    MIN(first_sequence) AS first, MAX(last_sequence) AS last, SUM(last_sequence - first_sequence + 1) AS sequences, \
                    SUM(digests_lost_ipv4 + digests_lost_ipv6) AS lost, \
                    SUM(digests_unread_ipv4 + digests_unread_ipv6) AS unread, \
                    SUM(flow_packets_missing) AS missing, COUNT(DISTINCT epoch) AS epochs FROM intervals";
    let rows = collector.sql(question)?;
    let row = rows.first().context("nothing is stored")?;
    let number = |name: &str| row[name].as_u64().unwrap_or_default();
    ensure!(
        row["epochs"] == 1 && number("first") == 1 && number("sequences") == number("last"),
        "sequences are missing or twice: {row}"
    );
    let bars =
        |name: &str, title: &str, unit: &str, bars| Figure::bars(name, title, unit, Better::Lower, bars);
    let once = |label: &str, name: &str| Bar::once(label, number(name) as f64);
    Ok(Measurement {
        figures: vec![
            bars(
                "backlog",
                "From the last packet sent until the last is stored",
                "s",
                vec![Bar::once("the backlog", waited.as_secs_f64())],
            ),
            bars(
                "in_no_flow",
                "Packets that are counted and in no flow",
                "packets",
                vec![
                    once("all", "missing"),
                    once("digests lost", "lost"),
                    once("read by an agent that was killed", "unread"),
                ],
            ),
        ],
        aims: vec![Aim {
            of: "packets sent that are not stored".into(),
            aim: 0.0,
            measured: sent.packets as f64 - number("packets") as f64,
            unit: "packets".into(),
            better: Better::Lower,
        }],
        checked: vec![
            format!(
                "{} packets sent in {:.0} s, {} stored, alike in every counter",
                grouped(sent.packets),
                sent.elapsed.as_secs_f64(),
                grouped(number("packets"))
            ),
            format!(
                "{} intervals with sequences {} to {}, {} of them merged into others; none is missing, none twice",
                grouped(number("intervals")),
                number("first"),
                number("last"),
                number("merged")
            ),
        ],
        warnings: Vec::new(),
    })
}
