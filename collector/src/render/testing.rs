//! What this folder's tests have in common: a report that is made up, reports at random, and a strict reader of XML.

pub mod random;
pub mod sample;
pub mod well_formed;
