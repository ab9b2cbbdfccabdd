//! Counting what sections ask for, in one pass over each of the sums by day.

pub mod addresses;
pub mod ports;
pub mod regions;
pub mod sources;

use ports::Cube;
use sources::SourceCounter;

/// What a section counts, to be filled by the passes.
#[derive(Default)]
pub struct Parts<'a> {
    pub cubes: Vec<&'a mut Cube>,
    pub counters: Vec<&'a mut dyn SourceCounter>,
}
