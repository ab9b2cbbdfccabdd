//! Where addresses are registered, by the statistics of the regional Internet registries.
//!
//! Each registry publishes a file a day ([`statistics`]). Files are kept for good, and the newest ones together are a
//! version of the [`table`], in force from a day on ([`index`]); [`library`] gives each day its table. `docs/regions.md`
//! says what that means for sums that are stored.

pub mod command;
mod import;
mod index;
mod library;
pub mod names;
mod ranges;
mod registry;
mod statistics;
mod table;
#[cfg(test)]
mod tests;
mod update;

pub use command::{Arguments, RegionsError};
pub use import::{ImportError, Imported};
pub use index::IndexError;
pub use library::Library;
pub use ranges::Ranges;
pub use registry::Registry;
pub use statistics::{Fault, Range, Record, Statistics};
pub use table::Table;
pub use update::{Origin, UpdateError};

/// The folder of files and index, in the collector's data folder.
const FOLDER: &str = "regions";
