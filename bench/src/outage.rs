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
}

pub fn run(arguments: &Arguments) -> Result<()> {
    let machines = Machines::new()?;
    let chain = Chain::new(&machines)?;
    let mix = mix::telescope();
    let mut generator = Generator::new(&mix)?;
    let collector = chain.start_collector()?;
    let mut agent = chain.start_agent(&arguments.interval)?;
    let (sent, collector) = chain.while_sending(&mut generator, arguments.rate, || {
        thread::sleep(AROUND);
        collector.stop()?;
        println!("the collector is stopped for {} s", arguments.seconds);
        let part = Duration::from_secs(arguments.seconds) / (arguments.kills + 1);
        for number in 1..=arguments.kills {
            thread::sleep(part);
            agent.kill();
            agent = chain.start_agent(&arguments.interval)?;
            println!("the agent was killed, and is started again: {number}");
        }
        thread::sleep(part);
        println!("the collector is started again");
        let collector = chain.start_collector()?;
        thread::sleep(AROUND);
        Ok(collector)
    })?;
    let waiting = Instant::now();
    wait(&collector, sent.packets)?;
    let waited = waiting.elapsed();
    agent.stop()?;
    let differences = document::differences(&mix.expected(&sent.by_kind), &collector.counted()?);
    report(&sent, &collector, waited)?;
    ensure!(differences.is_empty(), "what is stored is not what was sent: {differences:?}");
    collector.verify()?;
    collector.stop()?;
    agent.detach()
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

fn report(sent: &Sent, collector: &Collector<'_>, waited: Duration) -> Result<()> {
    let question = "SELECT SUM(packets) AS packets, COUNT(*) AS intervals, SUM(last_sequence - first_sequence) AS merged, \
                    MIN(first_sequence) AS first, MAX(last_sequence) AS last, SUM(last_sequence - first_sequence + 1) AS sequences, \
                    SUM(digests_lost_ipv4 + digests_lost_ipv6) AS lost, \
                    SUM(digests_unread_ipv4 + digests_unread_ipv6) AS unread, \
                    SUM(flow_packets_missing) AS missing, COUNT(DISTINCT epoch) AS epochs FROM intervals";
    let rows = collector.sql(question)?;
    let row = rows.first().context("nothing is stored")?;
    let number = |name: &str| row[name].as_u64().unwrap_or_default();
    println!(
        "sent                {:>14} packets in {:.0} s",
        grouped(sent.packets),
        sent.elapsed.as_secs_f64()
    );
    println!(
        "stored              {:>14} packets, the last of them {:.1} s after the last was sent",
        grouped(number("packets")),
        waited.as_secs_f64()
    );
    println!(
        "intervals           {:>14}, sequences {} to {}, {} of them merged into others",
        grouped(number("intervals")),
        number("first"),
        number("last"),
        number("merged")
    );
    println!(
        "packets in no flow  {:>14}: {} digests lost, {} read by an agent that was killed",
        grouped(number("missing")),
        grouped(number("lost")),
        grouped(number("unread"))
    );
    ensure!(
        row["epochs"] == 1 && number("first") == 1 && number("sequences") == number("last"),
        "sequences are missing or twice: {row}"
    );
    Ok(())
}
