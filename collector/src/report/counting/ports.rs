//! Packets per sensor per day: by destination, region, and signatures.

use std::collections::{BTreeMap, BTreeSet};

use sensor_ebpf::abi::TrafficClass;

use crate::report::destination::Destination;
use crate::report::observed::Observed;
use crate::report::period::ReportPeriod;
use crate::store::{Day, Match, Period, PortRow, Reader, RowFilter, StoreError};

/// Packets of class `scan` per sensor per day, by region and signatures, for each day of both periods: of one
/// destination, or of all.
#[derive(Clone, Debug)]
pub struct Cube {
    pub destination: Option<Destination>,
    values: BTreeMap<([u8; 2], u8), Vec<f64>>,
    days: usize,
}

impl Cube {
    #[must_use]
    pub const fn new(destination: Option<Destination>, period: &ReportPeriod) -> Self {
        Self { destination, values: BTreeMap::new(), days: period.all_days() }
    }

    fn add(&mut self, place: usize, row: &PortRow, value: f64) {
        let days = self.values.entry((row.region, row.signatures));
        days.or_insert_with(|| vec![0.0; self.days])[place] += value;
    }

    /// By day, of the regions and signatures that are wanted.
    pub fn days(&self, wanted: impl Fn([u8; 2], u8) -> bool) -> Vec<f64> {
        let mut all = vec![0.0; self.days];
        for (_, days) in self.values.iter().filter(|((region, signatures), _)| wanted(*region, *signatures)) {
            all.iter_mut().zip(days).for_each(|(sum, value)| *sum += value);
        }
        all
    }

    /// The regions that there is something from.
    #[must_use]
    pub fn regions(&self) -> BTreeSet<[u8; 2]> {
        self.values.keys().map(|(region, _)| *region).collect()
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
        let value = row.packets as f64 * weight;
        if place >= period.offset() {
            counts.regions_versions.insert(row.regions_version);
        }
        counts.regions.entry(row.region).or_insert_with(|| vec![0.0; period.all_days()])[place] += value;
        for cube in &of_all {
            cubes[*cube].add(place, row, value);
        }
        let Some(destination) = Destination::of(row.protocol, row.service) else { return };
        let number = destination.number();
        let totals = if place < period.offset() { &mut counts.previous_totals } else { &mut counts.totals };
        totals[number] += value;
        for cube in &wanted[number] {
            cubes[*cube].add(place, row, value);
        }
    })?;
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
        if let (Some(found), Some((place, weight))) = (found, weights.of(row)) {
            days[found][place] += row.packets as f64 * weight;
        }
    })?;
    Ok(days)
}

fn filter(from: Day, period: &ReportPeriod, observed: &Observed, any: Vec<Match>) -> RowFilter {
    let sensors = observed.numbers.clone();
    RowFilter { sensors, any, ..RowFilter::of(Period::days(from, period.to)) }
}

/// The place of a day, and what a packet counts on it; nothing where it does not count.
type Counted = Option<(usize, f64)>;

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
                let found = place.and_then(|place| Some((place, self.observed.weight(place, row.sensor)?)));
                self.last = Some((row.day, row.sensor, found));
                found
            }
        }
    }
}
