//! What demo, bench and end-to-end tests share: network namespaces that clean up after themselves, a
//! traffic generator that sends an exact number of packets, and a mix of traffic whose every count is
//! known without decoding it.
//!
//! ```no_run
//! # fn main() -> Result<(), testbed::Error> {
//! use testbed::{Generator, Link, Namespace, Order, mix};
//!
//! let (sender, receiver) = (Namespace::new()?, Namespace::new()?);
//! let link = Link::between(&sender, &receiver)?;
//! // An XDP program on `link.telescope` in `receiver` comes here.
//! let mix = mix::telescope();
//! let sent = Generator::new(&mix)?.send(&link, &Order::packets(100_000))?;
//! let expected = mix.expected(&sent.by_kind);
//! # Ok(())
//! # }
//! ```

mod agent;
mod aside;
mod authority;
pub mod batches;
pub mod collector;
mod command;
pub mod document;
mod error;
pub mod frame;
mod generator;
mod link;
pub mod machine;
pub mod mix;
mod mounted;
mod namespace;
mod privilege;
pub mod process;
mod program;
mod uplink;

pub use agent::{Agent, find_agent, find_bench};
pub use aside::{aside, skips};
pub use authority::{Authority, Identity};
pub use collector::{Collector, find_collector};
pub use command::run;
pub use error::Error;
pub use generator::{Generator, Order, Pace, Progress, Sent};
pub use link::{End, Link, Statistics};
pub use mounted::{Bpffs, SmallDisk};
pub use namespace::Namespace;
pub use privilege::privileged;
pub use process::Process;
pub use uplink::Uplink;

/// Removes what a process that was killed has left: its namespaces, the processes in them, and its file systems. What
/// cannot be removed is complained of.
pub fn remove_left_by(process: u32) {
    Namespace::remove_those_of(process);
    mounted::remove_those_of(process);
}
