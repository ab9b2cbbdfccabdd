//! What the benchmarks share with whoever shows their figures: results, statistics, noise.
//!
//! The benchmarks themselves are subcommands of `apus-bench`.

pub mod noise;
pub mod results;
pub mod statistics;
