//! The flows of a capture: as they should be, from tshark's fields, and as the sensor wrote them.

mod collect;
mod difference;
mod file;
mod keys;
mod schema;

pub use collect::Flows;
pub use difference::differences;
#[cfg(test)]
pub use file::parse;
pub use file::read;
pub use schema::{BY_SOURCE, BY_TUPLE, Schema};

use std::collections::BTreeMap;

/// What tells a flow from others, in the order of [`Schema::keys`]. Empty text is what is absent.
pub type Key = Vec<String>;

/// The values of flows, in the order of [`Schema::values`], by key.
pub type Table = BTreeMap<Key, Vec<String>>;

/// The flows of one capture, told apart in either way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tables {
    pub by_source: Table,
    pub by_tuple: Table,
}

impl Tables {
    /// Rows of both.
    pub fn rows(&self) -> usize {
        self.by_source.len() + self.by_tuple.len()
    }
}
