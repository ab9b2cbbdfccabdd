//! The real collector, as a process of its own.

use std::fs::{self, File};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::Deserialize;
use serde_json::Value;
use wire::{Counter, Dimension};

use crate::authority::{Authority, Identity};
use crate::{Namespace, Process, document, program};

/// Where it listens in its namespace.
pub const PORT: u16 = 8443;
const LONGEST_START: Duration = Duration::from_secs(20);
const LONGEST_STOP: Duration = Duration::from_secs(20);
const MOMENT: Duration = Duration::from_millis(10);

/// Where the collector's program is: where `cargo xtask` has built it, or beside this program.
///
/// # Errors
/// Where it is at neither place.
pub fn find_collector() -> Result<PathBuf> {
    program::find("APUS_COLLECTOR", "apus-collector")
}

/// A running collector. It is killed on drop.
pub struct Collector<'a> {
    process: Process,
    program: PathBuf,
    namespace: &'a Namespace,
    data: PathBuf,
    log: PathBuf,
}

impl<'a> Collector<'a> {
    /// Starts it on an address of the namespace, with its data in this folder, and returns when it listens.
    ///
    /// # Errors
    /// Where it does not come to listen.
    pub fn start(
        program: &Path,
        namespace: &'a Namespace,
        address: &str,
        data: &Path,
        authority: &Authority,
        identity: &Identity,
        arguments: &[&str],
    ) -> Result<Self> {
        fs::create_dir_all(data)?;
        // Beside the data, whose disk may be full.
        let log = tempfile::Builder::new()
            .prefix("apus-collector-")
            .suffix(".log")
            .tempfile()?
            .into_temp_path()
            .keep()?;
        let mut command = namespace.command(program);
        command.arg("serve").arg("--data").arg(data).arg("--listen").arg(format!("{address}:{PORT}"));
        command.arg("--certificate").arg(&identity.certificate).arg("--key").arg(&identity.key);
        command.arg("--client-ca").arg(authority.certificate()).args(arguments);
        let output = File::create(&log)?;
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        let process = Process::spawn(&mut command)?;
        let mut collector = Self { process, program: program.into(), namespace, data: data.into(), log };
        let listening: SocketAddr = format!("{address}:{PORT}").parse()?;
        let deadline = Instant::now() + LONGEST_START;
        while namespace.within(|| TcpStream::connect(listening))?.is_err() {
            if let Some(status) = collector.process.try_wait()? {
                bail!("the collector ended ({status}); it said: {}", collector.words());
            }
            ensure!(
                Instant::now() < deadline,
                "the collector does not listen; it said: {}",
                collector.words()
            );
            sleep(MOMENT);
        }
        Ok(collector)
    }

    /// What it has said so far.
    #[must_use]
    pub fn words(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Its process number.
    #[must_use]
    pub fn process(&self) -> u32 {
        self.process.id()
    }

    /// Whether it has not ended yet.
    pub fn is_running(&mut self) -> bool {
        matches!(self.process.try_wait(), Ok(None))
    }

    /// Has it read its whole store again.
    ///
    /// # Errors
    /// Where something in it is wrong.
    pub fn verify(&self) -> Result<()> {
        let mut command = self.namespace.command(&self.program);
        let output = command.arg("verify").arg("--data").arg(&self.data).output()?;
        let words = [output.stdout, output.stderr].map(|words| String::from_utf8_lossy(&words).into_owned());
        ensure!(output.status.success(), "the store is not sound: {}", words.concat());
        Ok(())
    }

    /// Kills it outright.
    pub fn kill(self) {
        drop(self);
    }

    /// Tells it to stop, and waits until it has.
    ///
    /// # Errors
    /// Where it does not, or says that something is wrong.
    pub fn stop(mut self) -> Result<()> {
        kill(Pid::from_raw(self.process.id().cast_signed()), Signal::SIGTERM)
            .context("cannot stop the collector")?;
        let deadline = Instant::now() + LONGEST_STOP;
        loop {
            if let Some(status) = self.process.try_wait()? {
                ensure!(status.success(), "the collector failed ({status}); it said: {}", self.words());
                return Ok(());
            }
            ensure!(Instant::now() < deadline, "the collector does not stop");
            sleep(MOMENT);
        }
    }

    /// Asks its store, while it runs.
    ///
    /// # Errors
    /// Where it does not answer.
    pub fn sql(&self, question: &str) -> Result<Vec<Value>> {
        sql(&self.program, self.namespace, &self.data, question)
    }

    /// Packets that are stored.
    ///
    /// # Errors
    /// Where the store does not answer.
    pub fn packets(&self) -> Result<u64> {
        let rows = self.sql("SELECT COALESCE(SUM(packets), 0) AS packets FROM intervals")?;
        rows.first().and_then(|row| row["packets"].as_u64()).context("no number of packets")
    }

    /// All that is stored, as the sensor's own document has it.
    ///
    /// # Errors
    /// Where the store does not answer.
    pub fn counted(&self) -> Result<Value> {
        counted(&self.program, self.namespace, &self.data)
    }
}

impl Drop for Collector<'_> {
    fn drop(&mut self) {
        let _gone_already = fs::remove_file(&self.log);
    }
}

/// Asks a store that a collector may be running on.
///
/// # Errors
/// Where it does not answer.
pub fn sql(program: &Path, namespace: &Namespace, data: &Path, question: &str) -> Result<Vec<Value>> {
    let Answer { columns, rows, .. } = ask(namespace.command(program), data, question)?;
    let row = |row: Vec<Value>| Value::Object(columns.iter().cloned().zip(row).collect());
    Ok(rows.into_iter().map(row).collect())
}

/// The same by a command that is `apus-collector` as it comes.
///
/// # Errors
/// Where it does not answer, or with more rows than it gives.
pub fn ask(mut command: Command, data: &Path, question: &str) -> Result<Answer> {
    command.arg("sql").arg("--data").arg(data).args(["--format", "json", "--rows", "1000000", question]);
    let text = crate::run(&mut command)?;
    let answer: Answer = serde_json::from_str(&text).with_context(|| format!("no answer: {text}"))?;
    ensure!(!answer.is_cut, "too many rows to compare");
    Ok(answer)
}

/// What a store answers: each row has a value for each column.
#[derive(Debug, Deserialize)]
pub struct Answer {
    pub columns: Vec<String>,
    pub rows: Vec<Vec<Value>>,
    is_cut: bool,
}

/// All that a store has, as the sensor's own document has it.
///
/// # Errors
/// Where it does not answer.
pub fn counted(program: &Path, namespace: &Namespace, data: &Path) -> Result<Value> {
    let question = "SELECT dimension, key, SUM(packets) AS packets FROM counters GROUP BY dimension, key";
    let mut counters =
        sql(program, namespace, data, question)?.iter().map(counter).collect::<Result<Vec<_>>>()?;
    counters.sort_unstable();
    Ok(document::from_counters(&counters)?)
}

fn counter(row: &Value) -> Result<Counter> {
    let dimension = row["dimension"].as_str().and_then(Dimension::from_name).context("no dimension")?;
    let key = u32::try_from(row["key"].as_u64().context("no key")?)?;
    Ok(Counter { dimension, key, packets: row["packets"].as_u64().context("no packets")? })
}
