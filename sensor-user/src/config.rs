//! Configuration: a TOML file, flags over it, and what both together come to.

mod choices;
mod error;
mod flags;

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use files::configuration;
use files::values::{deserialize_duration, deserialize_prefixes};
use ipnet::IpNet;
use sensor_ebpf::abi::{INTERFACES, LARGEST_RING, WATCHED_WINDOWS};
use serde::Deserialize;

pub use choices::{Action, FlowsFormat, Mode, Output};
pub use error::ConfigError;
pub use flags::{CountingFlags, FlowFlags, PinFlags, SetFlags};
pub use wire::FlowKey;

use crate::evidence::{EvidenceOptions, EvidenceSettings};
use crate::keep::{SpoolOptions, SpoolSettings};
use crate::metrics::{MetricsOptions, MetricsSettings};
use crate::prefixes::ObservedRanges;
use crate::ship::{ShipOptions, ShipSettings};

/// Where everything is pinned unless configured otherwise.
pub const DEFAULT_PIN_DIRECTORY: &str = "/sys/fs/bpf/apus";
/// CPUs with counters of their own unless configured otherwise: 64 of them take 320 MiB.
const DEFAULT_COUNTER_CPUS: u32 = 64;
/// An interval that ends: within what every clock here can add up.
const LONGEST_INTERVAL: Duration = Duration::from_secs(366 * 24 * 60 * 60);
/// Flows of one interval unless configured otherwise.
const DEFAULT_MAX_FLOWS: u32 = 1_000_000;
/// The most flows that an interval may be configured to have: some 20 GiB of them.
const MOST_FLOWS: u32 = 100_000_000;
/// The windows watched unless configured otherwise.
const DEFAULT_WINDOWS: [u16; 1] = [5656];

/// A configuration file's keys; flags say the same and win.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    pub interfaces: Option<Vec<String>>,
    pub mode: Option<Mode>,
    #[serde(deserialize_with = "deserialize_duration")]
    pub interval: Option<Duration>,
    #[serde(deserialize_with = "deserialize_prefixes")]
    pub observed: Option<Vec<IpNet>>,
    pub action: Option<Action>,
    pub watched_windows: Option<Vec<u16>>,
    pub counter_cpus: Option<NonZeroU32>,
    pub digests: Option<bool>,
    pub ring_records: Option<NonZeroU32>,
    pub drain_cpu: Option<u32>,
    pub max_flows: Option<NonZeroU32>,
    pub flow_key: Option<FlowKey>,
    pub flows: Option<PathBuf>,
    pub flows_format: Option<FlowsFormat>,
    pub evidence: Option<EvidenceOptions>,
    pub spool: Option<SpoolOptions>,
    pub ship: Option<ShipOptions>,
    pub metrics: Option<MetricsOptions>,
    pub pin_directory: Option<PathBuf>,
    pub output: Option<Output>,
    pub sensor: Option<String>,
}

/// Configuration, complete and checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    pub interfaces: Vec<String>,
    pub mode: Mode,
    pub interval: Duration,
    pub observed: Vec<IpNet>,
    pub ranges: ObservedRanges,
    pub action: Action,
    pub watched_windows: Vec<u16>,
    pub counter_cpus: NonZeroU32,
    /// Whether digests are written, and flows made of them.
    pub digests: bool,
    /// Digests in a ring, where a size is asked for.
    pub ring_records: Option<NonZeroU32>,
    /// The CPU that the rings are drained on, where one is asked for.
    pub drain_cpu: Option<u32>,
    pub max_flows: u32,
    pub flow_key: FlowKey,
    /// The folder that each interval's flows are written to.
    pub flows: Option<PathBuf>,
    pub flows_format: FlowsFormat,
    /// Packets that are kept whole, where any are.
    pub evidence: Option<EvidenceSettings>,
    /// Where intervals are kept until a collector has stored them.
    pub spool: Option<SpoolSettings>,
    /// Which collector that is.
    pub ship: Option<ShipSettings>,
    /// Where metrics are shown.
    pub metrics: Option<MetricsSettings>,
    pub pin_directory: PathBuf,
    pub output: Output,
    pub sensor: String,
}

impl Options {
    /// Reads a configuration file.
    ///
    /// # Errors
    /// Where it cannot be read, is not TOML, or has a key or value that is not ours, with its line.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        Ok(configuration::read(path)?)
    }

    /// These options, and those of `other` where these have none.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            interfaces: self.interfaces.or(other.interfaces),
            mode: self.mode.or(other.mode),
            interval: self.interval.or(other.interval),
            observed: self.observed.or(other.observed),
            action: self.action.or(other.action),
            watched_windows: self.watched_windows.or(other.watched_windows),
            counter_cpus: self.counter_cpus.or(other.counter_cpus),
            digests: self.digests.or(other.digests),
            ring_records: self.ring_records.or(other.ring_records),
            drain_cpu: self.drain_cpu.or(other.drain_cpu),
            max_flows: self.max_flows.or(other.max_flows),
            flow_key: self.flow_key.or(other.flow_key),
            flows: self.flows.or(other.flows),
            flows_format: self.flows_format.or(other.flows_format),
            evidence: both(self.evidence, other.evidence, EvidenceOptions::or),
            spool: both(self.spool, other.spool, SpoolOptions::or),
            ship: both(self.ship, other.ship, ShipOptions::or),
            metrics: both(self.metrics, other.metrics, MetricsOptions::or),
            pin_directory: self.pin_directory.or(other.pin_directory),
            output: self.output.or(other.output),
            sensor: self.sensor.or(other.sensor),
        }
    }

    /// Fills in the defaults and checks the whole.
    ///
    /// # Errors
    /// Where the options contradict each other or the program's limits.
    pub fn resolve(self) -> Result<Settings, ConfigError> {
        let mut observed = self.observed.unwrap_or_default();
        observed = IpNet::aggregate(&observed);
        let mut watched_windows = self.watched_windows.unwrap_or_else(|| DEFAULT_WINDOWS.into());
        watched_windows.sort_unstable();
        watched_windows.dedup();
        let settings = Settings {
            ranges: ObservedRanges::new(&observed)?,
            interfaces: self.interfaces.unwrap_or_default(),
            mode: self.mode.unwrap_or_default(),
            interval: self.interval.unwrap_or(Duration::from_secs(60)),
            observed,
            action: self.action.unwrap_or_default(),
            watched_windows,
            counter_cpus: self
                .counter_cpus
                .unwrap_or(const { NonZeroU32::new(DEFAULT_COUNTER_CPUS).expect("a number above zero") }),
            digests: self.digests.unwrap_or(true),
            ring_records: self.ring_records,
            drain_cpu: self.drain_cpu,
            max_flows: self.max_flows.map_or(DEFAULT_MAX_FLOWS, NonZeroU32::get),
            flow_key: self.flow_key.unwrap_or_default(),
            flows: self.flows,
            flows_format: self.flows_format.unwrap_or_default(),
            evidence: self.evidence.map(EvidenceOptions::resolve).transpose()?,
            spool: self.spool.map(SpoolOptions::resolve).transpose()?,
            ship: self.ship.map(ShipOptions::resolve).transpose()?,
            metrics: self.metrics.map(MetricsOptions::resolve).transpose()?,
            pin_directory: self.pin_directory.unwrap_or_else(|| DEFAULT_PIN_DIRECTORY.into()),
            output: self.output.unwrap_or_default(),
            sensor: self.sensor.unwrap_or_else(host_name),
        };
        settings.check()?;
        Ok(settings)
    }
}

/// A table's options over those of the same table elsewhere.
fn both<T>(over: Option<T>, under: Option<T>, or: impl FnOnce(T, T) -> T) -> Option<T> {
    match (over, under) {
        (Some(over), Some(under)) => Some(or(over, under)),
        (over, under) => over.or(under),
    }
}

impl Settings {
    /// The watched windows as the program has them, in the order of their counters.
    #[must_use]
    pub fn watched_windows(&self) -> Vec<u32> {
        self.watched_windows.iter().copied().map(u32::from).collect()
    }

    fn check(&self) -> Result<(), ConfigError> {
        if self.action == Action::Drop {
            if self.observed.is_empty() {
                return Err(ConfigError::DropEverything);
            }
            if let Some(all) = self.observed.iter().find(|prefix| prefix.prefix_len() == 0) {
                return Err(ConfigError::DropAllAddresses(*all));
            }
        }
        if self.watched_windows.len() > WATCHED_WINDOWS {
            return Err(ConfigError::TooManyWindows(self.watched_windows.len()));
        }
        if self.interfaces.len() > INTERFACES {
            return Err(ConfigError::TooManyInterfaces(self.interfaces.len()));
        }
        for (index, interface) in self.interfaces.iter().enumerate() {
            if self.interfaces[..index].contains(interface) {
                return Err(ConfigError::InterfaceTwice(interface.clone()));
            }
        }
        if self.max_flows > MOST_FLOWS {
            return Err(ConfigError::TooManyFlows(self.max_flows));
        }
        if let Some(records) = self.ring_records.filter(|records| records.get() > LARGEST_RING) {
            return Err(ConfigError::RingTooLarge(records.get()));
        }
        if let Some(flows) = self.flows.as_ref().filter(|_| !self.digests) {
            return Err(ConfigError::FlowsWithoutDigests(flows.clone()));
        }
        if self.ship.is_some() && self.spool.is_none() {
            return Err(ConfigError::ShipWithoutSpool);
        }
        if self.interval < Duration::from_millis(100) {
            return Err(ConfigError::IntervalTooShort(self.interval));
        }
        if self.interval > LONGEST_INTERVAL {
            return Err(ConfigError::IntervalTooLong(self.interval));
        }
        Ok(())
    }
}

fn host_name() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .map_or_else(|_| "sensor".into(), |name| name.trim().to_owned())
}
