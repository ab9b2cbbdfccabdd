//! Packets per sensor per day: by destination, region, and signatures.

use std::collections::{BTreeMap, BTreeSet};

use sensor_ebpf::abi::TrafficClass;

use super::regions::{self, REGIONS};
use crate::report::destination::Destination;
use crate::report::observed::Observed;
use crate::report::period::ReportPeriod;
use crate::store::{Day, Match, Period, PortRow, Reader, RowFilter, StoreError};

/// Packets of class `scan` by region and signatures, for each day of both periods: of one destination, or of all; per
/// sensor per day, or as they were counted by some sensors.
#[derive(Clone, Debug)]
pub struct Cube {
    pub destination: Option<Destination>,
    /// Numbers of the sensors whose packets are counted as they are, by place of the day.
    sensors: Option<Vec<Vec<u32>>>,
    /// By place of the region: values of each of the signatures that there are, of which there are few.
    values: Vec<Vec<(u8, Vec<f64>)>>,
    days: usize,
}

impl Cube {
    #[must_use]
    pub fn new(destination: Option<Destination>, period: &ReportPeriod) -> Self {
        let values = vec![Vec::new(); REGIONS];
        Self { destination, sensors: None, values, days: period.all_days() }
    }

    /// Of what some sensors counted on each day of the period, as it is.
    #[must_use]
    pub fn of_sensors(destination: Destination, period: &ReportPeriod, sensors: Vec<Vec<u32>>) -> Self {
        let before = vec![Vec::new(); period.offset()];
        let sensors = Some(before.into_iter().chain(sensors).collect());
        Self { sensors, ..Self::new(Some(destination), period) }
    }

    /// Adds a row of the day at a place, on which a packet of its sensor counts that much, if anything.
    fn add(&mut self, place: usize, row: &PortRow, weight: Option<f64>) {
        let packets = row.packets as f64;
        let value = match &self.sensors {
            Some(sensors) => {
                let is_counted = sensors.get(place).is_some_and(|sensors| sensors.contains(&row.sensor));
                is_counted.then_some(packets)
            }
            None => weight.map(|weight| packets * weight),
        };
        let Some(value) = value else { return };
        let values = &mut self.values[regions::number(row.region)];
        let found = values.iter().position(|(signatures, _)| *signatures == row.signatures);
        let found = found.unwrap_or_else(|| {
            values.push((row.signatures, vec![0.0; self.days]));
            values.len() - 1
        });
        values[found].1[place] += value;
    }

    /// By day, of the regions and signatures that are wanted.
    pub fn days(&self, wanted: impl Fn([u8; 2], u8) -> bool) -> Vec<f64> {
        let mut all = vec![0.0; self.days];
        for (number, values) in self.values.iter().enumerate() {
            let region = regions::with_number(number);
            // In one order, whichever came first: sums of fractions depend on it.
            let mut wanted: Vec<_> =
                values.iter().filter(|(signatures, _)| wanted(region, *signatures)).collect();
            wanted.sort_by_key(|(signatures, _)| *signatures);
            for (_, days) in wanted {
                all.iter_mut().zip(days).for_each(|(sum, value)| *sum += value);
            }
        }
        all
    }

    /// The regions that there is something from.
    #[must_use]
    pub fn regions(&self) -> BTreeSet<[u8; 2]> {
        let used = self.values.iter().enumerate().filter(|(_, values)| !values.is_empty());
        used.map(|(number, _)| regions::with_number(number)).collect()
    }
}

/// What the pass over ports has counted, of class `scan`.
pub struct PortCounts {
    /// Sums over the days of the period, and of the one before, by the number of a [`Destination`].
    pub totals: Vec<f64>,
    pub previous_totals: Vec<f64>,
    /// By region, and by day of both periods; of every protocol.
    pub regions: BTreeMap<[u8; 2], Vec<f64>>,
    /// Versions of the tables that regions were told by.
    pub regions_versions: BTreeSet<u32>,
}

/// Counts the packets of both periods.
///
/// # Errors
/// Where the store cannot be read.
pub fn count(
    reader: &dyn Reader,
    period: &ReportPeriod,
    observed: &Observed,
    cubes: &mut [&mut Cube],
) -> Result<PortCounts, StoreError> {
    let mut counts = PortCounts {
        totals: vec![0.0; Destination::COUNT],
        previous_totals: vec![0.0; Destination::COUNT],
        regions: BTreeMap::new(),
        regions_versions: BTreeSet::new(),
    };
    let mut by_region: Vec<Vec<f64>> = vec![Vec::new(); REGIONS];
    let mut last_version = None;
    let mut wanted: Vec<Vec<usize>> = vec![Vec::new(); Destination::COUNT];
    let mut of_all = Vec::new();
    for (place, cube) in cubes.iter().enumerate() {
        match cube.destination {
            Some(destination) => wanted[destination.number()].push(place),
            None => of_all.push(place),
        }
    }
    let mut weights = Weights::new(period, observed);
    let scan = Match { class: Some(TrafficClass::Scan), ..Match::default() };
    let filter = filter(period.previous_from, period, observed, vec![scan]);
    reader.port_rows(&filter, &mut |row| {
        let Some((place, weight)) = weights.of(row) else { return };
        let destination = Destination::of(row.protocol, row.service);
        let of_destination = destination.map_or(&[][..], |destination| &wanted[destination.number()]);
        for cube in of_all.iter().chain(of_destination) {
            cubes[*cube].add(place, row, weight);
        }
        let Some(weight) = weight else { return };
        let value = row.packets as f64 * weight;
        if place >= period.offset() && last_version != Some(row.regions_version) {
            last_version = Some(row.regions_version);
            counts.regions_versions.insert(row.regions_version);
        }
        let days = &mut by_region[regions::number(row.region)];
        if days.is_empty() {
            days.resize(period.all_days(), 0.0);
        }
        days[place] += value;
        let Some(destination) = destination else { return };
        let totals = if place < period.offset() { &mut counts.previous_totals } else { &mut counts.totals };
        totals[destination.number()] += value;
    })?;
    let used = by_region.into_iter().enumerate().filter(|(_, days)| !days.is_empty());
    counts.regions = used.map(|(number, days)| (regions::with_number(number), days)).collect();
    Ok(counts)
}

/// Packets per sensor per day of some destinations, for each day of both periods; days before the period are zero.
///
/// # Errors
/// Where the store cannot be read.
pub fn days_of(
    reader: &dyn Reader,
    period: &ReportPeriod,
    observed: &Observed,
    destinations: &[Destination],
) -> Result<Vec<Vec<f64>>, StoreError> {
    let mut days = vec![vec![0.0; period.all_days()]; destinations.len()];
    if destinations.is_empty() {
        return Ok(days);
    }
    let any = destinations.iter().flat_map(|destination| destination.matches()).collect();
    let mut weights = Weights::new(period, observed);
    reader.port_rows(&filter(period.from, period, observed, any), &mut |row| {
        let of = Destination::of(row.protocol, row.service);
        let found = destinations.iter().position(|destination| Some(*destination) == of);
        if let (Some(found), Some((place, Some(weight)))) = (found, weights.of(row)) {
            days[found][place] += row.packets as f64 * weight;
        }
    })?;
    Ok(days)
}

fn filter(from: Day, period: &ReportPeriod, observed: &Observed, any: Vec<Match>) -> RowFilter {
    let sensors = observed.numbers.clone();
    RowFilter { sensors, any, ..RowFilter::of(Period::days(from, period.to)) }
}

/// The place of a day, and what a packet of a sensor counts on it; without that where the sensor was not up for long
/// enough.
type Counted = Option<(usize, Option<f64>)>;

/// What packets count, looked up once for each sensor and day: rows come in their order.
struct Weights<'a> {
    period: &'a ReportPeriod,
    observed: &'a Observed,
    last: Option<(Day, u32, Counted)>,
}

impl<'a> Weights<'a> {
    const fn new(period: &'a ReportPeriod, observed: &'a Observed) -> Self {
        Self { period, observed, last: None }
    }

    fn of(&mut self, row: &PortRow) -> Counted {
        match self.last {
            Some((day, sensor, found)) if (day, sensor) == (row.day, row.sensor) => found,
            _ => {
                let place = self.period.place(row.day);
                let found = place.map(|place| (place, self.observed.weight(place, row.sensor)));
                self.last = Some((row.day, row.sensor, found));
                found
            }
        }
    }
}
