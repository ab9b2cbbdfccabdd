//! What a section counts that asks for windows: of the sensors that watched them alone, for others cannot tell.
//!
//! Sums by port tell sensors, but no windows; those by source tell windows, but not how much each sensor saw. A packet
//! with a window comes from a sensor that watched it. So packets without it are those of these sensors by port, less
//! those with it by source. Packets of flows beyond a sensor's table have no source, and so are in sums by port alone:
//! with or without the window, nobody knows.

use std::collections::BTreeMap;

use super::{Kinds, Origin};
use crate::report::counting::Parts;
use crate::report::counting::ports::Cube;
use crate::report::counting::sources::{ByDay, SourceCounter};
use crate::report::destination::Destination;
use crate::report::observed::Observed;
use crate::report::period::ReportPeriod;
use crate::report::watched::WatchedDay;
use crate::store::{Match, SourceRow, UNKNOWN};

pub struct Windows<'a> {
    /// All packets of the sensors that watched.
    cube: Cube,
    counter: Counter<'a>,
}

/// Sources, and what they sent with a window.
struct Counter<'a> {
    kinds: Kinds<'a>,
    windows: Vec<u16>,
    /// By day of the period.
    days: Vec<Option<WatchedDay>>,
    sources: ByDay<'a, (bool, Origin)>,
    /// Packets with one of the windows: as what they are, and as what they would be if their window were not known.
    with_window: Packets,
    as_if_without: Packets,
    /// All that came from no known region, as what they would be if their window were not known; by day of the period.
    of_no_region: BTreeMap<bool, Vec<u64>>,
    is_shared: bool,
}

/// By day of the period.
type Packets = BTreeMap<(bool, Origin), Vec<u64>>;

impl<'a> Windows<'a> {
    pub fn new(
        kinds: &Kinds<'a>,
        port: Destination,
        matches: Vec<Match>,
        period: &ReportPeriod,
        observed: &Observed,
    ) -> Self {
        let windows: Vec<u16> = kinds.windows().collect();
        let count = period.all_days() - period.offset();
        // Of a day of which next to nothing was observed no sources are read: to tell of its packets would tell half of it.
        let on = |place| observed.is_observed(place).then(|| observed.watchers.on(place, &windows)).flatten();
        let days: Vec<Option<WatchedDay>> = (0..count).map(|day| on(period.offset() + day)).collect();
        let sensors = days.iter().map(|day| day.as_ref().map(|day| day.sensors.clone()).unwrap_or_default());
        let cube = Cube::of_sensors(port, period, sensors.collect());
        let of_row = kinds.clone();
        let sources = ByDay::new(matches, period, move |row| {
            Some((of_row.of(row.signatures, row.window)?, of_row.origin(row.region)))
        });
        let (with_window, as_if_without) = (Packets::new(), Packets::new());
        let kinds = kinds.clone();
        let (of_no_region, is_shared) = (BTreeMap::new(), false);
        let counter =
            Counter { kinds, windows, days, sources, with_window, as_if_without, of_no_region, is_shared };
        Self { cube, counter }
    }

    pub fn parts(&mut self) -> Parts<'_> {
        Parts { cubes: vec![&mut self.cube], counters: vec![&mut self.counter] }
    }

    pub const fn sources(&self) -> &ByDay<'a, (bool, Origin)> {
        &self.counter.sources
    }

    /// Whether a sensor that the report is not of may have seen some of the packets with a window.
    pub const fn is_shared(&self) -> bool {
        self.counter.is_shared
    }

    /// Who watched on a day of the period, where packets of a kind are told of it.
    ///
    /// Those with the one window that is asked for are known for as long as it was watched. For all else, whoever watched
    /// has to have done so all the time: what came meanwhile is not known to be with a window, or without.
    pub fn told_apart(&self, day: usize, with: bool) -> Option<&WatchedDay> {
        let days = &self.counter.days;
        let watched = days.get(day)?.as_ref()?;
        (watched.is_whole || self.is_the_one(with)).then_some(watched)
    }

    /// Whether it is by the one window that is asked for that packets are of a kind.
    fn is_the_one(&self, with: bool) -> bool {
        let Counter { kinds, windows, .. } = &self.counter;
        with && windows.len() == 1 && kinds.signature.window().is_some()
    }

    /// By day of the period: whether more packets came by port than by source, of a kind that has to be told apart by
    /// windows. These have no source, and no region. Other sensors' packets from the same sources may hide some.
    fn without_source(&self, with: bool) -> Vec<bool> {
        let Counter { kinds, days, of_no_region, .. } = &self.counter;
        if self.is_the_one(with) {
            return vec![false; days.len()];
        }
        let is_meant = |region, signatures| region == UNKNOWN && kinds.of(signatures, None) == Some(with);
        let by_port = self.cube.days(is_meant);
        let by_port = &by_port[by_port.len() - days.len()..];
        let by_source = |day: usize| of_no_region.get(&with).map_or(0.0, |days| days[day] as f64);
        by_port.iter().enumerate().map(|(day, by_port)| *by_port > by_source(day)).collect()
    }

    /// On how many days packets without a source came that nobody can tell to be of a kind.
    pub fn days_without_source(&self, with: bool) -> usize {
        let days = self.without_source(with).into_iter().enumerate();
        days.filter(|(day, is_without)| *is_without && self.told_apart(*day, with).is_some()).count()
    }

    /// Packets per sensor per day, by day of the period.
    pub fn packets(&self, with: bool, origin: Origin) -> Vec<Option<f64>> {
        let Counter { kinds, days, with_window, as_if_without, .. } = &self.counter;
        let has_no_region = kinds.origin(UNKNOWN) == origin;
        let without_source = self.without_source(with);
        let by_port = self.cube.days(|region, signatures| {
            kinds.of(signatures, None) == Some(with) && kinds.origin(region) == origin
        });
        let by_port = &by_port[by_port.len() - days.len()..];
        let of =
            |packets: &Packets, day: usize| packets.get(&(with, origin)).map_or(0.0, |days| days[day] as f64);
        let of_day = |(day, by_port): (usize, &f64)| {
            let watched = self.told_apart(day, with)?;
            let without_window = by_port - of(as_if_without, day);
            // More by source than by port is nothing that can be told either.
            let is_known = without_window >= 0.0 && !(has_no_region && without_source[day]);
            is_known.then(|| (without_window + of(with_window, day)) / watched.days)
        };
        by_port.iter().enumerate().map(of_day).collect()
    }

    /// Days of sensors that were up and did not watch, of the days on which others did.
    pub fn sensor_days_left_out(&self) -> u32 {
        let days = (0..self.counter.days.len()).filter_map(|day| self.told_apart(day, true));
        days.map(|day| day.left_out).sum()
    }
}

impl SourceCounter for Counter<'_> {
    fn matches(&self) -> &[Match] {
        self.sources.matches()
    }

    fn sensors(&self, day: usize) -> Option<&[u32]> {
        match self.days.get(day)? {
            Some(watched) if watched.is_by_all => None,
            Some(watched) => Some(&watched.sensors),
            None => Some(&[]),
        }
    }

    fn take(&mut self, day: usize, row: &SourceRow<'_>) {
        self.sources.take(day, row);
        if row.region == UNKNOWN
            && let Some(with) = self.kinds.of(row.signatures, None)
        {
            let days = self.of_no_region.entry(with).or_insert_with(|| vec![0; self.days.len()]);
            days[day] = days[day].saturating_add(row.packets);
        }
        if !row.window.is_some_and(|window| self.windows.contains(&window)) {
            return;
        }
        self.is_shared |= row.is_shared;
        let origin = self.kinds.origin(row.region);
        let as_it_is = (&mut self.with_window, self.kinds.of(row.signatures, row.window));
        let as_if_without = (&mut self.as_if_without, self.kinds.of(row.signatures, None));
        for (packets, kind) in [as_it_is, as_if_without] {
            let Some(with) = kind else { continue };
            let days = packets.entry((with, origin)).or_insert_with(|| vec![0; self.days.len()]);
            days[day] = days[day].saturating_add(row.packets);
        }
    }
}
