//! Reports: what a quarter's knocks come to.

pub mod model;
