//! Reports: what a quarter's knocks come to.
//!
//! From the store's questions to plain data: [`period`] says which days, [`sections`] what an analyst wants to know,
//! [`counting`] goes through the sums once, each [`section`] says what came out, and [`build`] puts a
//! [`model::Report`] together.

mod about;
pub mod build;
pub mod command;
pub mod counting;
pub mod destination;
pub mod mark;
pub mod model;
pub(crate) mod numbers;
pub mod observed;
pub mod period;
pub mod section;
pub mod sections;
mod title;
pub mod watched;

pub use command::{Arguments, ReportError, run};
