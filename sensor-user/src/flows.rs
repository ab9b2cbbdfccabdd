//! Flows: who sent what, made of the digests of one interval.
//!
//! A flow is all packets with the same key, [`key`]; flows are kept in an open-hashing [`table`] that takes
//! digests a batch at a time. [`aggregate`] is one interval of them with bounded memory, [`wire::Row`] what a
//! reader sees, and [`settled`] holds the flows against the counters of the same interval.

pub mod aggregate;
pub mod file;
pub mod folder;
mod huge;
pub mod key;
pub mod settled;
pub mod table;
pub mod targets;

pub use aggregate::{Flows, Limits, Summary};
pub use settled::Settled;
/// The laws that bind flows and counters.
pub use wire::law;
pub use wire::{FlowKey, Row};

#[cfg(test)]
mod tests;
