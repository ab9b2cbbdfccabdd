//! `bench query`: the report of a quarter's 91 days over a large store, and the live page's answers beside it.
//!
//! The store is made by the collector's own `import` from made-up telescopes: these days, and as many before them; rows of
//! flows are summed up and not kept. The report has each kind of section, and is made by the program that people run.

mod store;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use clap::Args;
use jiff::Timestamp;
use sensor_user::table::grouped;
use serde::Serialize;
use testbed::{Authority, Collector, Namespace, Process, find_collector, process};

use crate::http::get;
use store::{PERIOD, Size, configuration};

const SECTIONS: &str = include_str!("query/sections.toml");
/// Where the page is, in its namespace.
const PAGE: &str = "127.0.0.1:8480";
/// How long the page may take until it has worked out everything that it shows.
const PATIENCE: Duration = Duration::from_mins(10);

/// Makes a quarter's report over a large store, and asks for the live page: time and memory
#[derive(Args)]
pub struct Arguments {
    /// Flow rows that the store is made from
    #[arg(long, default_value_t = 100_000_000)]
    rows: u64,
    /// Sources in all
    #[arg(long, default_value_t = 5_000_000)]
    sources: u32,
    /// Reports, one after the other
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Folder that keeps the store, and has it already the next time [default: a temporary one]
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    rows: u64,
    store_bytes: u64,
    report: Vec<Measured>,
    /// Milliseconds to the page's last byte: right after the start, and once everything is worked out.
    page_first_milliseconds: f64,
    page_warm_milliseconds: Vec<f64>,
    collector_memory_bytes: u64,
}

#[derive(Serialize)]
struct Measured {
    seconds: f64,
    memory_bytes: u64,
}

pub fn run(arguments: &Arguments) -> Result<()> {
    let Arguments { rows, sources, rounds, folder, json } = arguments;
    let collector = find_collector()?;
    // On a disk, where a store is: a temporary folder may be memory.
    let temporary = tempfile::Builder::new().prefix("apus-bench-").tempdir_in("/var/tmp")?;
    let folder = folder.as_deref().unwrap_or(temporary.path());
    fs::create_dir_all(folder)?;
    let end = store::make(&collector, folder, Size { rows: *rows, sources: *sources })?;
    let report = (0..*rounds).map(|_| report(&collector, folder, end)).collect::<Result<_>>()?;
    let data = folder.join("store");
    let (page_first_milliseconds, page_warm_milliseconds, collector_memory_bytes) =
        page(&collector, folder, &data)?;
    let report = Report {
        rows: *rows,
        store_bytes: fs::metadata(data.join("store.sqlite"))?.len(),
        report,
        page_first_milliseconds,
        page_warm_milliseconds,
        collector_memory_bytes,
    };
    if *json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        print(&report);
    }
    Ok(())
}

/// A day, counted from 1 January 1970, as people write it.
fn date(day: u64) -> Result<String> {
    let date = Timestamp::from_second(i64::try_from(day * 86_400)?)?;
    Ok(date.strftime("%Y-%m-%d").to_string())
}

/// One report, in a process of its own.
fn report(collector: &Path, folder: &Path, end: u64) -> Result<Measured> {
    let (sections, out) = (folder.join("sections.toml"), folder.join("reports"));
    fs::write(&sections, SECTIONS)?;
    let mut command = Command::new(collector);
    command.args(["report", "--format", "html", "--format", "json", "--force"]);
    command.arg("--from").arg(date(end - PERIOD)?).arg("--to").arg(date(end)?);
    command.arg("--config").arg(configuration(folder)).arg("--data").arg(folder.join("store"));
    command.arg("--sections").arg(sections).arg("--out").arg(out).stdout(Stdio::null());
    let started = Instant::now();
    let mut process = Process::spawn(&mut command)?;
    let mut memory_bytes = 0;
    let status = loop {
        // It has none any more once it has ended.
        memory_bytes = process::most_memory(process.id()).unwrap_or(memory_bytes);
        if let Some(status) = process.try_wait()? {
            break status;
        }
        thread::sleep(Duration::from_millis(5));
    };
    ensure!(status.success(), "the report failed: {status}");
    Ok(Measured { seconds: started.elapsed().as_secs_f64(), memory_bytes })
}

/// Milliseconds to the page, cold and warm, and the memory of the collector that serves it.
fn page(program: &Path, folder: &Path, data: &Path) -> Result<(f64, Vec<f64>, u64)> {
    let namespace = Namespace::new()?;
    namespace.run("ip", &["link", "set", "dev", "lo", "up"])?;
    let authority = Authority::new(program)?;
    let server = authority.server(&["127.0.0.1"])?;
    let configuration = configuration(folder);
    let flags = ["--config", &configuration.to_string_lossy(), "--page", PAGE];
    let collector = Collector::start(program, &namespace, "127.0.0.1", data, &authority, &server, &flags)?;
    let address = PAGE.parse()?;
    let ask = || namespace.within(|| ask(address))?;
    let (cold, _) = ask()?;
    let since = Instant::now();
    while ask()?.1.contains("data-pending") {
        ensure!(since.elapsed() < PATIENCE, "after {PATIENCE:?} the page has not worked out everything");
        thread::sleep(Duration::from_millis(500));
    }
    let warm = (0..20).map(|_| ask().map(|(milliseconds, _)| milliseconds)).collect::<Result<_>>()?;
    let memory = process::most_memory(collector.process())?;
    collector.stop()?;
    Ok((cold, warm, memory))
}

/// Asks for the page of the last 90 days: milliseconds to its last byte, and the page.
fn ask(address: SocketAddr) -> Result<(f64, String)> {
    let started = Instant::now();
    let text = get(address, "/?period=90d")?;
    Ok((started.elapsed().as_secs_f64() * 1000.0, text))
}

fn print(report: &Report) {
    println!("{} flow rows, a store of {} MiB", grouped(report.rows), report.store_bytes >> 20);
    for Measured { seconds, memory_bytes } in &report.report {
        println!("report of {PERIOD} days: {seconds:.1} s, {} MiB at most", memory_bytes >> 20);
    }
    let slowest = report.page_warm_milliseconds.iter().copied().fold(0.0, f64::max);
    println!(
        "page: {:.0} ms at once after the start, {slowest:.0} ms at most of {} later; collector {} MiB at most",
        report.page_first_milliseconds,
        report.page_warm_milliseconds.len(),
        report.collector_memory_bytes >> 20
    );
}
