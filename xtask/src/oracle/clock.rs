//! Times: as tshark prints them of packets, as the sensor prints them of flows, and as the replay's
//! clock makes the one of the other. All in nanoseconds since 1970, and none before.

use anyhow::{Context, Result, bail};

const NANOSECONDS_PER_SECOND: i128 = 1_000_000_000;
const SECONDS_PER_DAY: i128 = 86_400;

/// When each packet came, in the order of the capture.
pub type Stamps = Vec<u64>;

/// The capture's clock: a packet without a time comes when the latest one before it came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Clock {
    first: Option<u64>,
    latest: u64,
    /// To be believed more than what tshark prints of packets.
    stamps: Option<Stamps>,
    pub doubts: Doubts,
}

/// What tshark never prints of a sound pcap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Doubts {
    pub beyond_a_second: bool,
    pub finer_than_microseconds: bool,
}

impl Clock {
    pub fn of(stamps: Stamps) -> Self {
        Self { stamps: Some(stamps), ..Self::default() }
    }

    /// When a packet came, counted from 1, of which tshark prints this `frame.time_epoch`.
    pub fn at(&mut self, packet: u64, printed: Option<&str>) -> Result<u64> {
        let Some(printed) = printed else {
            return Ok(self.latest);
        };
        let time = match &self.stamps {
            None => from_epoch(printed, &mut self.doubts)?,
            Some(stamps) => {
                let place = usize::try_from(packet)?.checked_sub(1);
                let stamp = place.and_then(|place| stamps.get(place));
                *stamp.with_context(|| format!("tshark gives no stamp of packet {packet}"))?
            }
        };
        self.first.get_or_insert(time);
        self.latest = self.latest.max(time);
        Ok(time)
    }

    /// The replay's one interval: from the first packet with a time to the latest time.
    pub fn interval(&self) -> [u64; 2] {
        [self.first.unwrap_or_default(), self.latest]
    }
}

/// `1700000000.000005000`, as tshark prints it: seconds, and a number of nanoseconds.
fn from_epoch(printed: &str, doubts: &mut Doubts) -> Result<u64> {
    let mut read = || {
        let (negative, printed) = printed.strip_prefix('-').map_or((false, printed), |rest| (true, rest));
        let (seconds, fraction) = printed.split_once('.')?;
        let (seconds, nanoseconds): (i128, i128) = (seconds.parse().ok()?, fraction.parse().ok()?);
        let time = seconds * NANOSECONDS_PER_SECOND + nanoseconds;
        doubts.beyond_a_second |= negative || fraction.len() != 9;
        doubts.finer_than_microseconds |= nanoseconds % 1_000 != 0;
        Some(in_range(if negative { -time } else { time }))
    };
    read().with_context(|| format!("{printed:?} is no time of a packet"))
}

/// `2026-11-21T01:42:34.995995Z`, as the sensor prints it: RFC 3339, in UTC.
pub fn from_rfc3339(printed: &str) -> Result<u64> {
    let read = || {
        let (date, time) = printed.strip_suffix('Z')?.split_once('T')?;
        let (time, fraction) = time.split_once('.').unwrap_or((time, ""));
        let [year, month, day] = numbers(date, '-')?;
        let [hour, minute, second] = numbers(time, ':')?;
        let seconds = days(year, month, day) * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second;
        Some(seconds * NANOSECONDS_PER_SECOND + nanoseconds(fraction)?)
    };
    match read() {
        Some(time) if time >= 0 => Ok(in_range(time)),
        _ => bail!("{printed:?} is no time since 1970 in UTC"),
    }
}

/// A flow's times are of 64 bits, signed, and none is before 1970.
fn in_range(time: i128) -> u64 {
    u64::try_from(time.clamp(0, i64::MAX.into())).unwrap_or_default()
}

/// Of a fraction's digits.
fn nanoseconds(digits: &str) -> Option<i128> {
    if digits.len() > 9 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    format!("{digits:0<9}").parse().ok()
}

fn numbers(text: &str, separator: char) -> Option<[i128; 3]> {
    let numbers: Option<Vec<i128>> = text.split(separator).map(|number| number.parse().ok()).collect();
    numbers?.try_into().ok()
}

/// From 1970 to a day of the Gregorian calendar. Years are taken to begin in March, so that the day that
/// not every year has is the last.
fn days(year: i128, month: i128, day: i128) -> i128 {
    let (year, month) = if month < 3 { (year - 1, month + 9) } else { (year, month - 3) };
    // Before month m there are 31, 30, 31, 30, 31 days again and again: 153 in five months.
    let in_year = (153 * month + 2) / 5 + day - 1;
    365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + in_year - 719_468
}
