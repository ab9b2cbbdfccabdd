//! The limit: a program that drops, and does nothing else.

use std::time::Duration;

use anyhow::{Context as _, Result};
use aya::Ebpf;
use aya::programs::XdpMode;
use sensor_user::program;
use testbed::End;

use super::{Counted, Place, Running};

pub struct BareDrop<'a> {
    /// The program is attached for as long as it lives.
    _ebpf: Ebpf,
    end: &'a End<'a>,
    received: u64,
}

impl<'a> BareDrop<'a> {
    pub fn start(place: &'a Place<'a>) -> Result<Self> {
        let mut ebpf = Ebpf::load(sensor_objects::BASELINE).context("cannot load the baseline programs")?;
        let end = &place.bed.link.telescope;
        let program = program::xdp(&mut ebpf, "bare_drop")?;
        program.load()?;
        let attached = end.namespace.within(|| program.attach_to_if_index(end.index, XdpMode::Driver))?;
        attached.context("cannot attach to the veth pair")?;
        Ok(Self { received: end.statistics()?.received, _ebpf: ebpf, end })
    }
}

impl Running for BareDrop<'_> {
    fn settles_in(&self) -> Duration {
        Duration::ZERO
    }

    fn polls(&self) -> bool {
        false
    }

    /// It counts nothing: the interface does.
    fn stop(self: Box<Self>) -> Result<Counted> {
        Ok(Counted::packets(self.end.statistics()?.received - self.received))
    }
}
