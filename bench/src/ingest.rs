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
use comfy_table::{CellAlignment, Table};
use sensor_user::ship::{Prepared, ShipOptions, Shipper, Source, SourceError};
use sensor_user::table::grouped;
use serde::Serialize;
use serde_json::Value;
use testbed::batches::Telescope;
use testbed::collector::PORT;
use testbed::{Authority, Collector, Namespace, find_collector, process};
use wire::Name;

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
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    sensors: u32,
    batches: u64,
    rows: u64,
    packets: u64,
    seconds: f64,
    rows_per_second: f64,
    batch_bytes_per_row: f64,
    collector_cpu_seconds: f64,
    collector_memory_bytes: u64,
    /// Bytes on disk by table, its indexes included.
    disk_bytes: Vec<(String, u64)>,
    flow_bytes_per_row: f64,
    store_bytes_per_row: f64,
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

pub fn run(arguments: &Arguments) -> Result<()> {
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
    let of = |table: &str| disk_bytes.iter().find(|(name, _)| name == table).map_or(0, |(_, bytes)| *bytes);
    let rows = load.rows as f64;
    let report = Report {
        sensors,
        batches,
        rows: load.rows,
        packets: load.packets,
        seconds,
        rows_per_second: rows / seconds,
        batch_bytes_per_row: load.bytes as f64 / rows,
        collector_cpu_seconds: cpu.as_secs_f64(),
        collector_memory_bytes: memory,
        flow_bytes_per_row: of("flow_raw") as f64 / rows,
        store_bytes_per_row: disk_bytes.iter().map(|(_, bytes)| *bytes).sum::<u64>() as f64 / rows,
        disk_bytes,
    };
    if arguments.json {
        println!("{}", serde_json::to_string(&report)?)
    } else {
        print(&report)
    }
    Ok(())
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

fn print(report: &Report) {
    println!(
        "{} sensors, {} batches, {} flow rows of {} packets: {:.1} s, {} rows/s",
        report.sensors,
        report.batches,
        grouped(report.rows),
        grouped(report.packets),
        report.seconds,
        grouped(report.rows_per_second as u64)
    );
    println!(
        "collector: {:.1} CPU seconds, {} MiB at most; on the wire {:.1} bytes/row",
        report.collector_cpu_seconds,
        report.collector_memory_bytes >> 20,
        report.batch_bytes_per_row
    );
    let mut table = Table::new();
    table.set_header(["table", "bytes", "bytes/row"]);
    for (name, bytes) in report.disk_bytes.iter().filter(|(_, bytes)| *bytes > 1 << 16) {
        table.add_row([name.clone(), grouped(*bytes), format!("{:.1}", *bytes as f64 / report.rows as f64)]);
    }
    table.column_iter_mut().skip(1).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
    println!("{table}");
}
