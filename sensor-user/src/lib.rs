//! captures through it.
//!
//! what it counts, [`interval`] cuts that into intervals, and [`document`] and [`table`] show them.

pub mod capture;
pub mod config;
pub mod conservation;
pub mod counters;
pub mod document;
pub mod features;
pub mod interval;
pub mod mapping;
pub mod prefixes;
pub mod program;
pub mod replay;
pub mod table;
pub mod watcher;
