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

use anyhow::{Context as _, Result, ensure};
use clap::Args;
use jiff::Timestamp;
use sensor_user::table::grouped;
use testbed::{Authority, Collector, Namespace, Process, find_collector, process};

use crate::http::get;
use crate::results::{self, Aim, Bar, Better, Figure, Measurement};
use crate::statistics::Spread;
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
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Folder that keeps the store, and has it already the next time [default: a temporary one]
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Of one report.
struct Made {
    seconds: f64,
    memory_bytes: u64,
}

/// Aims: for the report's time and memory, and the page's first answer.
const REPORT_SECONDS: f64 = 10.0;
const REPORT_MEBIBYTES: f64 = 512.0;
const PAGE_MILLISECONDS: f64 = 300.0;

pub fn run(arguments: &Arguments) -> Result<()> {
    results::show(&measure(arguments)?, arguments.json)
}

pub fn measure(arguments: &Arguments) -> Result<Measurement> {
    let Arguments { rows, sources, rounds, folder, .. } = arguments;
    let collector = find_collector()?;
    // On a disk, where a store is: a temporary folder may be memory.
    let temporary = tempfile::Builder::new().prefix("apus-bench-").tempdir_in("/var/tmp")?;
    let folder = folder.as_deref().unwrap_or(temporary.path());
    fs::create_dir_all(folder)?;
    let end = store::make(&collector, folder, Size { rows: *rows, sources: *sources })?;
    let reports = (0..*rounds).map(|_| report(&collector, folder, end)).collect::<Result<Vec<_>>>()?;
    let data = folder.join("store");
    let page = page(&collector, folder, &data)?;
    let store = fs::metadata(data.join("store.sqlite"))?.len();
    measurement(&reports, page, store, *rows)
}

fn measurement(reports: &[Made], page: Page, store_bytes: u64, rows: u64) -> Result<Measurement> {
    let bars =
        |name: &str, title: &str, unit: &str, bars| Figure::bars(name, title, unit, Better::Lower, bars);
    let seconds: Vec<f64> = reports.iter().map(|report| report.seconds).collect();
    let memory: Vec<f64> = reports.iter().map(|report| mebibytes(report.memory_bytes)).collect();
    let median =
        |figures: &[f64]| Spread::new(figures.to_vec()).map(|spread| spread.median).context("no rounds");
    let aim = |of: &str, aim, measured, unit: &str| Aim {
        of: of.into(),
        aim,
        measured,
        unit: unit.into(),
        better: Better::Lower,
    };
    Ok(Measurement {
        aims: vec![
            aim("the report's time", REPORT_SECONDS, median(&seconds)?, "s"),
            aim("the report's memory", REPORT_MEBIBYTES, median(&memory)?, "MiB"),
            aim("the page, at once after the start", PAGE_MILLISECONDS, page.first, "ms"),
        ],
        figures: vec![
            bars(
                "report",
                &format!("A report of {PERIOD} days"),
                "s",
                vec![Bar::of_rounds("report", seconds)],
            ),
            bars(
                "page",
                "The live page, to its last byte",
                "ms",
                vec![
                    Bar::once("at once after the start", page.first),
                    Bar::of_rounds("when everything is worked out", page.warm),
                ],
            ),
            bars(
                "memory",
                "Memory at most",
                "MiB",
                vec![
                    Bar::of_rounds("report", memory),
                    Bar::once("collector that serves the page", mebibytes(page.memory_bytes)),
                ],
            ),
            bars(
                "store",
                &format!("The store of {} flow rows", grouped(rows)),
                "MiB",
                vec![Bar::once("sums by day and by hour", mebibytes(store_bytes))],
            ),
        ],
        checked: vec![
            "each report ended well, and each answer of the page was 200 with everything worked out in it"
                .into(),
        ],
        warnings: Vec::new(),
    })
}

#[expect(clippy::cast_precision_loss, reason = "MiB")]
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// A day, counted from 1 January 1970, as people write it.
fn date(day: u64) -> Result<String> {
    let date = Timestamp::from_second(i64::try_from(day * 86_400)?)?;
    Ok(date.strftime("%Y-%m-%d").to_string())
}

/// One report, in a process of its own.
fn report(collector: &Path, folder: &Path, end: u64) -> Result<Made> {
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
    Ok(Made { seconds: started.elapsed().as_secs_f64(), memory_bytes })
}

/// The live page: milliseconds to its last byte, and the memory of the collector that serves it.
struct Page {
    /// Right after the start.
    first: f64,
    /// Once everything is worked out.
    warm: Vec<f64>,
    memory_bytes: u64,
}

fn page(program: &Path, folder: &Path, data: &Path) -> Result<Page> {
    let namespace = Namespace::new()?;
    namespace.run("ip", &["link", "set", "dev", "lo", "up"])?;
    let authority = Authority::new(program)?;
    let server = authority.server(&["127.0.0.1"])?;
    let configuration = configuration(folder);
    let flags = ["--config", &configuration.to_string_lossy(), "--page", PAGE];
    let collector = Collector::start(program, &namespace, "127.0.0.1", data, &authority, &server, &flags)?;
    let address = PAGE.parse()?;
    let ask = || namespace.within(|| ask(address))?;
    let (first, _) = ask()?;
    let since = Instant::now();
    while ask()?.1.contains("data-pending") {
        ensure!(since.elapsed() < PATIENCE, "after {PATIENCE:?} the page has not worked out everything");
        thread::sleep(Duration::from_millis(500));
    }
    let warm = (0..20).map(|_| ask().map(|(milliseconds, _)| milliseconds)).collect::<Result<_>>()?;
    let memory_bytes = process::most_memory(collector.process())?;
    collector.stop()?;
    Ok(Page { first, warm, memory_bytes })
}

/// Asks for the page of the last 90 days: milliseconds to its last byte, and the page.
fn ask(address: SocketAddr) -> Result<(f64, String)> {
    let started = Instant::now();
    let text = get(address, "/?period=90d")?;
    Ok((started.elapsed().as_secs_f64() * 1000.0, text))
}
