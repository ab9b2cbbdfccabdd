//! `apus-sensor replay`: captures through the very program that a sensor runs, without a network.

mod player;

use std::io;
use std::path::PathBuf;

use aya::programs::ProgramError;
use clap::Args;

use crate::config::{ConfigError, CountingFlags, Output, Settings};
use crate::conservation::Breach;
use crate::counters::Totals;
use crate::document::Document;
use crate::interval::{Interval, write};
use crate::mapping::MappingError;
use crate::program::LoadError;
use crate::table;
use player::{Player, ReplayOrCapture};

/// Replays capture files through the sensor's XDP program and prints the totals
#[derive(Args, Debug)]
pub struct Arguments {
    /// Capture files, pcap or pcapng; "-" is standard input
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Print JSON: one document of totals, or with --interval one line an interval
    #[arg(long)]
    pub json: bool,
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
    let settings = arguments.counting.options()?.resolve()?;
    let form = if arguments.json { Output::Json } else { Output::Table };
    let mut replay = Player::new(&settings, by_interval)?;
    let mut failed = 0;
    for path in &arguments.files {
        let each = |interval: Interval, totals: &Totals| {
            if by_interval {
                write(&mut output, form, &interval, totals, &settings.watched_windows)
            } else {
                Ok(())
            }
        };
        if let Err(error) = replay.file(path, each) {
            match error {
                ReplayOrCapture::Capture(error) => {
                    failed += 1;
                    eprintln!("apus-sensor: {}", crate::one_line(&error));
                }
                ReplayOrCapture::Replay(error) => return Err(error),
            }
        }
    }
    let totals = replay.finish(|interval, totals| {
        if by_interval {
            write(&mut output, form, &interval, totals, &settings.watched_windows)
        } else {
            Ok(())
        }
    })?;
    if !by_interval {
        write_totals(&mut output, arguments.json, &settings, &totals)?;
    }
    if failed > 0 {
        return Err(ReplayError::Captures(failed, arguments.files.len()));
    }
    Ok(())
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
