//! `detect`: what is unusual, with the numbers behind it.

use std::io::{self, Write};

use crate::config::ConfigError;
use crate::report::observed::ObservedError;
use crate::services::{Services, ServicesError};
use crate::store::{Day, Period, StoreArguments, StoreError};

mod days;
mod finding;
mod score;
mod spoofed;
#[cfg(test)]
mod tests;
mod unknown;

pub use days::HistorySettings;
pub use finding::Finding;
pub use spoofed::SpoofedSettings;

#[derive(Clone, Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    pub store: StoreArguments,
    /// First day that is looked at (2024-04-01), UTC.
    #[arg(long, value_name = "DAY")]
    pub from: Day,
    /// First day after the period.
    #[arg(long, value_name = "DAY")]
    pub to: Day,
    #[command(flatten)]
    pub history: HistorySettings,
    #[command(flatten)]
    pub spoofed: SpoofedSettings,
    /// Findings of a kind at most, the strongest; of the others only their number is told.
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub most: usize,
    /// Prints JSON.
    #[arg(long)]
    pub json: bool,
}

/// Why nothing is told.
#[derive(Debug, thiserror::Error)]
pub enum DetectError {
    #[error(transparent)]
    Observed(#[from] ObservedError),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Services(#[from] ServicesError),
    #[error("the period ends before it begins: --to is the first day that is not in it")]
    Period,
    #[error("{0}")]
    Settings(&'static str),
    #[error("cannot print: {0}")]
    Print(#[from] io::Error),
}

impl From<StoreError> for DetectError {
    fn from(error: StoreError) -> Self {
        Self::Observed(error.into())
    }
}

impl DetectError {
    /// Whether it is the command line or the configuration that cannot be followed.
    #[must_use]
    pub const fn is_usage(&self) -> bool {
        match self {
            Self::Observed(ObservedError::Store(error)) => matches!(error, StoreError::Config(_)),
            Self::Observed(_) | Self::Print(_) => false,
            Self::Config(_) | Self::Services(_) | Self::Period | Self::Settings(_) => true,
        }
    }
}

/// Prints what is unusual in a period.
///
/// # Errors
/// Where the store cannot be read, or what is asked for cannot be followed.
pub fn run(arguments: &Arguments, output: &mut impl Write) -> Result<(), DetectError> {
    let Arguments { store, from, to, history, spoofed, most, json } = arguments;
    if to <= from {
        return Err(DetectError::Period);
    }
    history.check().map_err(DetectError::Settings)?;
    spoofed.check().map_err(DetectError::Settings)?;
    let services = Services::open(&store.flags.options()?.resolve()?)?;
    let reader = store.reader()?;
    // All of it is of one moment.
    reader.stay()?;
    let coverage = unknown::coverage(&*reader, *from, *to)?;
    let mut found = days::find(&*reader, *from, *to, history, &services)?;
    found.extend(spoofed::find(&*reader, Period::days(*from, *to), spoofed)?);
    let (found, left_out) = finding::strongest(found, *most);
    if *json {
        let all = serde_json::json!({ "findings": found, "left_out": left_out, "coverage": coverage });
        serde_json::to_writer_pretty(&mut *output, &all).map_err(io::Error::from)?;
        return Ok(writeln!(output)?);
    }
    for finding in &found {
        writeln!(output, "{finding}")?;
    }
    for unknown in &coverage.spoofed_dos_unknown {
        writeln!(output, "{unknown}")?;
    }
    if coverage.observed_days < coverage.period_days as usize {
        let (observed, days) = (coverage.observed_days, coverage.period_days);
        writeln!(output, "{observed} of {days} days were observed: nothing is known of the others")?;
    }
    let more = if left_out == 0 { String::new() } else { format!(", and {left_out} weaker ones (--most)") };
    Ok(writeln!(output, "{} findings{more}", found.len())?)
}
