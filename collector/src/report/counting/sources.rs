//! Sources: distinct ones by day and over a period, and what came from them.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::thread;

use crossbeam_channel::{Sender, bounded};

use crate::report::observed::Observed;
use crate::report::period::ReportPeriod;
use crate::store::{Bits, Day, Match, Period, Reader, RowFilter, SourceOrder, SourceRow, StoreError};

/// Rows that are handed over together: some eight MiB.
const ROWS_AT_ONCE: usize = 1 << 16;
/// How often so many wait of one reader, so that memory does not grow with what is read.
const WAITING: usize = 8;

/// Rows, each with who wants it: a bit for every counter's place, in as many words for each row as that takes.
#[derive(Default)]
struct Rows {
    wanted: Vec<u64>,
    rows: Vec<SourceRow<'static>>,
}

/// Who counts rows of sources.
pub trait SourceCounter: Send {
    /// Rows that it has to see.
    fn matches(&self) -> &[Match];

    /// Numbers of the sensors that it asks about on a day of the period; absent where those of the report.
    fn sensors(&self, _day: usize) -> Option<&[u32]> {
        None
    }

    /// A row that matches one of these, and that one of these sensors saw, of the day at this place in the period; those
    /// of one source on one day follow each other. It tells neither its times nor its sensors.
    fn take(&mut self, day: usize, row: &SourceRow<'_>);
}

/// What every counter wants.
struct Wanted {
    /// Told by one comparison for each match.
    matches: Vec<Vec<(Bits, Bits)>>,
    /// By day of the period: the places of the counters that ask about sensors of their own, and these.
    sensors: Vec<Vec<(usize, Vec<u32>)>>,
}

impl Wanted {
    fn of(counters: &[&mut dyn SourceCounter], days: usize) -> Self {
        let matches = counters.iter().map(|counter| counter.matches().iter().map(Match::bits).collect());
        let on = |day: usize| {
            let counters = counters.iter().enumerate();
            counters.filter_map(move |(place, counter)| Some((place, counter.sensors(day)?.to_vec())))
        };
        Self { matches: matches.collect(), sensors: (0..days).map(|day| on(day).collect()).collect() }
    }

    /// Words of bits for each row.
    fn words(&self) -> usize {
        self.matches.len().div_ceil(WORD)
    }

    /// Takes a row in, where somebody wants it.
    fn push(&self, rows: &mut Rows, day: usize, row: &SourceRow<'_>) {
        let (bits, begin) = (row.bits(), rows.wanted.len());
        rows.wanted.resize(begin + self.words(), 0);
        let wanted = &mut rows.wanted[begin..];
        for (place, any) in self.matches.iter().enumerate() {
            if any.iter().any(|one| bits.are(*one)) {
                wanted[place / WORD] |= 1 << (place % WORD);
            }
        }
        for (place, sensors) in &self.sensors[day] {
            if !row.sensors.iter().any(|number| sensors.contains(&number)) {
                wanted[place / WORD] &= !(1 << (place % WORD));
            }
        }
        if wanted.iter().all(|word| *word == 0) {
            rows.wanted.truncate(begin);
        } else {
            rows.rows.push(row.without_sensors());
        }
    }
}

/// Bits of a word.
const WORD: usize = u64::BITS as usize;

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
    let wanted = Wanted::of(counters, period.all_days() - period.offset());
    // A day of which next to nothing was observed is a gap: what was seen on it tells nothing.
    let days: Vec<Day> = (period.from.0..period.to.0)
        .map(Day)
        .filter(|day| observed.is_observed(period.offset() + (day.0 - period.from.0) as usize))
        .collect();
    let place = |day: Day| (day.0 - period.from.0) as usize;
    let (step, days, any, wanted) = (readers.len(), &days, &any, &wanted);
    thread::scope(|scope| {
        let read: Vec<_> = readers
            .into_iter()
            .enumerate()
            .map(|(first, reader)| {
                let (give, take) = bounded(WAITING);
                scope.spawn(move || {
                    for day in days.iter().skip(first).step_by(step) {
                        let read = read(&*reader, (*day, place(*day)), (any, wanted), observed, &give);
                        let has_failed = read.is_err();
                        if give.send(read.map(|()| Rows::default())).is_err() || has_failed {
                            return;
                        }
                    }
                });
                take
            })
            .collect();
        for (day, rows) in days.iter().zip(read.iter().cycle()) {
            // A reader ends early only where it has crashed, and the scope tells of that. A day ends with no rows.
            while let Ok(rows) = rows.recv() {
                let rows = rows?;
                if rows.rows.is_empty() {
                    break;
                }
                give(&rows, place(*day), wanted, counters);
            }
        }
        Ok(())
    })
}

/// Gives rows to those who want them.
fn give(rows: &Rows, day: usize, wanted: &Wanted, counters: &mut [&mut dyn SourceCounter]) {
    for (row, words) in rows.rows.iter().zip(rows.wanted.chunks(wanted.words())) {
        for (first, word) in (0..).step_by(WORD).zip(words) {
            let mut word = *word;
            while word != 0 {
                counters[first + word.trailing_zeros() as usize].take(day, row);
                word &= word - 1;
            }
        }
    }
}

/// Gives the rows of one day that somebody wants, some at a time, for as long as somebody takes them.
fn read(
    reader: &dyn Reader,
    (day, place): (Day, usize),
    (any, wanted): (&[Match], &Wanted),
    observed: &Observed,
    give: &Sender<Result<Rows, StoreError>>,
) -> Result<(), StoreError> {
    let (sensors, period) = (observed.numbers.clone(), Period::days(day, Day(day.0 + 1)));
    // It takes longer to read which sensors saw a row.
    let with_details = !wanted.sensors[place].is_empty();
    let filter = RowFilter { sensors, any: any.to_vec(), with_details, ..RowFilter::of(period) };
    let mut rows = Rows::default();
    let give = |rows: &mut Rows| {
        // Where nobody takes them, another reader has failed, which is told.
        let _taken = give.send(Ok(std::mem::take(rows)));
    };
    reader.source_rows(&filter, SourceOrder::Day, &mut |row| {
        wanted.push(&mut rows, place, row);
        if rows.rows.len() == ROWS_AT_ONCE {
            give(&mut rows);
        }
        Ok(())
    })?;
    if !rows.rows.is_empty() {
        give(&mut rows);
    }
    Ok(())
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
    /// Whether any of these packets may have come to a sensor that the report is not of.
    pub is_shared: bool,
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
        Self {
            matches,
            key: Box::new(key),
            days,
            counts: BTreeMap::new(),
            is_shared: false,
            last: None,
            counted: Vec::new(),
        }
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
        self.is_shared |= row.is_shared;
        let count = &mut self.counts.entry(key).or_insert_with(|| vec![(0, 0); self.days])[day];
        count.1 = count.1.saturating_add(row.packets);
        if !self.counted.contains(&key) {
            self.counted.push(key);
            count.0 += 1;
        }
    }
}
