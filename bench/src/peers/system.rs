//! What is measured: the limit, the sensor, and its peers.

mod bare_drop;
mod config;
mod program;
mod sensor;

use std::path::Path;
use std::time::Duration;

use anyhow::Result;

#[cfg(test)]
pub use config::Program;
pub use config::{Count, Reads};

use super::bed::Bed;
use sensor::Sensor;

/// Where one system runs: the bed, and what is this system's alone.
pub struct Place<'a> {
    pub bed: &'a Bed<'a>,
    /// Empty at every start.
    pub folder: &'a Path,
}

/// One of those that are compared.
pub struct System {
    pub name: String,
    pub reads: Reads,
    /// It tells by destination port, or by more, what it has counted.
    pub by_port: bool,
    /// It is asked for TCP alone.
    pub only_tcp: bool,
    kind: Kind,
}

enum Kind {
    BareDrop,
    Sensor(Sensor),
    Program(Box<config::Program>),
}

/// A system at work, which ends with the value.
pub trait Running {
    /// How long after the last packet it may still have some that it has not been woken up for.
    fn settles_in(&self) -> Duration;

    /// Whether it uses its processor whether there are packets or not.
    fn polls(&self) -> bool;

    /// Ends it, and gives what it has counted.
    fn stop(self: Box<Self>) -> Result<Counted>;
}

/// What a system says at its end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Counted {
    pub packets: u64,
    /// Digests that it had no room for, which are packets in no flow; none where it makes no digests.
    pub digests_lost: Option<u64>,
}

impl Counted {
    pub fn packets(packets: u64) -> Self {
        Self { packets, digests_lost: None }
    }
}

impl System {
    /// All of them: the limit first, then the sensor as it may be configured, then its peers.
    pub fn all() -> Result<Vec<Self>> {
        let (by_port, only_tcp) = (false, false);
        let mut all = vec![Self {
            name: BARE_DROP.into(),
            reads: Reads::Nothing,
            by_port,
            only_tcp,
            kind: Kind::BareDrop,
        }];
        for sensor in Sensor::all() {
            let (name, kind) = (sensor.name.into(), Kind::Sensor(sensor));
            all.push(Self { name, reads: Reads::Xdp, by_port: true, only_tcp, kind });
        }
        for program in config::Program::all()? {
            let config::Program { name, reads, by_port, only_tcp, .. } = &program;
            let (name, reads, by_port, only_tcp) = (name.clone(), *reads, *by_port, *only_tcp);
            all.push(Self { name, reads, by_port, only_tcp, kind: Kind::Program(Box::new(program)) });
        }
        Ok(all)
    }

    pub fn is_limit(&self) -> bool {
        matches!(self.kind, Kind::BareDrop)
    }

    /// Whether it is the sensor as it is by default, counters, digests and flows, which drops what it has counted.
    pub fn is_sensor(&self) -> bool {
        self.name == sensor::WHOLE
    }

    /// Starts it, and returns when it counts.
    ///
    /// # Errors
    /// Where it is not installed, or does not start: in words for whoever reads the results.
    pub fn start<'a>(&'a self, place: &'a Place<'a>) -> Result<Box<dyn Running + 'a>> {
        Ok(match &self.kind {
            Kind::BareDrop => Box::new(bare_drop::BareDrop::start(place)?),
            Kind::Sensor(sensor) => Box::new(sensor.start(place)?),
            Kind::Program(program) => Box::new(program::Started::start(program, place)?),
        })
    }
}

/// Name of the limit.
pub const BARE_DROP: &str = "bare XDP_DROP";
