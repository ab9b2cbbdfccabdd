//! The collector: takes in the sensors' intervals, stores each exactly once, and answers questions.
//!
//! A batch's way through these modules: [`serve`] takes it in over TLS, [`validate`] holds it against everything that
//! is known, [`stored`] hands it to the [`committer`], which writes the [`store`]. What fails on the way is kept
//! [`aside`] for a person.

pub mod aside;
pub mod backup;
pub mod cli;
pub mod committer;
pub mod config;
pub mod detect;
pub mod export;
mod exposition;
pub mod file_name;
pub mod groups;
pub mod import;
pub mod intake;
pub mod language;
pub mod logs;
pub mod notify;
pub mod pki;
pub mod regions;
pub mod render;
pub mod report;
pub mod retention;
pub mod sensors;
pub mod serve;
pub mod services;
pub mod sql;
pub mod store;
pub mod stored;
#[cfg(test)]
mod testing;
pub mod validate;
pub mod verify;
pub mod web;

pub use wire::one_line;
