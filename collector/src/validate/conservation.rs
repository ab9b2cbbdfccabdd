//! An interval's header, counters and flows, held against each other.

use std::ops::RangeInclusive;

use sensor_ebpf::abi::CpuCounters;
use wire::conservation::breaches;
use wire::dimension::add_to;
use wire::law::{Digests, Sums};
use wire::totals::Totals;
use wire::{Batch, Counted, Counter, FlowsHeader, Header, Row};

use super::Fault;

/// What a figure comes to at most: numbers up to it are exact as floating-point ones, and sums of many of them fit into 64
/// bits. A sensor that sees a hundred million packets a second has as many in three years.
const MOST: u64 = 1 << 53;
/// Bytes of an IP packet at most: of IPv6, whose length is told without its header of 40 (RFC 8200, section 3).
const LONGEST_PACKET: u64 = 65_535 + 40;
/// Bytes of the agent's version.
const LONGEST_VERSION: usize = 256;

/// Holds the header against itself.
pub fn check_header(header: &Header) -> Result<(), Fault> {
    let &Header { first, last, digests, flows, .. } = header;
    let fault = |what: String| Err(Fault::Header(what));
    if first == 0 || last < first {
        return fault(format!("sequences {first} to {last}, which begin at 1 and do not go back"));
    }
    if header.program_version.len() > LONGEST_VERSION {
        return fault(format!("a program version of {} bytes", header.program_version.len()));
    }
    // They go as they are into tables and onto terminals.
    let mut words = header.breaches.iter().chain([&header.program_version]);
    if let Some(word) = words.find(|word| word.contains(wire::is_hidden)) {
        return fault(format!("words with a character of control, {:?}", wire::excerpt(word)));
    }
    let figures = [
        ("observed IPv4 addresses", header.observed_ipv4),
        ("digests that waited in a ring", header.ring_most_waiting),
        ("digests that a ring holds", header.ring_records),
    ];
    let of_flows = flows.map(|flows| {
        [
            ("flows", flows.rows),
            ("packets in flows", flows.packets),
            ("flows of many sources", flows.overflow_rows),
            ("packets in flows of many sources", flows.overflow_packets),
        ]
    });
    let of_digests = digests.iter().flat_map(Digests::figures).map(|figure| ("digests of a kind", figure));
    let all = figures.into_iter().chain(of_flows.into_iter().flatten()).chain(of_digests);
    if let Some((name, figure)) = all.into_iter().find(|(_, figure)| *figure > MOST) {
        return fault(format!("{figure} {name}, at most {MOST} are taken"));
    }
    if flows.is_some() != digests.is_some() {
        return fault("flows without digests, or digests without flows".into());
    }
    match flows {
        Some(flows) if flows.all_packets() < flows.all_rows() => {
            fault(format!("{} flows of {} packets", flows.all_rows(), flows.all_packets()))
        }
        _ => Ok(()),
    }
}

/// Holds counters against the laws, and digests and flows against the counters. An interval that says itself that it
/// breaks laws may do so.
pub fn check(batch: &Batch, times: RangeInclusive<u64>) -> Result<(), Fault> {
    let header = &batch.header;
    if let Some(Counter { dimension, key, packets }) =
        batch.counters.iter().find(|counter| counter.packets > MOST)
    {
        let name = dimension.name();
        return Err(Fault::Header(format!(
            "counter {name} of key {key} is {packets}, at most {MOST} is taken"
        )));
    }
    let mut counted = Totals::default();
    add_to(&mut counted, &batch.counters, &header.watched_windows)
        .map_err(|error| Fault::Malformed(error.into()))?;
    let admits = !header.breaches.is_empty();
    if !admits {
        if let Some(breach) = breaches(&counted).into_iter().next() {
            return Err(breach.into());
        }
        if let (Some(digests), Some(flows)) = (&header.digests, &header.flows) {
            check_digests(digests, flows, &counted)?;
        }
    }
    if !batch.has_flows() {
        return Ok(());
    }
    let Some(said) = header.flows else {
        return Err(Fault::Flows("flows, where the header says that there are none".into()));
    };
    let (sums, found) = sum_flows(batch, said, times)?;
    let figures =
        |flows: FlowsHeader| [flows.rows, flows.packets, flows.overflow_rows, flows.overflow_packets];
    let names = ["flows", "packets in flows", "flows of many sources", "packets in flows of many sources"];
    let differ =
        figures(said).into_iter().zip(figures(found)).zip(names).find(|((said, found), _)| said != found);
    if let Some(((said, found), name)) = differ {
        return Err(Fault::Flows(format!("{found} {name}, and the header says {said}")));
    }
    match sums.breaches(&counted, said.key, header.missing()).into_iter().next() {
        Some(breach) if !admits => Err(Fault::Flows(breach.to_string())),
        _ => Ok(()),
    }
}

/// Holds what became of the digests against the counters.
fn check_digests(digests: &Digests, flows: &FlowsHeader, counted: &CpuCounters) -> Result<(), Fault> {
    let said = [digests.written.ipv4, digests.written.ipv6, digests.lost.ipv4, digests.lost.ipv6];
    let [written, lost] = [counted.digests, counted.digests_lost];
    if said != [written[0], written[1], lost[0], lost[1]] {
        return Err(Fault::Flows(format!(
            "digests written {:?} and lost {:?}, and the counters say {written:?} and {lost:?}",
            &said[..2],
            &said[2..]
        )));
    }
    let sum = |figures: &[u64]| figures.iter().map(|figure| u128::from(*figure)).sum::<u128>();
    let observed = sum(&counted.ip_protocols);
    let digested = sum(&written) + sum(&lost) + u128::from(digests.off);
    if observed != digested {
        return Err(Fault::Flows(format!(
            "{observed} observed packets, of which {digested} became digests, lost their digests or had none"
        )));
    }
    let unread = [digests.unread.ipv4, digests.unread.ipv6];
    let placed =
        sum(&lost) + sum(&unread) + u128::from(digests.off) + sum(&[flows.packets, flows.overflow_packets]);
    if observed != placed || unread[0] > written[0] || unread[1] > written[1] {
        return Err(Fault::Flows(format!(
            "{observed} observed packets, and {placed} that are in flows or missing from them"
        )));
    }
    Ok(())
}

/// What a flow has more of than its packets can have.
fn excess(row: &Row) -> Option<String> {
    let &Row { packets, bytes, targets, targets_counted, .. } = row;
    let most_bytes = packets.saturating_mul(LONGEST_PACKET);
    // An estimate may be above what it estimates.
    let most_targets = if targets_counted == Counted::Estimated { MOST } else { packets.max(1) };
    if packets > MOST {
        Some(format!("a flow of {packets} packets, at most {MOST} are taken"))
    } else if bytes > most_bytes {
        Some(format!("a flow of {packets} packets with {bytes} bytes, which have at most {most_bytes}"))
    } else if targets > most_targets {
        Some(format!(
            "a flow of {packets} packets to {targets} addresses, which go to at most {most_targets}"
        ))
    } else {
        None
    }
}

/// What the flows come to.
fn sum_flows(
    batch: &Batch,
    said: FlowsHeader,
    times: RangeInclusive<u64>,
) -> Result<(Sums, FlowsHeader), Fault> {
    let mut sums = Sums::default();
    let mut found = FlowsHeader { key: said.key, ..FlowsHeader::default() };
    for rows in batch.flows() {
        for row in rows.map_err(Fault::Malformed)?.iter() {
            if !times.contains(&row.first_seen) || !times.contains(&row.last_seen) {
                return Err(Fault::Time(format!(
                    "a flow from {} to {}, and the interval is from {} to {}",
                    super::time::show(row.first_seen),
                    super::time::show(row.last_seen),
                    super::time::show(batch.header.start),
                    super::time::show(batch.header.end),
                )));
            }
            if let Some(what) = excess(&row) {
                return Err(Fault::Flows(what));
            }
            sums.add(&row);
            let (rows, packets) = if row.overflow {
                (&mut found.overflow_rows, &mut found.overflow_packets)
            } else {
                (&mut found.rows, &mut found.packets)
            };
            *rows += 1;
            *packets = packets.saturating_add(row.packets);
        }
    }
    Ok((sums, found))
}
