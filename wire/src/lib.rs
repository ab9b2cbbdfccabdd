//! The interval batch: what an agent ships, a spool keeps and a collector takes in, and the laws that bind it.
//!
//! One interval is one [`Batch`]: three Arrow IPC streams, one after the other: the interval itself ([`Header`]), its
//! counters in long form ([`dimension`]), and its flows ([`Row`]), which may be missing. `docs/wire.md` says which
//! columns they have. What comes over a network may be anything: [`frames`] measures it before any of it is unpacked.

mod batch;
pub mod conservation;
pub mod dimension;
mod encode;
mod error;
mod flows;
mod frames;
mod header;
mod intervals;
pub mod law;
mod merge;
mod row;
mod schema;
mod text;
pub mod totals;

pub use batch::{Batch, FlowRows, Limits};
pub use dimension::{Counter, CounterError, Dimension};
pub use encode::{FlowsEncoder, counts};
pub use error::WireError;
pub use header::{FlowsHeader, Header, Name};
pub use intervals::{LONGEST_BREACH, MOST_BREACHES};
pub use merge::merge;
pub use row::{Counted, FlowKey, Row};
pub use text::{excerpt, grouped, is_hidden, one_line, visible};

/// Version of the format, in the metadata of every stream's schema.
pub const FORMAT_VERSION: u32 = 1;
/// What a batch calls itself in HTTP.
pub const CONTENT_TYPE: &str = "application/vnd.apus.batch";

#[cfg(test)]
mod tests;
