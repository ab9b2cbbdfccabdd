//! Reading the store again, to see whether it holds together.

mod reached;
mod stray;
mod sums;
mod uptime;
mod watched;

use rusqlite::{Connection, params};
use wire::dimension::add_to;
use wire::totals::Totals;
use wire::{Counter, Dimension, conservation};

use super::failure::failure;
use super::flows::{first_id, table};
use super::interval;
use super::views::LAST;
use crate::store::{Day, Finding, FindingKind, Interval, Kept, NANOSECONDS_OF_DAY, utc};

type Tell<'a> = &'a mut dyn FnMut(Finding);

fn breach(tell: Tell<'_>, what: String) {
    tell(Finding { kind: FindingKind::Breach, what });
}

/// Checks a part of the store.
type Step = fn(&Connection, Tell<'_>) -> rusqlite::Result<()>;

/// Checks everything that can be: what cannot be read is a breach, and the rest is looked at all the same.
pub fn check(connection: &Connection, tell: Tell<'_>) {
    let steps: [(&str, Step); 10] = [
        ("the file's pages", pages),
        ("the ledger", sequences),
        ("the intervals", intervals),
        ("the days of sums", stray::days),
        ("the sums of flows", sums::of_flows),
        ("the windows of sources", watched::windows),
        ("the sums of counters", sums_of_counters),
        ("the up-time", uptime::by_day),
        ("the up-time by hour", uptime::by_hour),
        ("the calendar", calendar),
    ];
    for (what, step) in steps {
        unreadable(step(connection, tell), what, tell);
    }
}

fn unreadable(result: rusqlite::Result<()>, what: &str, tell: Tell<'_>) {
    if let Err(error) = result {
        breach(tell, format!("{what} cannot be checked to the end: {}", failure(error)));
    }
}

/// The file itself.
fn pages(connection: &Connection, tell: Tell<'_>) -> rusqlite::Result<()> {
    let mut statement = connection.prepare("PRAGMA integrity_check")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let what: String = row.get(0)?;
        if what != "ok" {
            breach(tell, format!("the file is damaged: {what}"));
        }
    }
    Ok(())
}

/// Gaps between sequence numbers; numbers that are stored twice; intervals that nobody noted.
fn sequences(connection: &Connection, tell: Tell<'_>) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(
        "SELECT s.name, l.epoch, l.first, l.last FROM ledger l JOIN sensor s ON s.id = l.sensor
         ORDER BY l.sensor, l.epoch, l.first",
    )?;
    let mut rows = statement.query([])?;
    let mut before: Option<(String, i64, i64)> = None;
    while let Some(row) = rows.next()? {
        let (sensor, epoch): (String, i64) = (row.get(0)?, row.get(1)?);
        let (first, last): (i64, i64) = (row.get(2)?, row.get(3)?);
        let expected = match &before {
            Some((same, of, last)) if *same == sensor && *of == epoch => last.saturating_add(1),
            _ => 1,
        };
        let of = format!("sensor {sensor}, epoch {epoch} ({})", utc(epoch.cast_unsigned()));
        if first > expected {
            let what = format!("{of}: sequence numbers {expected} to {} never came", first - 1);
            tell(Finding { kind: FindingKind::Gap, what });
        } else if first < expected {
            breach(tell, format!("{of}: sequence numbers {first} to {} are noted twice", expected - 1));
        }
        before = Some((sensor, epoch, last));
    }
    let mut statement = connection.prepare(
        "SELECT s.name, i.epoch, i.first, i.last FROM interval_raw i JOIN sensor s ON s.id = i.sensor
         WHERE coalesce((SELECT l.last FROM ledger l WHERE l.sensor = i.sensor AND l.epoch = i.epoch
             AND l.first <= i.first ORDER BY l.first DESC LIMIT 1), 0) < i.last",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (sensor, epoch): (String, i64) = (row.get(0)?, row.get(1)?);
        let (first, last): (i64, i64) = (row.get(2)?, row.get(3)?);
        breach(tell, format!("sensor {sensor}, epoch {epoch}: {first} to {last} are stored, but not noted"));
    }
    Ok(())
}

/// The first day of which counters are all kept.
fn horizon(connection: &Connection, what: &str) -> rusqlite::Result<i64> {
    connection
        .query_row("SELECT coalesce(max(day), 0) FROM horizon WHERE what = ?1", [what], |row| row.get(0))
}

/// Each interval by itself, and that no two have the same sequence number.
fn intervals(connection: &Connection, tell: Tell<'_>) -> rusqlite::Result<()> {
    let counters_from = horizon(connection, "counters")?.saturating_mul(NANOSECONDS_OF_DAY.cast_signed());
    let mut statement = connection.prepare(&format!(
        "SELECT {} FROM interval_raw i JOIN sensor s ON s.id = i.sensor ORDER BY i.sensor, i.epoch, i.first",
        interval::COLUMNS
    ))?;
    let mut rows = statement.query([])?;
    let mut before: Option<(String, u64, u64)> = None;
    while let Some(row) = rows.next()? {
        let (id, interval) = match interval::read(row) {
            Ok(read) => read,
            Err(error) => {
                breach(tell, format!("an interval cannot be read: {error}"));
                continue;
            }
        };
        let header = &interval.header;
        let of = format!("sensor {}, {}", header.sensor, header.name());
        if let Some((sensor, epoch, last)) = &before
            && (sensor, *epoch) == (&header.sensor, header.epoch)
            && header.first <= *last
        {
            breach(tell, format!("{of}: the interval before it has the sequence number {last}, too"));
        }
        before = Some((header.sensor.clone(), header.epoch, header.last));
        for law in &header.breaches {
            tell(Finding { kind: FindingKind::Reported, what: format!("{of}: its agent saw that {law}") });
        }
        if header.end.cast_signed() > counters_from {
            let checked = counters_of(connection, id, &interval, &of, tell);
            unreadable(checked, &format!("{of}: its counters"), tell);
        }
        let checked = flows_of(connection, id, &interval, &of, tell);
        unreadable(checked, &format!("{of}: its flows"), tell);
    }
    Ok(())
}

fn counters_of(
    connection: &Connection,
    id: i64,
    interval: &Interval,
    of: &str,
    tell: Tell<'_>,
) -> rusqlite::Result<()> {
    let mut statement =
        connection.prepare_cached("SELECT counter, packets FROM counter_raw WHERE interval = ?1")?;
    let mut rows = statement.query([id])?;
    let mut counters = Vec::new();
    while let Some(row) = rows.next()? {
        let (counter, packets): (i64, i64) = (row.get(0)?, row.get(1)?);
        let dimension = u8::try_from(counter >> 16).ok().and_then(Dimension::from_number);
        let Some(dimension) = dimension else {
            breach(tell, format!("{of}: it has a counter {counter}, of no dimension"));
            continue;
        };
        let key = u32::try_from(counter & 0xffff).unwrap_or(u32::MAX);
        counters.push(Counter { dimension, key, packets: packets.cast_unsigned() });
    }
    let mut totals = Totals::default();
    if let Err(error) = add_to(&mut totals, &counters, &interval.header.watched_windows) {
        breach(tell, format!("{of}: {error}"));
        return Ok(());
    }
    let observed = totals.ip_protocols.iter().fold(0_u64, |sum, packets| sum.saturating_add(*packets));
    let found = [totals.packets, totals.bytes, observed];
    let noted = [interval.packets, interval.bytes, interval.observed];
    if found != noted {
        let what = "packets, bytes and observed packets";
        breach(tell, format!("{of}: its counters come to {found:?} {what}, but {noted:?} are noted"));
    }
    // What the agent saw and said is not the store's fault.
    if interval.header.breaches.is_empty() {
        for law in conservation::breaches(&totals) {
            breach(tell, format!("{of}: {law}"));
        }
    }
    Ok(())
}

fn flows_of(
    connection: &Connection,
    id: i64,
    interval: &Interval,
    of: &str,
    tell: Tell<'_>,
) -> rusqlite::Result<()> {
    let Some(flows) = interval.header.flows else { return Ok(()) };
    let came = if interval.flows == Kept::NeverCame { 0 } else { flows.all_packets() };
    if interval.flow_packets_missing != interval.observed.saturating_sub(came) {
        let (missing, observed) = (interval.flow_packets_missing, interval.observed);
        let what =
            format!("{of}: {missing} packets are noted as missing in flows, of {observed} {came} came");
        breach(tell, what);
    }
    if interval.flows != Kept::Rows {
        return Ok(());
    }
    let overflow = "(f.source IS NULL OR length(f.source) = 0)";
    let mut statement = connection.prepare_cached(&format!(
        "SELECT coalesce(sum(NOT {overflow}), 0), coalesce(sum(iif({overflow}, 0, packets)), 0),
             coalesce(sum({overflow}), 0), coalesce(sum(iif({overflow}, packets, 0)), 0)
         FROM {} f WHERE id >= ?1 AND id < ?2",
        table(flows.key)
    ))?;
    let found: [i64; 4] = statement.query_row([first_id(id), first_id(id + 1)], |row| {
        Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?])
    })?;
    let noted = [flows.rows, flows.packets, flows.overflow_rows, flows.overflow_packets];
    if found.map(i64::cast_unsigned) != noted {
        let what = "rows and packets of flows, and of those of many sources";
        breach(tell, format!("{of}: there are {found:?} {what}, but {noted:?} are noted"));
    }
    Ok(())
}

/// Sums of counters, of days whose intervals are all kept.
fn sums_of_counters(connection: &Connection, tell: Tell<'_>) -> rusqlite::Result<()> {
    let horizon = horizon(connection, "counters")?.max(horizon(connection, "sums")?);
    let nanoseconds = NANOSECONDS_OF_DAY;
    let kept = "SELECT day, sensor, counter, packets FROM counter_day_raw WHERE day >= ?1";
    let found = format!(
        "SELECT {LAST} / {nanoseconds} AS day, i.sensor, c.counter, sum(c.packets) FROM interval_raw i
         CROSS JOIN counter_raw c ON c.interval = i.id WHERE {LAST} / {nanoseconds} >= ?1 GROUP BY 1, 2, 3"
    );
    for (one, other, what) in
        [(kept, found.as_str(), "are not those of the counters"), (&found, kept, "are of no sum")]
    {
        let mut statement = connection.prepare(&format!(
            "SELECT d.day, s.name, count(*) FROM (SELECT * FROM ({one}) EXCEPT SELECT * FROM ({other})) d
             JOIN sensor s ON s.id = d.sensor GROUP BY 1, 2"
        ))?;
        let mut rows = statement.query(params![horizon])?;
        while let Some(row) = rows.next()? {
            let (day, sensor, count): (u32, String, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let day = Day(day);
            breach(tell, format!("counter_day of {day}, sensor {sensor}: {count} figures {what}"));
        }
    }
    Ok(())
}

/// That the calendar has each day that there are sums of: people's questions find no other.
fn calendar(connection: &Connection, tell: Tell<'_>) -> rusqlite::Result<()> {
    for table in
        ["port_day", "source_day", "counter_day", "uptime_day", "window_day", "port_hour", "uptime_hour"]
    {
        let mut statement = connection.prepare(&format!(
            "SELECT DISTINCT day FROM {table}_raw d
             WHERE NOT EXISTS (SELECT 1 FROM calendar t WHERE t.day = d.day AND t.text = date(d.day * 86400, 'unixepoch'))"
        ))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let day = Day(row.get(0)?);
            breach(
                tell,
                format!("{table} has sums of {day}, which is not in the calendar: no question finds them"),
            );
        }
    }
    Ok(())
}
