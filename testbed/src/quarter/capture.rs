//! A sensor's packets as a capture: pcap with nanoseconds, in the order of time.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use anyhow::{Context as _, Result};
use jiff::tz::TimeZone;

use crate::frames;
use crate::plan::{Packet, Plan};
use crate::random::{Numbers, mixed};

/// pcap with nanoseconds, version 2.4, and the link type of Ethernet.
const MAGIC: u32 = 0xa1b2_3c4d;
const VERSION: [u16; 2] = [2, 4];
const ETHERNET: u32 = 1;
const SNAP_LENGTH: u32 = 65_535;
/// A day's nanoseconds but one: the last packet is of the day, and as near to its end as can be.
const LAST_MOMENT: u64 = 86_400 * NANOSECONDS - 1;
const NANOSECONDS: u64 = 1_000_000_000;

/// Writes what one sensor sees. On each day that has packets the first one comes at midnight, so that intervals of a day
/// begin with their day, and the last one in the last nanosecond.
///
/// # Errors
/// Where the file system is against it.
pub fn write(path: &Path, plan: &Plan, sensor: usize) -> Result<()> {
    let failed = || format!("cannot write {}", path.display());
    let file = File::create(path).with_context(failed)?;
    write_to(BufWriter::new(file), plan, sensor).with_context(failed)
}

fn write_to(mut output: impl Write, plan: &Plan, sensor: usize) -> io::Result<()> {
    output.write_all(&MAGIC.to_le_bytes())?;
    output.write_all(&VERSION.map(u16::to_le_bytes).concat())?;
    output.write_all(&[0, 0, SNAP_LENGTH, ETHERNET].map(u32::to_le_bytes).concat())?;
    let mut by_day: Vec<Vec<&Packet>> = vec![Vec::new(); plan.days.len()];
    for packet in plan.packets.iter().filter(|packet| usize::from(packet.sensor) == sensor) {
        by_day[usize::from(packet.day)].push(packet);
    }
    let observed = plan.description.sensors[sensor].get_ref().observed;
    let mut numbers = Numbers::new(mixed(plan.description.seed, !(sensor as u64)));
    for (packets, day) in by_day.iter_mut().zip(&plan.days) {
        numbers.shuffle(packets);
        let midnight = day.to_zoned(TimeZone::UTC).map_err(io::Error::other)?.timestamp().as_second();
        let midnight = u32::try_from(midnight).map_err(io::Error::other)?;
        for (place, packet) in (0_u64..).zip(packets.iter()) {
            let frame = frames::frame(packet, plan.stream(packet), observed, &mut numbers);
            let length = u32::try_from(frame.len()).map_err(io::Error::other)?;
            let moment = moment(place, packets.len() as u64);
            let second = midnight + u32::try_from(moment / NANOSECONDS).map_err(io::Error::other)?;
            let nanosecond = u32::try_from(moment % NANOSECONDS).map_err(io::Error::other)?;
            output.write_all(&[second, nanosecond, length, length].map(u32::to_le_bytes).concat())?;
            output.write_all(&frame)?;
        }
    }
    output.flush()
}

/// When a day's packet comes, in nanoseconds from midnight, of so many.
const fn moment(place: u64, packets: u64) -> u64 {
    match packets {
        0 | 1 => 0,
        // A day's nanoseconds times a day's packets may be more than 2^64; their quotient is no more than a day.
        _ => (LAST_MOMENT as u128 * place as u128 / (packets - 1) as u128) as u64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_days_packets_last_from_midnight_to_its_last_nanosecond() {
        assert_eq!((moment(0, 700), moment(699, 700)), (0, LAST_MOMENT));
        assert!((1..700).all(|place| moment(place - 1, 700) < moment(place, 700)));
        assert_eq!(moment(0, 1), 0);
    }
}
