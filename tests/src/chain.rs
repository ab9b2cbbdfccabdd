//! The whole chain: generator, sensor, spool, TLS, collector, store; and everything that may befall it on the way.
//!
//! A round is a fresh spool and a fresh store, some bursts of traffic, and a fault at a random moment in each. When
//! all is mended, what is stored must be what was sent, to the packet, and no interval may be there twice.

mod fault;
mod round;
mod scene;

pub use fault::Fault;
pub use round::{Round, Told};
pub use scene::Scene;
