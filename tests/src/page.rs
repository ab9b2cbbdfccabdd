//! A collector whose store has some days of three sensors, and whose page a browser can look at.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, ensure};
use tempfile::TempDir;
use testbed::batches::Telescope;
use testbed::{Authority, Collector, Namespace, Process, find_collector};

const SECOND: u64 = 1_000_000_000;
const MINUTES: u64 = 60;
const DAYS: u64 = 3;
/// Flows of each interval.
const FLOWS: u64 = 200;
/// Intervals that one sensor did not send some time ago, and another one at the end.
const GAP: std::ops::Range<u64> = 52..60;
const SILENT: u64 = 6;

/// The sensor that reports, the one with a gap, and the one that is silent.
pub const STEADY: &str = "tokyo-1";
pub const GAPPY: &str = "osaka <b>&1";
pub const QUIET: &str = "sapporo";
/// Where the page is.
pub const PAGE: &str = "http://127.0.0.1:8480/";

/// The place of a test: a namespace with nothing in it but its own loopback.
pub struct Stage {
    pub namespace: Namespace,
    pub folder: TempDir,
    program: PathBuf,
    authority: Authority,
}

impl Stage {
    /// Prepares it, with the store.
    ///
    /// # Errors
    /// Where this process may not, or a program is absent or fails.
    pub fn new() -> Result<Self> {
        let program = find_collector()?;
        let namespace = Namespace::new()?;
        namespace.run("ip", &["link", "set", "lo", "up"])?;
        let authority = Authority::new(&program)?;
        let stage = Self { namespace, folder: TempDir::with_prefix("apus-page-")?, program, authority };
        stage.store()?;
        Ok(stage)
    }

    /// Folder of the store.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn store(&self) -> Result<()> {
        let now = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos())?;
        let intervals = DAYS * 24 * 60 / MINUTES;
        let epoch = now - intervals * MINUTES * 60 * SECOND;
        let mut files = Vec::new();
        for (number, sensor) in [STEADY, GAPPY, QUIET].into_iter().enumerate() {
            let mut telescope = Telescope::new(sensor, epoch, MINUTES * 60, 4_000, 11 + number as u64);
            for interval in 0..intervals {
                let made = telescope.next(FLOWS)?;
                let is_absent = match sensor {
                    GAPPY => GAP.contains(&interval),
                    QUIET => interval + SILENT >= intervals,
                    _ => false,
                };
                if !is_absent {
                    let file = self.folder.path().join(format!("{number}-{interval}.batch"));
                    fs::write(&file, &made.bytes)?;
                    files.push(file);
                }
            }
        }
        self.import(&files, true)
    }

    /// Stores batches from files, also beside a running collector.
    ///
    /// # Errors
    /// Where they are not stored.
    pub fn import(&self, files: &[PathBuf], create: bool) -> Result<()> {
        let mut command = self.namespace.command(&self.program);
        command.args(["import", "--trust-times", "--data"]).arg(self.data());
        if create {
            command.arg("--create");
        }
        testbed::run(command.args(files))?;
        Ok(())
    }

    /// Has a sensor send an interval that ends now; gives its packets.
    ///
    /// # Errors
    /// Where it is not stored.
    pub fn send(&self, sensor: &str, minutes: u64) -> Result<u64> {
        let now = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos())?;
        let mut telescope = Telescope::new(sensor, now - minutes * 60 * SECOND, minutes * 60, 4_000, now | 1);
        let made = telescope.next(FLOWS)?;
        let file = self.folder.path().join(format!("now-{now}.batch"));
        fs::write(&file, &made.bytes)?;
        self.import(&[file], false)?;
        Ok(made.packets)
    }

    /// Starts the collector with its page.
    ///
    /// # Errors
    /// Where it does not start.
    pub fn collector(&self, arguments: &[&str]) -> Result<Collector<'_>> {
        let server = self.authority.server(&["127.0.0.1"])?;
        Collector::start(
            &self.program,
            &self.namespace,
            "127.0.0.1",
            &self.data(),
            &self.authority,
            &server,
            arguments,
        )
    }

    /// Makes a person who may look.
    ///
    /// # Errors
    /// Where the program fails.
    pub fn user(&self, name: &str, password: &str, users: &Path) -> Result<()> {
        let mut command = Command::new(&self.program);
        command.args(["page", "user", "add", name, "--users"]).arg(users).stdin(Stdio::piped());
        let mut process = Process::spawn(&mut command)?;
        process.stdin.take().context("no input")?.write_all(password.as_bytes())?;
        ensure!(process.wait()?.success(), "{name} cannot be added");
        Ok(())
    }

    /// What the collector answers to a question in SQL, as CSV.
    ///
    /// # Errors
    /// Where it does not answer.
    pub fn sql(&self, question: &str) -> Result<String> {
        let mut command = self.namespace.command(&self.program);
        command
            .args(["sql", "--format", "csv", "--rows", "1000000", "--data"])
            .arg(self.data())
            .arg(question);
        Ok(testbed::run(&mut command)?)
    }

    /// Keeps a picture for people, where `APUS_PICTURES` names a folder.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn keep(&self, name: &str, picture: &[u8]) -> Result<()> {
        let Some(folder) = std::env::var_os("APUS_PICTURES") else { return Ok(()) };
        fs::create_dir_all(&folder)?;
        let path = Path::new(&folder).join(format!("{name}.png"));
        fs::write(&path, picture).with_context(|| format!("cannot write {}", path.display()))
    }
}
