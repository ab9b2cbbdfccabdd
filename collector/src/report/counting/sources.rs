//! Sources: distinct ones by day and over a period, and what came from them.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::report::observed::Observed;
use crate::report::period::ReportPeriod;
use crate::store::{Match, Period, Reader, RowFilter, SourceOrder, SourceRow, StoreError};

/// Who counts rows of sources.
pub trait SourceCounter: Send {
    /// Rows that it has to see; it sees others', too.
    fn matches(&self) -> &[Match];

    /// A row that matches one of these, of the day at this place in the period; those of one source on one day follow
    /// each other.
    fn take(&mut self, day: usize, row: &SourceRow<'_>);
}

/// Has all of them count the sources of a period.
///
/// # Errors
/// Where the store cannot be read.
pub fn count(
    reader: &dyn Reader,
    period: &ReportPeriod,
    observed: &Observed,
    counters: &mut [&mut dyn SourceCounter],
) -> Result<(), StoreError> {
    let any: Vec<Match> = counters.iter().flat_map(|counter| counter.matches().to_vec()).collect();
    if counters.is_empty() {
        return Ok(());
    }
    let sensors = observed.numbers.clone();
    let filter = RowFilter { sensors, any, ..RowFilter::of(Period::days(period.from, period.to)) };
    reader.source_rows(&filter, SourceOrder::Day, &mut |row| {
        let day = (row.day.0 - period.from.0) as usize;
        // A day of which next to nothing was observed is a gap: what was seen on it tells nothing.
        if observed.is_observed(period.offset() + day) {
            for counter in counters.iter_mut() {
                if counter.matches().iter().any(|wanted| matches(wanted, row)) {
                    counter.take(day, row);
                }
            }
        }
        Ok(())
    })
}

/// Whether a row is as wanted.
fn matches(wanted: &Match, row: &SourceRow<'_>) -> bool {
    let Match { protocol, class, port, region, signatures, no_signatures, window } = wanted;
    protocol.is_none_or(|protocol| protocol == row.protocol)
        && class.is_none_or(|class| class == row.class)
        && port.is_none_or(|port| crate::store::Selector::Port(port) == row.service)
        && region.is_none_or(|region| region == row.region)
        && row.signatures & signatures == *signatures
        && row.signatures & no_signatures == 0
        && window.is_none_or(|window| Some(window) == row.window)
}

/// By which series a source counts on a day, if any.
type Key<'a, K> = Box<dyn Fn(&SourceRow<'_>) -> Option<K> + Send + 'a>;

/// Distinct sources and their packets by day, by some key.
pub struct ByDay<'a, K> {
    matches: Vec<Match>,
    key: Key<'a, K>,
    days: usize,
    /// Sources, and packets, for each day of the period.
    pub counts: BTreeMap<K, Vec<(u64, u64)>>,
    /// The source that rows are of, and by what it was counted on that day.
    last: Option<(usize, IpAddr)>,
    counted: Vec<K>,
}

impl<'a, K: Copy + Ord + Send> ByDay<'a, K> {
    pub fn new(
        matches: Vec<Match>,
        period: &ReportPeriod,
        key: impl Fn(&SourceRow<'_>) -> Option<K> + Send + 'a,
    ) -> Self {
        let days = period.all_days() - period.offset();
        Self { matches, key: Box::new(key), days, counts: BTreeMap::new(), last: None, counted: Vec::new() }
    }

    /// Sources by day; zeros where there were none by this key.
    #[must_use]
    pub fn sources(&self, key: K) -> Vec<f64> {
        self.counts.get(&key).map_or_else(
            || vec![0.0; self.days],
            |days| days.iter().map(|(sources, _)| *sources as f64).collect(),
        )
    }

    /// Packets by day, as they were counted.
    #[must_use]
    pub fn packets(&self, key: K) -> Vec<f64> {
        self.counts.get(&key).map_or_else(
            || vec![0.0; self.days],
            |days| days.iter().map(|(_, packets)| *packets as f64).collect(),
        )
    }
}

impl<K: Copy + Ord + Send> SourceCounter for ByDay<'_, K> {
    fn matches(&self) -> &[Match] {
        &self.matches
    }

    fn take(&mut self, day: usize, row: &SourceRow<'_>) {
        let Some(key) = (self.key)(row) else { return };
        if self.last != Some((day, row.source)) {
            self.last = Some((day, row.source));
            self.counted.clear();
        }
        let count = &mut self.counts.entry(key).or_insert_with(|| vec![(0, 0); self.days])[day];
        count.1 = count.1.saturating_add(row.packets);
        if !self.counted.contains(&key) {
            self.counted.push(key);
            count.0 += 1;
        }
    }
}
