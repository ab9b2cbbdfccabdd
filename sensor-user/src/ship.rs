//! Shipping: what waits in the spool goes to the collector, oldest first, until the collector says that it is stored.
//!
//! An interval that is read from the [`Source`] is noted as attempted before its first byte is sent, and leaves the
//! source for one reason alone: the collector has answered that it is stored, and named exactly that interval.
//! Whatever else comes back, or does not, keeps it. The collector stores each name once, so sending again is safe.
//!
//! Several URLs are several addresses of one collector, or of several before one store: what one address may have
//! stored is sent to another.
//!
//! All of it runs in a thread of its own, at low priority, and has at most as many intervals in memory as are in
//! flight. The drain knows nothing of it.

mod answer;
mod attempt;
mod body;
mod client;
mod endpoints;
mod failure;
mod identity;
mod label;
mod options;
mod pause;
mod queue;
mod refusals;
mod source;
mod status;
mod supply;
mod thread;
mod worker;

pub use failure::FailureKind;
pub use identity::{Identity, IdentityError};
pub use options::{
    Pace, ShipFlags, ShipOptions, ShipOptionsError, ShipSettings, deserialize_urls, parse_collector,
};
pub use source::{Source, SourceError};
pub use status::{Latencies, Latency, ShipStatus, StatusHandle};
pub use thread::{Prepared, ShipError, Shipper};

#[cfg(test)]
mod tests;
