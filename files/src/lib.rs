//! Files as agent and collector treat them.
//!
//! [`configuration`] is what people write for us: an error names the file and the line. [`values`] are durations and
//! prefixes in it, and in flags. [`part`] is what we write for others: a file that is whole, or is not there.

pub mod configuration;
pub mod part;
pub mod values;
