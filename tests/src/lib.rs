//! What the end-to-end tests share. The tests themselves are the files beside `Cargo.toml`.
//!
//! A test that needs privileges begins with `if !privileged() { return Ok(()); }`; see [`privileged`].

pub mod agent;
pub mod browser;
pub mod chain;
pub mod counter_names;
pub mod csv;
pub mod fixture;
pub mod frame_text;
pub mod host;
pub mod kernel;
pub mod page;
mod picture;
pub mod terminal;
pub mod verifier;

pub use testbed::privileged;
