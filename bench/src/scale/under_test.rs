//! The sensor in one configuration, beside a bare drop of the same packets, under `BPF_PROG_TEST_RUN`.

use anyhow::{Context as _, Result, ensure};
use aya::Ebpf;
use sensor_ebpf::abi::Outcome;
use sensor_user::config::Options;
use sensor_user::counters::Totals;
use sensor_user::digests::RingMaps;
use sensor_user::program::{self, Alone};
use sensor_user::watcher::Watcher;
use testbed::mix::Mix;

use super::slots_up_to;
use crate::kernel::{Source, Variant};

/// A bare drop.
pub fn drop_everything() -> Result<Variant> {
    let (name, program) = ("drop", "bare_drop");
    let mut ebpf = Ebpf::load(sensor_objects::BASELINE).context("cannot load the baseline programs")?;
    program::xdp(&mut ebpf, program)?.load()?;
    Ok(Variant { name: name.into(), ebpf, program, rings: None })
}

/// The sensor, and where it counts.
pub struct Sensor {
    pub variant: Variant,
    watcher: Watcher,
}

impl Sensor {
    /// The sensor with these options, with counters for one CPU and for what runs elsewhere: of its memory there is
    /// one for each size.
    pub fn load(options: Options, cpu: usize) -> Result<Self> {
        let options = Options { counter_cpus: slots_up_to(cpu), ..options };
        let Alone { ebpf, name: program, plan } = Alone::load(&options.resolve()?)?;
        let rings = plan
            .rings
            .is_on()
            .then(|| anyhow::Ok((RingMaps::new(&ebpf, plan.rings)?, Watcher::new(&ebpf)?)))
            .transpose()?;
        let watcher = Watcher::new(&ebpf)?;
        Ok(Self { variant: Variant { name: "sensor".into(), ebpf, program, rings }, watcher })
    }

    /// What it has counted so far.
    pub fn totals(&self) -> Result<Totals> {
        let cut = self.watcher.cut();
        ensure!(cut.breaches.is_empty(), "conservation is broken: {}", cut.breaches[0]);
        Ok(cut.totals)
    }
}

/// One kind of traffic, and what it costs at least.
pub struct Beside {
    source: Source,
    drop: Variant,
    packets: u32,
}

impl Beside {
    pub fn new(mix: &Mix, packets: u32) -> Result<Self> {
        Ok(Self { source: Source::load(mix)?, drop: drop_everything()?, packets })
    }

    /// Nanoseconds of one packet in the bare drop, the generator's own included.
    pub fn drop(&mut self) -> Result<f64> {
        self.source.time(&mut self.drop, self.packets)
    }

    /// The same in the sensor.
    pub fn sensor(&mut self, sensor: &mut Sensor) -> Result<f64> {
        self.source.time(&mut sensor.variant, self.packets)
    }
}

/// Which part of what a sensor has counted was not observed.
#[expect(clippy::cast_precision_loss, reason = "a part, of which only the first digits matter")]
pub fn unobserved_part(totals: &Totals) -> f64 {
    totals.outcomes[Outcome::Unobserved as usize] as f64 / (totals.packets as f64).max(1.0)
}
