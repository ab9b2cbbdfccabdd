//! Why a configuration cannot be used.

use std::path::PathBuf;
use std::time::Duration;

use files::configuration::ConfigurationError;
use ipnet::IpNet;
use sensor_ebpf::abi::{INTERFACES, LARGEST_RING, WATCHED_WINDOWS};

use super::MOST_FLOWS;
use crate::evidence::EvidenceOptionsError;
use crate::keep::SpoolOptionsError;
use crate::metrics::MetricsOptionsError;
use crate::prefixes::TooManyRanges;
use crate::ship::ShipOptionsError;

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error(transparent)]
    File(#[from] ConfigurationError),
    #[error("action \"drop\" needs observed prefixes: without any, it would cut this host off")]
    DropEverything,
    #[error(
        "action \"drop\" with observed prefix {0} would cut this host off: \
         name the observed addresses themselves"
    )]
    DropAllAddresses(IpNet),
    #[error("{0} watched windows, at most {WATCHED_WINDOWS} fit: name fewer")]
    TooManyWindows(usize),
    #[error(
        "{0} interfaces, one sensor takes at most {INTERFACES}: start another sensor with another --pin-directory"
    )]
    TooManyInterfaces(usize),
    #[error("interface {0} is named twice: name it once")]
    InterfaceTwice(String),
    #[error("an interval of {0:?} is too short: 100ms is the least")]
    IntervalTooShort(Duration),
    #[error("an interval of {0:?} is too long: 366 days are the most")]
    IntervalTooLong(Duration),
    #[error(
        "max_flows is {0}, at most {MOST_FLOWS} fit: packets of further sources are added up without them"
    )]
    TooManyFlows(u32),
    #[error("ring_records is {0}, at most {LARGEST_RING} fit")]
    RingTooLarge(u32),
    #[error("flows are made of digests: with digests = false there are none to write to {0}")]
    FlowsWithoutDigests(PathBuf),
    #[error(
        "[ship] needs a [spool]: only what is kept on disk is shipped; name its folder with --spool FOLDER"
    )]
    ShipWithoutSpool,
    #[error(transparent)]
    Spool(#[from] SpoolOptionsError),
    #[error(transparent)]
    Ship(#[from] ShipOptionsError),
    #[error(transparent)]
    Metrics(#[from] MetricsOptionsError),
    #[error(transparent)]
    Evidence(#[from] EvidenceOptionsError),
    #[error(transparent)]
    Ranges(#[from] TooManyRanges),
}
