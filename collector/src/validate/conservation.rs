//! An interval's header, counters and flows, held against each other.

use std::ops::RangeInclusive;

use sensor_ebpf::abi::CpuCounters;
use wire::conservation::breaches;
use wire::dimension::add_to;
use wire::law::{Digests, Sums};
use wire::totals::Totals;
use wire::{Batch, FlowsHeader, Header};

use super::Fault;

/// Bytes of all that an interval says of its breaches.
const MOST_WORDS: usize = 4 << 20;
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
    let words: usize = header.breaches.iter().map(String::len).sum();
    if words > MOST_WORDS {
        return fault(format!("{words} bytes about breaches, at most {MOST_WORDS} are taken"));
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
