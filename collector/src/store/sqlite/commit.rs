//! A group of batches, in one transaction.

use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};
use wire::{Batch, Counter, Dimension, FlowsHeader, Header};

use super::failure::failure;
use super::flows::{LATEST, MOST_ROWS, Writer};
use super::hours;
use super::interval::{self, Figures, NEVER_CAME, ROWS, SUMS, signed};
use super::ledger::{self, Claim};
use super::place::Places;
use super::rollup::{Begins, Flows, Rollups, counter_number};
use super::windows;
use crate::store::{Incoming, NANOSECONDS_OF_DAY, Outcome, Regions, StoreError, utc};

/// The highest figure of one interval: no sum of a thousand of them is beyond 64 bits, and no line has such a rate.
const MOST: u64 = 1 << 53;
/// Days that an interval can last: merged intervals of an outage are long, but none lasts for years.
const MOST_DAYS: u64 = 4_000;

/// Why a batch is not stored.
enum Trouble {
    /// It cannot be, ever.
    Batch(String),
    /// Nor can its group.
    Store(StoreError),
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        failure(error).into()
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Range { what } => Self::Batch(what),
            error => Self::Store(error),
        }
    }
}

pub struct Committer<'a> {
    pub connection: &'a mut Connection,
    pub regions: &'a dyn Regions,
    /// Whether rows of flows are kept besides their sums.
    pub keep_flows: bool,
    /// Days before a new store's first batch arrived that have sums by hour; all where it is absent.
    pub hour_days: Option<u32>,
}

impl Committer<'_> {
    /// Stores what is not stored yet. A batch that cannot be stored undoes only itself.
    pub fn commit(&mut self, group: &[Incoming]) -> Result<Vec<Outcome>, StoreError> {
        let Self { connection, regions, keep_flows, hour_days } = self;
        let mut transaction =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failure)?;
        let places = Places::new(*regions);
        let begins = Begins {
            hours: hours::first_day(&transaction, group, *hour_days).map_err(failure)?,
            windows: windows::first_day(&transaction).map_err(failure)?,
        };
        let mut rollups = Rollups::new(&places, begins);
        let mut outcomes = Vec::with_capacity(group.len());
        for incoming in group {
            let mut own = Rollups::new(&places, begins);
            let stored = match fault(incoming) {
                Ok(()) => stored_whole(&mut transaction, incoming, &mut own, *keep_flows),
                Err(reason) => Err(Trouble::Batch(reason)),
            };
            outcomes.push(match stored {
                Ok(outcome) => {
                    rollups.merge(own);
                    if rollups.is_full() {
                        rollups.flush(&transaction)?;
                    }
                    outcome
                }
                Err(Trouble::Batch(reason)) => Outcome::Refused { reason },
                Err(Trouble::Store(error)) => return Err(error),
            });
        }
        rollups.flush(&transaction)?;
        transaction.commit().map_err(failure)?;
        Ok(outcomes)
    }
}

/// Stores a batch, or leaves the transaction as it was.
fn stored_whole(
    transaction: &mut Transaction<'_>,
    incoming: &Incoming,
    rollups: &mut Rollups<'_>,
    keep_flows: bool,
) -> Result<Outcome, Trouble> {
    let savepoint = transaction.savepoint()?;
    let stored = store(&savepoint, incoming, rollups, keep_flows);
    match stored {
        Ok(_) => savepoint.commit()?,
        Err(Trouble::Batch(_)) => savepoint.finish()?,
        // The whole transaction is given up, if SQLite has not done so already.
        Err(Trouble::Store(_)) => {}
    }
    stored
}

/// Whether a batch can be stored, as far as its counts tell.
fn fault(incoming: &Incoming) -> Result<(), String> {
    let Header { sensor, epoch, first, last, start, end, digests, flows, .. } = &incoming.batch.header;
    if sensor.is_empty() {
        return Err("its sensor has no name".into());
    }
    if *first == 0 || last < first {
        return Err(format!("it has the sequence numbers {first} to {last}"));
    }
    if end < start {
        return Err(format!("it ended {} ns before it began", start - end));
    }
    if end - start > MOST_DAYS * NANOSECONDS_OF_DAY {
        return Err(format!("it lasted longer than {MOST_DAYS} days"));
    }
    if *end > LATEST {
        return Err(format!("it ended {}, and nothing after {} can be kept", utc(*end), utc(LATEST)));
    }
    if i64::try_from(*epoch).is_err() {
        return Err(format!("it has the epoch {epoch}, which is beyond 64 bits with a sign"));
    }
    if flows.is_none() && incoming.batch.has_flows() {
        return Err("it has flows, but does not say of which kind".into());
    }
    let counters = incoming.batch.counters.iter().map(|counter| counter.packets);
    let digests = digests.iter().flat_map(|digests| digests.figures());
    let flows = flows
        .iter()
        .flat_map(|flows| [flows.rows, flows.packets, flows.overflow_rows, flows.overflow_packets]);
    let Sums { packets, bytes, observed } = Sums::of(&incoming.batch);
    let mut figures = counters.chain(digests).chain(flows).chain([*last, packets, bytes, observed]);
    match figures.find(|figure| *figure > MOST) {
        Some(figure) => Err(format!("it has the figure {figure}; at most {MOST} can be")),
        None => Ok(()),
    }
}

/// What an interval's counters come to.
struct Sums {
    packets: u64,
    bytes: u64,
    observed: u64,
}

impl Sums {
    fn of(batch: &Batch) -> Self {
        let sum = |dimension: Dimension| {
            let of = batch.counters.iter().filter(|counter| counter.dimension == dimension);
            of.fold(0_u64, |sum, counter| sum.saturating_add(counter.packets))
        };
        let (packets, bytes) = (sum(Dimension::Packets), sum(Dimension::Bytes));
        Self { packets, bytes, observed: sum(Dimension::IpProtocol) }
    }
}

fn store(
    connection: &Connection,
    incoming: &Incoming,
    rollups: &mut Rollups<'_>,
    keep_flows: bool,
) -> Result<Outcome, Trouble> {
    let Incoming { batch, counts_hash, .. } = incoming;
    let header = &batch.header;
    let sensor = sensor(connection, &header.sensor)?;
    let Sums { packets, bytes, observed } = Sums::of(batch);
    let name = header.name();
    let claim = Claim { sensor, name, counts_hash, packets: signed(packets), bytes: signed(bytes) };
    if let Some(outcome) = ledger::look(connection, &claim)? {
        return Ok(outcome);
    }
    let in_flows = header.flows.filter(|_| batch.has_flows()).map_or(0, |flows| flows.all_packets());
    let missing = observed.saturating_sub(in_flows);
    let state = match (batch.has_flows(), keep_flows) {
        (false, _) => NEVER_CAME,
        (true, true) => ROWS,
        (true, false) => SUMS,
    };
    let figures = Figures { packets, bytes, observed, missing };
    let id = interval::insert(connection, sensor, incoming, figures, state)?;
    insert_counters(connection, id, &batch.counters)?;
    // Where nothing was observed there is no flow to miss.
    let flows = Flows { are_known: state != NEVER_CAME || observed == 0, packets_missing: missing };
    rollups.add_counters(sensor, header, &batch.counters, flows);
    add_flows(connection, incoming, sensor, (state == ROWS).then_some(id), rollups)?;
    ledger::note(connection, sensor, name)?;
    Ok(Outcome::Stored)
}

fn sensor(connection: &Connection, name: &str) -> rusqlite::Result<i64> {
    let known = connection
        .prepare_cached("SELECT id FROM sensor WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()?;
    match known {
        Some(id) => Ok(id),
        None => connection.prepare_cached("INSERT INTO sensor (name) VALUES (?1)")?.insert([name]),
    }
}

fn insert_counters(connection: &Connection, interval: i64, counters: &[Counter]) -> rusqlite::Result<()> {
    let mut statement = connection
        .prepare_cached("INSERT INTO counter_raw (interval, counter, packets) VALUES (?1, ?2, ?3)")?;
    for counter in counters {
        statement.execute(params![interval, counter_number(counter), signed(counter.packets)])?;
    }
    Ok(())
}

/// Reads the flows, some at a time: into sums, and into rows where they are kept.
fn add_flows(
    connection: &Connection,
    incoming: &Incoming,
    sensor: i64,
    interval: Option<i64>,
    rollups: &mut Rollups<'_>,
) -> Result<(), Trouble> {
    let header = &incoming.batch.header;
    let Some(expected) = header.flows.filter(|_| incoming.batch.has_flows()) else { return Ok(()) };
    let refuse = Trouble::Batch;
    let mut writer = match interval {
        Some(interval) => Some(Writer::new(connection, expected.key, interval)?),
        None => None,
    };
    let mut found = FlowsHeader { key: expected.key, ..FlowsHeader::default() };
    for rows in incoming.batch.flows() {
        let rows = rows.map_err(|error| refuse(error.to_string()))?;
        for row in rows.iter() {
            if row.packets > MOST || row.bytes > MOST || row.targets > MOST {
                return Err(refuse(format!("it has a flow with a figure above {MOST}")));
            }
            let (all_rows, all_packets) = match row.overflow {
                false => (&mut found.rows, &mut found.packets),
                true => (&mut found.overflow_rows, &mut found.overflow_packets),
            };
            *all_rows += 1;
            *all_packets = all_packets.saturating_add(row.packets);
            rollups.add_flow(sensor, header, &row)?;
            if let Some(writer) = &mut writer {
                writer.write(&row, header.start)?;
            }
            if rollups.is_full() {
                rollups.flush(connection)?;
            }
        }
        if found.all_rows() >= MOST_ROWS {
            return Err(refuse(format!("it has more than {MOST_ROWS} flows")));
        }
    }
    if found != expected {
        return Err(refuse(format!("its flows come to {found:?}, but it says {expected:?}")));
    }
    Ok(())
}
