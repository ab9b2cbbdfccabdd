//! Watched windows, up to as many as there may be; no packet has one of them, so that each is compared with.

use anyhow::{Result, ensure};
use sensor_ebpf::abi::WATCHED_WINDOWS;
use sensor_user::config::Options;

use super::growth::{Growth, Kind, Work};
use super::mixes::{WINDOW, plain};
use super::under_test::{Beside, Sensor};
use super::{Dimension, Extent, Outcome};
use crate::results::{Better, Scale};

const SIZES: [u16; 6] = [0, 1, 2, 4, 8, 16];
const _: () =
    assert!(SIZES[SIZES.len() - 1] as usize == WATCHED_WINDOWS && WINDOW as usize > WATCHED_WINDOWS);

pub struct Windows {
    beside: Beside,
    sensors: Vec<Sensor>,
    growth: Growth,
}

impl Windows {
    pub fn new(extent: Extent, cpu: usize) -> Result<Self> {
        let sensor = |windows: &u16| {
            let watched_windows = Some((1..=*windows).collect());
            Sensor::load(Options { watched_windows, digests: Some(false), ..Options::default() }, cpu)
        };
        let kind = Kind {
            name: "windows",
            title: "Watched windows, above the bare drop",
            unit: "ns per packet",
            better: Better::Lower,
            work: Work::Same,
            size: "windows",
            sizes_scale: Scale::Linear,
            scale: Scale::Linear,
        };
        Ok(Self {
            beside: Beside::new(&plain(), extent.packets)?,
            sensors: SIZES.iter().map(sensor).collect::<Result<_>>()?,
            growth: Growth::new(kind, &["scans with another window"], &SIZES.map(f64::from)),
        })
    }
}

impl Dimension for Windows {
    fn round(&mut self, counts: bool) -> Result<()> {
        let drop = self.beside.drop()?;
        for (place, sensor) in self.sensors.iter_mut().enumerate() {
            let cost = self.beside.sensor(sensor)? - drop;
            if counts {
                self.growth.note(0, place, cost);
            }
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Outcome> {
        let mut packets = 0;
        for sensor in &self.sensors {
            let totals = sensor.totals()?;
            ensure!(totals.windows.iter().sum::<u64>() == 0, "a window was found that no packet has");
            packets += totals.packets;
        }
        let checked = format!("{packets} scans, none with a window that is watched");
        Ok(Outcome { growths: vec![self.growth], checked: vec![checked], warnings: Vec::new() })
    }
}
