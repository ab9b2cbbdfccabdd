//! Flags that several commands share.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use files::values::{parse_duration, parse_prefix};
use ipnet::IpNet;
use wire::FlowKey;

use super::{ConfigError, DEFAULT_PIN_DIRECTORY, Options};

/// Flags about what is counted, for a network and for a capture alike.
#[derive(Args, Clone, Debug, Default)]
pub struct CountingFlags {
    /// Configuration file (TOML); flags win over it
    #[arg(short, long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Length of an interval, such as 60s or 5m [default of run: 60s]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub interval: Option<Duration>,
    /// Prefix whose addresses are observed; may be repeated [default: every destination]
    #[arg(long, value_name = "PREFIX", value_parser = parse_prefix)]
    pub observed: Option<Vec<IpNet>>,
    /// TCP window of scans to count, at most 16; may be repeated [default: 5656]
    #[arg(long = "watched-window", value_name = "WINDOW")]
    pub watched_windows: Option<Vec<u16>>,
    /// Name of this sensor in its output [default: the host's name]
    #[arg(long, value_name = "NAME")]
    pub sensor: Option<String>,
    #[command(flatten)]
    pub flows: FlowFlags,
}

/// Flags about flows.
#[derive(Args, Clone, Debug, Default)]
pub struct FlowFlags {
    /// By what packets are told apart as flows [default: source]
    #[arg(long, value_name = "KEY", value_parser = flow_key())]
    pub flow_key: Option<FlowKey>,
    /// Flows of one interval; packets of further sources are added up without them [default: 1000000]
    #[arg(long, value_name = "NUMBER")]
    pub max_flows: Option<NonZeroU32>,
}

/// A key by its name.
fn flow_key() -> impl TypedValueParser<Value = FlowKey> {
    // Only these names come through.
    PossibleValuesParser::new(FlowKey::ALL.map(FlowKey::name))
        .map(|name| FlowKey::from_name(&name).unwrap_or_default())
}

/// Flag for where the pinned set is.
#[derive(Args, Clone, Debug, Default)]
pub struct PinFlags {
    /// Folder on a BPF file system where program and counters are pinned [default: /sys/fs/bpf/apus]
    #[arg(long, value_name = "FOLDER")]
    pub pin_directory: Option<PathBuf>,
}

/// Flags for commands that look at, or end, a pinned set.
#[derive(Args, Clone, Debug, Default)]
pub struct SetFlags {
    /// Configuration file (TOML), for its pin_directory
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    pins: PinFlags,
}

impl SetFlags {
    /// Where the set is pinned.
    ///
    /// # Errors
    /// Those of [`Options::read`]. What else is wrong in the file stands in no one's way who wants to detach.
    pub fn pin_directory(&self) -> Result<PathBuf, ConfigError> {
        let file = self.config.as_deref().map(Options::read).transpose()?.unwrap_or_default();
        let directory = self.pins.pin_directory.clone().or(file.pin_directory);
        Ok(directory.unwrap_or_else(|| DEFAULT_PIN_DIRECTORY.into()))
    }
}

impl CountingFlags {
    /// The file's options, and these over them.
    ///
    /// # Errors
    /// Those of [`Options::read`].
    pub fn options(&self) -> Result<Options, ConfigError> {
        let file = self.config.as_deref().map(Options::read).transpose()?.unwrap_or_default();
        let Self { config: _, interval, observed, watched_windows, sensor, flows } = self.clone();
        let FlowFlags { flow_key, max_flows } = flows;
        let flags = Options {
            interval,
            observed,
            watched_windows,
            sensor,
            flow_key,
            max_flows,
            ..Options::default()
        };
        Ok(flags.or(file))
    }
}
