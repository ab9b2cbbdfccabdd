//! Sources: distinct ones by day and over a period, and what came from them.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::thread;

use crossbeam_channel::{Sender, bounded};

use crate::report::observed::Observed;
use crate::report::period::ReportPeriod;
use crate::store::{Day, Match, Period, Reader, RowFilter, SourceOrder, SourceRow, StoreError};

/// Rows that are handed over together: some six MiB.
const ROWS_AT_ONCE: usize = 1 << 16;
/// How often so many wait of one reader, so that memory does not grow with what is read.
const WAITING: usize = 8;

type Rows = Vec<SourceRow<'static>>;

/// Who counts rows of sources.
pub trait SourceCounter: Send {
    /// Rows that it has to see; it sees others', too.
    fn matches(&self) -> &[Match];

    /// A row that matches one of these, of the day at this place in the period; those of one source on one day follow
    /// each other.
    fn take(&mut self, day: usize, row: &SourceRow<'_>);
}

/// Has all of them count the sources of a period. Each reader reads every so many-th day, and they are taken in the
/// order of the days.
///
/// # Errors
/// Where the store cannot be read.
pub fn count(
    readers: Vec<Box<dyn Reader>>,
    period: &ReportPeriod,
    observed: &Observed,
    counters: &mut [&mut dyn SourceCounter],
) -> Result<(), StoreError> {
    if counters.is_empty() {
        return Ok(());
    }
    let any: Vec<Match> = counters.iter().flat_map(|counter| counter.matches().to_vec()).collect();
    // A day of which next to nothing was observed is a gap: what was seen on it tells nothing.
    let days: Vec<Day> = (period.from.0..period.to.0)
        .map(Day)
        .filter(|day| observed.is_observed(period.offset() + (day.0 - period.from.0) as usize))
        .collect();
    let (step, days, any) = (readers.len(), &days, &any);
    thread::scope(|scope| {
        let read: Vec<_> = readers
            .into_iter()
            .enumerate()
            .map(|(first, reader)| {
                let (give, take) = bounded(WAITING);
                scope.spawn(move || {
                    for day in days.iter().skip(first).step_by(step) {
                        let read = read(&*reader, *day, any, observed, &give);
                        let has_failed = read.is_err();
                        if give.send(read.map(|()| Vec::new())).is_err() || has_failed {
                            return;
                        }
                    }
                });
                take
            })
            .collect();
        for (day, rows) in days.iter().zip(read.iter().cycle()) {
            let day = (day.0 - period.from.0) as usize;
            // A reader ends early only where it has crashed, and the scope tells of that. A day ends with no rows.
            while let Ok(rows) = rows.recv() {
                let rows = rows?;
                if rows.is_empty() {
                    break;
                }
                for row in rows {
                    for counter in counters.iter_mut() {
                        if counter.matches().iter().any(|wanted| matches(wanted, &row)) {
                            counter.take(day, &row);
                        }
                    }
                }
            }
        }
        Ok(())
    })
}

/// Gives the rows of one day that somebody wants, some at a time, for as long as somebody takes them.
fn read(
    reader: &dyn Reader,
    day: Day,
    any: &[Match],
    observed: &Observed,
    give: &Sender<Result<Rows, StoreError>>,
) -> Result<(), StoreError> {
    let (sensors, period) = (observed.numbers.clone(), Period::days(day, Day(day.0 + 1)));
    let filter = RowFilter { sensors, any: any.to_vec(), ..RowFilter::of(period) };
    let mut rows = Vec::new();
    let give = |rows: &mut Rows| {
        // Where nobody takes them, another reader has failed, which is told.
        let _taken = give.send(Ok(std::mem::take(rows)));
    };
    reader.source_rows(&filter, SourceOrder::Day, &mut |row| {
        rows.push(row.without_sensors());
        if rows.len() == ROWS_AT_ONCE {
            give(&mut rows);
        }
        Ok(())
    })?;
    if !rows.is_empty() {
        give(&mut rows);
    }
    Ok(())
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
