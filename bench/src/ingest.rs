//! `bench ingest`: from the agents' own shippers, over loopback TLS, into the collector's store.
//!
//! Batches of made-up telescopes are made beforehand. Then as many shippers as there are sensors send them all to the
//! real collector, a process of its own, each with its own certificate. The time is from the first batch to the
//! last 'stored'. At the end what is stored has to be what was sent, or the command fails.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use clap::Args;
use sensor_user::ship::{Prepared, ShipOptions, Shipper, Source, SourceError};
use sensor_user::table::grouped;
use serde_json::Value;
use testbed::batches::Telescope;
use testbed::collector::PORT;
use testbed::{Authority, Collector, Namespace, find_collector, process};
use wire::Name;

use crate::results::{self, Aim, Bar, Better, Figure, Measurement};
use crate::statistics::Spread;

/// How long the collector may take for everything.
const PATIENCE: Duration = Duration::from_mins(30);
const SECOND: u64 = 1_000_000_000;

/// Ships made-up intervals to a real collector: flow rows per second, bytes on disk, memory, CPU
#[derive(Args)]
pub struct Arguments {
    /// Sensors that ship at once
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=64))]
    sensors: u32,
    /// Intervals of each
    #[arg(long, default_value_t = 25, value_parser = clap::value_parser!(u64).range(1..))]
    intervals: u64,
    /// Flow rows of each interval
    #[arg(long, default_value_t = 50_000, value_parser = clap::value_parser!(u64).range(1..))]
    rows: u64,
    /// Sources in all
    #[arg(long, default_value_t = 1_000_000)]
    sources: u32,
    /// Rounds, each of them into a new store
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Batches that wait, in memory.
struct Made {
    waiting: Mutex<Vec<(Name, Bytes)>>,
    stored: AtomicU64,
}

impl Source for Made {
    fn oldest(&self, most: usize, is_out: &dyn Fn(&Name) -> bool) -> Vec<Name> {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.iter().map(|(name, _)| *name).filter(|name| !is_out(name)).take(most).collect()
    }

    fn read(&self, name: &Name) -> Result<Option<Vec<Bytes>>, SourceError> {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(waiting.iter().find(|(other, _)| other == name).map(|(_, bytes)| vec![bytes.clone()]))
    }

    fn mark_attempted(&self, _name: &Name) -> Result<(), SourceError> {
        Ok(())
    }

    fn mark_stored(&self, name: &Name) -> Result<(), SourceError> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).retain(|(other, _)| other != name);
        self.stored.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

/// Everything that is sent, made beforehand.
struct Load {
    sources: Vec<Arc<Made>>,
    rows: u64,
    packets: u64,
    bytes: u64,
}

/// What one round came to.
struct Round {
    rows_per_second: f64,
    collector_cpu_seconds: f64,
    collector_mebibytes: f64,
    wire_bytes_per_row: f64,
    /// Bytes on disk by table, its indexes included, for each flow row.
    disk_bytes_per_row: Vec<(String, f64)>,
    checked: String,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    results::show(&measure(arguments)?, arguments.json)
}

pub fn measure(arguments: &Arguments) -> Result<Measurement> {
    let mut rounds = Vec::new();
    for number in 1..=arguments.rounds {
        rounds.push(round(arguments)?);
        if !arguments.json {
            eprintln!("round {number} of {} is done", arguments.rounds);
        }
    }
    let last = rounds.last().context("no rounds")?;
    let all = |value: fn(&Round) -> f64| rounds.iter().map(value).collect::<Vec<_>>();
    let median = |value: fn(&Round) -> f64| Spread::new(all(value)).map_or(0.0, |spread| spread.median);
    let bar = |name: &str, title: &str, unit: &str, better, label: &str, value| {
        Figure::bars(name, title, unit, better, vec![Bar::of_rounds(label, all(value))])
    };
    let tables = last.disk_bytes_per_row.iter().filter(|(_, bytes)| *bytes >= 0.05);
    let tables = tables.map(|(table, bytes)| Bar::once(table, *bytes)).collect();
    let lower = Better::Lower;
    let flows = |round: &Round| {
        let flows = round.disk_bytes_per_row.iter().find(|(table, _)| table == "flow_raw");
        flows.map_or(0.0, |(_, bytes)| *bytes)
    };
    let aim = |of: &str, aim, measured, unit: &str, better| Aim {
        of: of.into(),
        aim,
        measured,
        unit: unit.into(),
        better,
    };
    Ok(Measurement {
        figures: vec![
            bar("rate", "Flow rows into the store", "rows/s", Better::Higher, "stored", |round| {
                round.rows_per_second
            }),
            Figure::bars("disk", "On the disk, by table", "bytes for each flow row", lower, tables),
            bar("wire", "On the wire", "bytes for each flow row", lower, "batches", |round| {
                round.wire_bytes_per_row
            }),
            bar("cpu", "The collector's processor time", "s", lower, "collector", |round| {
                round.collector_cpu_seconds
            }),
            bar("memory", "The collector's memory at most", "MiB", lower, "collector", |round| {
                round.collector_mebibytes
            }),
        ],
        aims: vec![
            aim(
                "flow rows stored",
                100_000.0,
                median(|round| round.rows_per_second),
                "rows/s",
                Better::Higher,
            ),
            aim("a row of flow_raw on the disk", 40.0, median(flows), "bytes", lower),
        ],
        checked: rounds.iter().map(|round| round.checked.clone()).collect(),
        warnings: Vec::new(),
    })
}

/// Everything once, into a store of its own.
#[expect(clippy::cast_precision_loss, reason = "figures, of which only the first digits matter")]
fn round(arguments: &Arguments) -> Result<Round> {
    let Arguments { sensors, intervals, .. } = *arguments;
    let load = load(arguments)?;
    let namespace = Namespace::new()?;
    namespace.run("ip", &["link", "set", "dev", "lo", "up"])?;
    let program = find_collector()?;
    let authority = Authority::new(&program)?;
    let server = authority.server(&["127.0.0.1"])?;
    // On a disk, where a store is: a temporary folder may be memory.
    let folder = tempfile::Builder::new().prefix("apus-bench-").tempdir_in("/var/tmp")?;
    let data = folder.path().join("store");
    let collector = Collector::start(&program, &namespace, "127.0.0.1", &data, &authority, &server, &[])?;
    let before = process::processor_time(collector.process())?;
    let started = Instant::now();
    let shippers = ship(&load, &namespace, &authority)?;
    let batches = u64::from(sensors) * intervals;
    wait(&load, batches, started, arguments.json)?;
    let seconds = started.elapsed().as_secs_f64();
    let cpu = process::processor_time(collector.process())? - before;
    let memory = process::most_memory(collector.process())?;
    shippers.into_iter().for_each(|shipper| shipper.stop(Duration::from_secs(1)));
    let sums = collector.sql("SELECT COUNT(*) AS rows, SUM(packets) AS packets FROM flows")?;
    let sums = sums.first().context("no sums")?;
    ensure!(
        sums["rows"] == load.rows && sums["packets"] == load.packets,
        "{} rows of {} packets were sent, and {sums} are stored",
        load.rows,
        load.packets
    );
    let disk_bytes = disk(&collector)?;
    collector.verify()?;
    collector.stop()?;
    let rows = load.rows as f64;
    Ok(Round {
        rows_per_second: rows / seconds,
        collector_cpu_seconds: cpu.as_secs_f64(),
        collector_mebibytes: memory as f64 / f64::from(1 << 20),
        wire_bytes_per_row: load.bytes as f64 / rows,
        disk_bytes_per_row: disk_bytes
            .into_iter()
            .map(|(table, bytes)| (table, bytes as f64 / rows))
            .collect(),
        checked: format!(
            "{sensors} sensors, {batches} batches in {seconds:.1} s: {} flow rows of {} packets sent and stored",
            grouped(load.rows),
            grouped(load.packets)
        ),
    })
}

fn load(arguments: &Arguments) -> Result<Load> {
    let Arguments { sensors, intervals, rows, sources, .. } = *arguments;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let mut load = Load { sources: Vec::new(), rows: 0, packets: 0, bytes: 0 };
    for number in 0..sensors {
        let epoch = (now - 60 * intervals - 60) * SECOND;
        let mut telescope = Telescope::new(&name(number), epoch, 60, sources, u64::from(number) + 1);
        let mut waiting = Vec::new();
        for sequence in 1..=intervals {
            let made = telescope.next(rows)?;
            load.rows += made.rows;
            load.packets += made.packets;
            load.bytes += made.bytes.len() as u64;
            waiting.push((Name::one(epoch, sequence), made.bytes));
        }
        load.sources.push(Arc::new(Made { waiting: Mutex::new(waiting), stored: AtomicU64::new(0) }));
    }
    Ok(load)
}

fn name(number: u32) -> String {
    format!("bench-{number}")
}

fn ship(load: &Load, namespace: &Namespace, authority: &Authority) -> Result<Vec<Shipper>> {
    let start = |(number, source): (u32, &Arc<Made>)| {
        let name = name(number);
        let identity = authority.sensor(&name, 1)?;
        let options = ShipOptions {
            url: Some(vec![format!("https://127.0.0.1:{PORT}")]),
            ca: Some(authority.certificate()),
            certificate: Some(identity.certificate),
            key: Some(identity.key),
            ..ShipOptions::default()
        };
        let prepared = Prepared::read(&options.resolve()?, &name)?;
        // Its threads inherit the namespace.
        let source: Arc<dyn Source> = Arc::clone(source) as _;
        let shipper = namespace.within(move || prepared.start(source))??;
        shipper.wake();
        Ok(shipper)
    };
    (0..).zip(&load.sources).map(start).collect()
}

fn wait(load: &Load, batches: u64, started: Instant, quiet: bool) -> Result<()> {
    let mut told = Instant::now();
    loop {
        let stored: u64 = load.sources.iter().map(|source| source.stored.load(Ordering::Relaxed)).sum();
        if stored == batches {
            return Ok(());
        }
        ensure!(
            started.elapsed() < PATIENCE,
            "after {PATIENCE:?} only {stored} of {batches} batches are stored"
        );
        if !quiet && told.elapsed() > Duration::from_secs(5) {
            eprintln!("{:>4} s: {stored} of {batches} batches stored", started.elapsed().as_secs());
            told = Instant::now();
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// Bytes by table: SQLite counts its pages by what they are of.
fn disk(collector: &Collector<'_>) -> Result<Vec<(String, u64)>> {
    let question = "SELECT COALESCE(m.tbl_name, d.name) AS name, SUM(d.pgsize) AS bytes \
                    FROM dbstat d LEFT JOIN sqlite_schema m ON m.name = d.name GROUP BY 1 ORDER BY 2 DESC";
    let row = |row: &Value| Some((row["name"].as_str()?.to_owned(), row["bytes"].as_u64()?));
    collector.sql(question)?.iter().map(|line| row(line).context("no bytes")).collect()
}
