//! Days of ports and regions against their own history.

use std::collections::{BTreeSet, VecDeque};

use sensor_ebpf::abi::TrafficClass;

use super::DetectError;
use super::finding::{Compared, Finding, Service};
use super::score::History;
use crate::report::counting::regions::{self, REGIONS};
use crate::report::destination::Destination;
use crate::report::observed::Observed;
use crate::report::period::ReportPeriod;
use crate::services::Services;
use crate::store::{Day, Match, Period, Reader, RowFilter};

/// Ranks that a port is new in.
const RANKS: usize = 100;
/// How many times as many days are looked back for observed ones.
const LOOK_BACK: u32 = 3;
/// Share of its median below which a region is quiet.
const QUIET: f64 = 0.1;

/// What a day is compared with, and when it is unusual.
#[derive(Clone, Copy, Debug, PartialEq, clap::Args)]
pub struct HistorySettings {
    /// Observed days before, at most.
    #[arg(long, value_name = "N", default_value_t = 28)]
    pub history_days: usize,
    /// Observed days before that are needed for anything to be unusual.
    #[arg(long, value_name = "N", default_value_t = 7)]
    pub least_history: usize,
    /// Robust z-score from which on a day is unusual.
    #[arg(long, value_name = "SCORE", default_value_t = 6.0)]
    pub score: f64,
    /// Packets that a port or region needs, on that day or usually.
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub least_packets: u64,
}

impl HistorySettings {
    /// # Errors
    /// Where they cannot be meant.
    pub fn check(&self) -> Result<(), &'static str> {
        if !(3..=366).contains(&self.least_history)
            || !(self.least_history..=366).contains(&self.history_days)
        {
            return Err("--least-history is at least 3, and --history-days from there to 366");
        }
        if !(self.score.is_finite() && self.score > 0.0) {
            return Err("--score is a number above 0");
        }
        Ok(())
    }
}

/// One day's sums of many series: as packets per sensor, and as they were counted.
struct Sums {
    values: Vec<f64>,
    packets: Vec<u64>,
}

impl Sums {
    fn new(series: usize) -> Self {
        Self { values: vec![0.0; series], packets: vec![0; series] }
    }

    fn add(&mut self, series: usize, packets: u64, weight: f64) {
        self.values[series] += packets as f64 * weight;
        self.packets[series] = self.packets[series].saturating_add(packets);
    }
}

/// The unusual days of a period, by ports and by regions. Days that nobody observed are neither looked at nor compared
/// with.
///
/// # Errors
/// Where the store cannot be read.
pub fn find(
    reader: &dyn Reader,
    from: Day,
    to: Day,
    settings: &HistorySettings,
    services: &Services,
) -> Result<Vec<Finding>, DetectError> {
    let back = u32::try_from(settings.history_days).unwrap_or(u32::MAX).saturating_mul(LOOK_BACK);
    let period = ReportPeriod { previous_from: from.before(back), from, to, quarter: None };
    let observed = Observed::read(reader, period, &[])?;
    let days: Vec<usize> = (0..period.all_days()).filter(|place| observed.is_observed(*place)).collect();
    let first = days.iter().position(|place| *place >= period.offset()).unwrap_or(days.len());
    let mut looking = Looking {
        settings,
        services,
        ports: History::new(settings.history_days),
        regions: History::new(settings.history_days),
        tops: VecDeque::new(),
        quiet: vec![None; REGIONS],
        found: Vec::new(),
        room: Vec::new(),
    };
    for (count, &place) in days.iter().enumerate().skip(first.saturating_sub(settings.history_days)) {
        let day = period.day(place);
        let (ports, regions) = sums(reader, &observed, place, day)?;
        if count >= first {
            let sensor_days = observed.sensor_days(place).unwrap_or(0.0);
            looking.judge_ports(day, &ports, sensor_days);
            looking.judge_regions(day, &regions, sensor_days);
        }
        looking.remember(ports, regions);
    }
    looking.end_quiet();
    Ok(looking.found)
}

fn sums(
    reader: &dyn Reader,
    observed: &Observed,
    place: usize,
    day: Day,
) -> Result<(Sums, Sums), DetectError> {
    let (mut ports, mut regions) = (Sums::new(Destination::COUNT), Sums::new(REGIONS));
    let scan = Match { class: Some(TrafficClass::Scan), ..Match::default() };
    let filter = RowFilter { any: vec![scan], ..RowFilter::of(Period::days(day, Day(day.0 + 1))) };
    reader.port_rows(&filter, &mut |row| {
        let Some(weight) = observed.weight(place, row.sensor) else { return };
        regions.add(regions::number(row.region), row.packets, weight);
        if let Some(destination) = Destination::of(row.protocol, row.service) {
            ports.add(destination.number(), row.packets, weight);
        }
    })?;
    Ok((ports, regions))
}

/// The days of a region that is quiet.
#[derive(Clone, Copy)]
struct Quiet {
    first: Day,
    last: Day,
    days: usize,
    median: f64,
    sum: f64,
}

struct Looking<'a> {
    settings: &'a HistorySettings,
    services: &'a Services,
    ports: History,
    regions: History,
    /// The ports with the most packets on each day before.
    tops: VecDeque<BTreeSet<usize>>,
    quiet: Vec<Option<Quiet>>,
    found: Vec<Finding>,
    room: Vec<f64>,
}

impl Looking<'_> {
    /// How a series compares with its own past, where both are enough to tell.
    fn compared(
        &mut self,
        of_ports: bool,
        series: usize,
        day: Day,
        sums: &Sums,
        sensor_days: f64,
    ) -> Option<Compared> {
        let history = if of_ports { &self.ports } else { &self.regions };
        let least = self.settings.least_packets;
        if history.len() < self.settings.least_history {
            return None;
        }
        // Cheaper than a median, and never below half of what a median of that many packets would be.
        let mean = history.sum(series) / history.len() as f64;
        if sums.packets[series] < least && mean * sensor_days * 2.0 < least as f64 {
            return None;
        }
        let usual = history.usual(series, &mut self.room)?;
        if sums.packets[series] < least && usual.median * sensor_days < least as f64 {
            return None;
        }
        let value = sums.values[series];
        Some(Compared {
            day: day.to_string(),
            packets_per_sensor_per_day: value,
            median: usual.median,
            median_absolute_deviation: usual.deviation,
            days_before: history.len(),
            score: usual.score(value),
            packets: sums.packets[series],
        })
    }

    fn judge_ports(&mut self, day: Day, sums: &Sums, sensor_days: f64) {
        let top = top(&sums.values);
        for number in 0..Destination::COUNT {
            let Some(compared) = self.compared(true, number, day, sums, sensor_days) else { continue };
            let service = || Service::new(Destination::with_number(number), self.services);
            if compared.score.abs() >= self.settings.score {
                self.found.push(Finding::UnusualPort { service: service(), compared: compared.clone() });
            }
            let rank = top.iter().position(|other| *other == number);
            let was_there = || self.tops.iter().any(|top| top.contains(&number));
            if let Some(place) =
                rank.filter(|_| sums.packets[number] >= self.settings.least_packets && !was_there())
            {
                self.found.push(Finding::NewPort { service: service(), rank: place + 1, compared });
            }
        }
    }

    fn judge_regions(&mut self, day: Day, sums: &Sums, sensor_days: f64) {
        for number in 0..REGIONS {
            let compared = self.compared(false, number, day, sums, sensor_days);
            let is_quiet = compared
                .as_ref()
                .is_some_and(|found| found.packets_per_sensor_per_day < QUIET * found.median);
            match (compared, &mut self.quiet[number]) {
                (Some(found), Some(quiet)) if is_quiet => {
                    quiet.last = day;
                    quiet.days += 1;
                    quiet.sum += found.packets_per_sensor_per_day;
                }
                (Some(found), quiet) if is_quiet => {
                    let (median, sum) = (found.median, found.packets_per_sensor_per_day);
                    *quiet = Some(Quiet { first: day, last: day, days: 1, median, sum });
                }
                (found, quiet) => {
                    if let Some(over) = quiet.take() {
                        self.found.push(quiet_finding(number, &over));
                    }
                    if let Some(compared) = found.filter(|found| found.score.abs() >= self.settings.score) {
                        self.found.push(Finding::UnusualRegion { region: regions::code(number), compared });
                    }
                }
            }
        }
    }

    fn remember(&mut self, ports: Sums, regions: Sums) {
        if self.tops.len() >= self.settings.history_days {
            self.tops.pop_front();
        }
        self.tops.push_back(top(&ports.values).into_iter().collect());
        self.ports.push(ports.values);
        self.regions.push(regions.values);
    }

    fn end_quiet(&mut self) {
        for number in 0..REGIONS {
            if let Some(quiet) = self.quiet[number].take() {
                self.found.push(quiet_finding(number, &quiet));
            }
        }
    }
}

fn quiet_finding(number: usize, quiet: &Quiet) -> Finding {
    Finding::QuietRegion {
        region: regions::code(number),
        first_day: quiet.first.to_string(),
        last_day: quiet.last.to_string(),
        days: quiet.days,
        median: quiet.median,
        packets_per_sensor_per_day: quiet.sum / quiet.days as f64,
    }
}

/// The series with the most, first rank first; ties in their order.
fn top(values: &[f64]) -> Vec<usize> {
    let mut used: Vec<usize> = (0..values.len()).filter(|series| values[*series] > 0.0).collect();
    let order = |one: &usize, other: &usize| values[*other].total_cmp(&values[*one]).then(one.cmp(other));
    if used.len() > RANKS {
        used.select_nth_unstable_by(RANKS - 1, order);
        used.truncate(RANKS);
    }
    used.sort_by(order);
    used
}
