//! Metrics: each declared once, in [`registry`], for Prometheus, for OpenTelemetry and for `docs/metrics.md`.
//!
//! The agent's main thread publishes the numbers of an interval to the [`Board`] when it ends, which takes no longer
//! than copying them; what spool and shipper do meanwhile is asked of them when somebody wants to know.

mod board;
mod options;
mod otlp;
mod prometheus;
mod push;
pub mod registry;
mod samples;
mod serve;
mod snapshot;
#[cfg(test)]
mod table;
mod thread;

pub use board::Board;
pub use options::{DEFAULT_LISTEN, MetricsFlags, MetricsOptions, MetricsOptionsError, MetricsSettings};
pub use samples::{Family, Sample, Value};
pub use snapshot::Report;
pub use thread::{MetricsError, MetricsThread, Prepared};

#[cfg(test)]
mod tests;
