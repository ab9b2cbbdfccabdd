//! Counts of intervals that follow each other, as those of one longer interval.

use bytes::Bytes;

use crate::batch::{Batch, Limits};
use crate::dimension::{add_to, counters};
use crate::encode::counts;
use crate::error::WireError;
use crate::header::{FlowsHeader, Header};
use crate::intervals::MOST_BREACHES;
use crate::law::Digests;
use crate::totals::Totals;

/// Merges the parts with the counts of several intervals. The flows are gone; what they came to stays in the header.
///
/// Gives nothing where the intervals cannot be one: they do not follow each other, or are not of one sensor with one
/// configuration.
///
/// # Errors
/// Where one of them cannot be read, or a sum is beyond what a counter holds.
pub fn merge(parts: &[Bytes]) -> Result<Option<Bytes>, WireError> {
    let batches =
        parts.iter().map(|part| Batch::read(part, &Limits::default())).collect::<Result<Vec<_>, _>>()?;
    let Some((first, rest)) = batches.split_first() else { return Ok(None) };
    let mut header = first.header.clone();
    let mut totals = Totals::default();
    add_to(&mut totals, &first.counters, &header.watched_windows)?;
    for batch in rest {
        let Some(longer) = join(&header, &batch.header) else { return Ok(None) };
        header = longer;
        add_to(&mut totals, &batch.counters, &header.watched_windows)?;
    }
    let merged = counters(&totals, &header.watched_windows);
    Ok(Some(counts(&header, &merged)?.into()))
}

/// The header of both together, where the second follows the first and has the same configuration.
fn join(first: &Header, second: &Header) -> Option<Header> {
    // Windows are only ever added, at the end, so that the later list holds for both.
    let windows = second.watched_windows.starts_with(&first.watched_windows);
    let merged = Header {
        last: second.last,
        end: second.end,
        clock_step: first.clock_step.saturating_add(second.clock_step),
        watched_windows: second.watched_windows.clone(),
        breaches: words(&first.breaches, &second.breaches),
        digests: match (first.digests, second.digests) {
            (Some(one), Some(other)) => Some(sum(&one, &other)),
            (None, None) => None,
            _ => return None,
        },
        flows: match (first.flows, second.flows) {
            (Some(one), Some(other)) if one.key == other.key => Some(FlowsHeader {
                key: one.key,
                rows: one.rows.saturating_add(other.rows),
                packets: one.packets.saturating_add(other.packets),
                overflow_rows: one.overflow_rows.saturating_add(other.overflow_rows),
                overflow_packets: one.overflow_packets.saturating_add(other.overflow_packets),
            }),
            (None, None) => None,
            _ => return None,
        },
        ring_most_waiting: first.ring_most_waiting.max(second.ring_most_waiting),
        ..first.clone()
    };
    // All that has not been added up has to be the same.
    let same = Header { first: second.first, start: second.start, ..merged.clone() };
    let expected = Header {
        clock_step: merged.clock_step,
        breaches: merged.breaches.clone(),
        digests: merged.digests,
        flows: merged.flows,
        ring_most_waiting: merged.ring_most_waiting,
        ..second.clone()
    };
    let follows = first.last.checked_add(1) == Some(second.first) && first.end <= second.start;
    (windows && follows && same == expected).then_some(merged)
}

fn sum(one: &Digests, other: &Digests) -> Digests {
    let (one, other) = (one.figures(), other.figures());
    Digests::from_figures(std::array::from_fn(|place| one[place].saturating_add(other[place])))
}

/// What stands for the words beyond those that there is room for.
const MORE: [&str; 2] = ["and ", " more broken laws"];

/// The words of both about broken laws, the first ones alone where there are too many, and how many more there were.
fn words(one: &[String], other: &[String]) -> Vec<String> {
    let untold =
        |word: &str| -> Option<u64> { word.strip_prefix(MORE[0])?.strip_suffix(MORE[1])?.parse().ok() };
    // Either may have been merged before.
    let mut more = 0_u64;
    let mut words = Vec::new();
    for word in one.iter().chain(other) {
        match untold(word) {
            Some(count) => more = more.saturating_add(count),
            None => words.push(word.clone()),
        }
    }
    if words.len() > MOST_BREACHES || (more > 0 && words.len() == MOST_BREACHES) {
        more = more.saturating_add((words.len() - (MOST_BREACHES - 1)) as u64);
        words.truncate(MOST_BREACHES - 1);
    }
    if more > 0 {
        words.push(format!("{}{more}{}", MORE[0], MORE[1]));
    }
    words
}
