//! A store with the sums of two periods of made-up flows, by the collector's own `import`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail, ensure};
use sensor_user::table::grouped;
use testbed::batches::Telescope;

const DAY: u64 = 86_400;
/// Of the period that is reported: as long as a quarter.
pub const PERIOD: u64 = 91;
/// And of the one before.
const DAYS: u64 = 2 * PERIOD;
const SENSORS: u64 = 2;
/// Days that are made up before they are imported together.
const DAYS_AT_ONCE: u64 = 7;
/// Where made-up sources are registered: each in sixteenths of a /8, in turn.
const REGIONS: [&str; 12] = ["US", "CN", "NL", "RU", "BG", "GB", "JP", "IR", "SG", "BR", "KR", "DE"];

/// How much there is to be.
#[derive(Clone, Copy)]
pub struct Size {
    pub rows: u64,
    pub sources: u32,
}

/// Makes the store, which ends before today, unless this folder has one of this size already. Says on which day it
/// ends, counted from 1 January 1970; that one is not in it.
pub fn make(collector: &Path, folder: &Path, size: Size) -> Result<u64> {
    let (data, whole) = (folder.join("store"), folder.join("whole"));
    let words = format!("{} rows, {} sources, before day ", size.rows, size.sources);
    if let Ok(found) = fs::read_to_string(&whole) {
        let end = found.strip_prefix(&words).and_then(|day| day.trim().parse().ok());
        return end.with_context(|| {
            format!("{} has another store ({}): name another folder", folder.display(), found.trim())
        });
    }
    let end = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() / DAY;
    ensure!(
        !data.exists(),
        "{} has a store that was not finished: remove it, or name another folder",
        folder.display()
    );
    fs::create_dir_all(&data)?;
    set_up(collector, folder, &data)?;
    let first = end - DAYS;
    let (ready, made) = sync_channel::<PathBuf>(1);
    thread::scope(|scope| {
        let making = scope.spawn(move || make_up(folder, first, size, &ready));
        for (number, batches) in made.into_iter().enumerate() {
            import(collector, folder, &data, &batches, number == 0)?;
            fs::remove_dir_all(&batches)?;
            let days = ((number as u64 + 1) * DAYS_AT_ONCE).min(DAYS);
            eprintln!("{} of {} rows are stored", grouped(size.rows * days / DAYS), grouped(size.rows));
        }
        making.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })?;
    fs::write(whole, format!("{words}{end}\n"))?;
    Ok(end)
}

/// A table of regions, a list of addresses, and a configuration that names them.
fn set_up(collector: &Path, folder: &Path, data: &Path) -> Result<()> {
    let (table, list) = (folder.join("delegated-ripencc-extended-20200101"), folder.join("scanners.txt"));
    let mut records = String::new();
    let mut count = 0;
    for block in 16..224_usize * 16 {
        let (first, second) = (block / 16, block % 16 * 16);
        let region = REGIONS[block % REGIONS.len()];
        records
            .push_str(&format!("ripencc|{region}|ipv4|{first}.{second}.0.0|1048576|19930101|allocated|x\n"));
        count += 1;
    }
    let head =
        format!("2|ripencc|20200101|{count}|19930101|20200101|+0000\nripencc|*|ipv4|*|{count}|summary\n");
    fs::write(&table, head + &records)?;
    let scanners: String = (0..200).map(|number| format!("{}.0.0.0/16\n", number + 16)).collect();
    fs::write(&list, scanners)?;
    // What reports and the page are of: the sums by day and by hour.
    let words = format!(
        "home = [\"JP\"]\n\n[groups]\nsurvey-scanners = {:?}\n\n[store]\nflow_days = 0\n",
        list.canonicalize()?
    );
    fs::write(configuration(folder), words)?;
    run(Command::new(collector).args(["regions", "import", "--data"]).arg(data).arg(table))
}

/// The collector's configuration in the folder.
pub fn configuration(folder: &Path) -> PathBuf {
    folder.join("collector.toml")
}

/// Makes up batches: a folder of them for some days, another one while that is imported.
fn make_up(folder: &Path, first: u64, size: Size, ready: &SyncSender<PathBuf>) -> Result<()> {
    let start = first * DAY * 1_000_000_000;
    let mut telescopes: Vec<Telescope> = (1..=SENSORS)
        .map(|number| Telescope::new(&format!("bench-{number}"), start, DAY, size.sources, number))
        .collect();
    for first in (0..DAYS).step_by(DAYS_AT_ONCE as usize) {
        let batches = folder.join(format!("batches-{first}"));
        fs::create_dir_all(&batches)?;
        for day in first..(first + DAYS_AT_ONCE).min(DAYS) {
            for (number, telescope) in telescopes.iter_mut().enumerate() {
                let made = telescope.next(size.rows / (DAYS * SENSORS))?;
                fs::write(batches.join(format!("{day:03}-{number}.batch")), made.bytes)?;
            }
        }
        if ready.send(batches).is_err() {
            // Whoever imports has failed, and tells why.
            return Ok(());
        }
    }
    Ok(())
}

fn import(collector: &Path, folder: &Path, data: &Path, batches: &Path, is_first: bool) -> Result<()> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(batches)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    files.sort();
    let mut command = Command::new(collector);
    command.args(["import", "--trust-times", "--config"]).arg(configuration(folder));
    command.arg("--data").arg(data).args(is_first.then_some("--create")).args(files);
    run(command.stdout(Stdio::null()))
}

fn run(command: &mut Command) -> Result<()> {
    let output = command.stderr(Stdio::piped()).output().context("cannot start the collector")?;
    if !output.status.success() {
        bail!("{command:?} failed ({}): {}", output.status, String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}
