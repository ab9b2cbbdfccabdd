//! The Apus sensor agent: loads the XDP program, keeps it attached, drains its counters, and replays
//! captures through it.
//!
//! A packet's way through these modules: [`attach`] puts the program on an interface, [`watcher`] reads
//! what it counts, [`interval`] is what lies between two such reads, and [`document`] and [`table`] show it.

mod affinity;
pub mod attach;
pub mod batch;
pub mod capabilities;
pub mod capture;
pub mod check;
pub mod cli;
pub mod config;
pub mod detach;
pub mod digests;
pub mod document;
pub mod drain;
pub mod evidence;
pub mod features;
pub mod flows;
mod folder;
pub mod interface;
pub mod interval;
pub mod keep;
pub mod logs;
pub mod mapping;
pub mod metrics;
pub mod names;
pub mod pins;
pub mod prefixes;
pub mod privileges;
pub mod program;
pub mod replay;
pub mod run;
pub mod ship;
pub mod spool;
pub mod state;
pub mod status;
pub mod system;
pub mod table;
pub mod top;
pub mod watcher;

/// What agent and collector share: totals and their laws, and how an error is told.
pub use wire::{conservation, one_line, totals as counters};
