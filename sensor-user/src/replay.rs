//! `apus-sensor replay`: captures through the very program that a sensor runs, without a network.

mod batches;
mod player;

use std::io;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use aya::programs::ProgramError;
use clap::Args;

use crate::config::{ConfigError, CountingFlags, Options, Output, Settings};
use crate::conservation::Breach;
use crate::counters::Totals;
use crate::document::Document;
use crate::flows::file::{FlowsFile, FlowsFileError, format_of};
use crate::interval::write;
use crate::mapping::MappingError;
use crate::program::LoadError;
use crate::table;
use batches::BatchFileError;
use player::{Played, Player, ReplayOrCapture};

/// Replays capture files through the sensor's XDP program and prints the totals
#[derive(Args, Debug)]
pub struct Arguments {
    /// Capture files, pcap or pcapng; "-" is standard input
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Print JSON: one document of totals, or with --interval one line an interval
    #[arg(long)]
    pub json: bool,
    /// Write the flows to this file, as Parquet or CSV by its ending
    #[arg(long, value_name = "FILE")]
    pub flows: Option<PathBuf>,
    /// Write every interval as a batch into this folder, for `apus-collector import`
    #[arg(long, value_name = "FOLDER")]
    pub batches: Option<PathBuf>,
    #[command(flatten)]
    pub counting: CountingFlags,
}

/// Why a replay did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error(transparent)]
    Mapping(#[from] MappingError),
    #[error("{path}, packet {number}: the kernel does not run the program on it: {source}")]
    Run { path: PathBuf, number: u64, source: ProgramError },
    #[error("cannot write the result: {0}")]
    Output(#[from] io::Error),
    #[error("{0} of {1} captures could not be read to the end; what was readable is counted")]
    Captures(usize, usize),
    #[error("a counter has shrunk, please report it: counters only grow")]
    Shrunk,
    #[error(transparent)]
    Flows(#[from] FlowsFileError),
    #[error(transparent)]
    Batches(#[from] BatchFileError),
    #[error(
        "cannot run where digests are kept: {0}; allow this process one of the first CPUs, or raise counter_cpus"
    )]
    Cpu(io::Error),
    #[error("{0} digests are missing, please report it: a capture's packets come one by one")]
    Missing(u64),
    #[error("conservation is broken, please report it: {0}")]
    Conservation(Breach),
}

/// Replays, and writes to `output`.
///
/// # Errors
/// Where the program cannot be loaded, or a capture cannot be read to its end: then after printing what
/// was counted up to there.
pub fn run(arguments: &Arguments, mut output: impl io::Write) -> Result<(), ReplayError> {
    let by_interval = arguments.counting.interval.is_some();
    let settings = settings(arguments)?;
    let mut flows = arguments.flows.as_ref().map(|path| open(path, &settings)).transpose()?;
    let form = if arguments.json { Output::Json } else { Output::Table };
    let mut replay = Player::new(&settings, by_interval)?;
    let mut failed = 0;
    let mut each = |played: Played<'_>| -> Result<(), ReplayError> {
        let Played { interval, facts } = played;
        if let (Some(file), Some(played)) = (&mut flows, facts.flows) {
            file.write(*facts.span.start(), *facts.span.end(), played)?;
        }
        if let Some(folder) = &arguments.batches {
            batches::write(folder, &facts)?;
        }
        if by_interval {
            write(&mut output, form, &interval, facts.counted, &settings.watched_windows)?;
        }
        Ok(())
    };
    for path in &arguments.files {
        if let Err(error) = replay.file(path, &mut each) {
            match error {
                ReplayOrCapture::Capture(error) => {
                    failed += 1;
                    eprintln!("apus-sensor: {}", crate::one_line(&error));
                }
                ReplayOrCapture::Replay(error) => return Err(error),
            }
        }
    }
    let totals = replay.finish(&mut each)?;
    flows.map(FlowsFile::finish).transpose()?;
    if !by_interval {
        write_totals(&mut output, arguments.json, &settings, &totals)?;
    }
    if failed > 0 {
        return Err(ReplayError::Captures(failed, arguments.files.len()));
    }
    Ok(())
}

fn settings(arguments: &Arguments) -> Result<Settings, ConfigError> {
    let options = arguments.counting.options()?;
    // A capture's packets come one by one, so that a small ring will do.
    let has_flows = arguments.flows.is_some() || arguments.batches.is_some();
    let (digests, ring_records) = (Some(has_flows), Some(NonZeroU32::MIN));
    // A capture is its own evidence.
    Options {
        digests,
        ring_records,
        flows: None,
        evidence: None,
        spool: None,
        ship: None,
        metrics: None,
        ..options
    }
    .resolve()
}

fn open(path: &Path, settings: &Settings) -> Result<FlowsFile, FlowsFileError> {
    FlowsFile::create(path, format_of(path)?, settings.flow_key)
}

fn write_totals(
    output: &mut impl io::Write,
    json: bool,
    settings: &Settings,
    totals: &Totals,
) -> io::Result<()> {
    if json {
        serde_json::to_writer(&mut *output, &Document::new(totals, &settings.watched_windows))?;
        writeln!(output)
    } else {
        write!(output, "{}", table::render(totals, &settings.watched_windows, None))
    }
}
