//! An interval as the batch that is kept and shipped.

use std::ops::RangeInclusive;

use bytes::Bytes;
use sensor_ebpf::abi::{ABI_VERSION, CpuCounters, Ipv4Range, SIGNATURES_VERSION};
use wire::law::Digests;
use wire::{FlowsEncoder, FlowsHeader, Header, Row, WireError, dimension};

use crate::config::Settings;
use crate::conservation::Breach;
use crate::flows::{Flows, Summary};
use crate::interval::RingFill;
use crate::spool::Interval;

/// What an interval's batch is made of.
pub struct Facts<'a> {
    pub settings: &'a Settings,
    /// When the counters began at zero; this and the span in nanoseconds since the Unix epoch.
    pub epoch: u64,
    pub sequence: u64,
    pub span: RangeInclusive<u64>,
    /// By how many nanoseconds the clock was set besides what passed.
    pub clock_step: i64,
    pub breaches: &'a [Breach],
    /// Where digests are on: what became of them, and what the flows come to.
    pub digests: Option<Digests>,
    pub summary: Option<Summary>,
    pub rings: Option<RingFill>,
    pub counted: &'a CpuCounters,
    /// The windows behind the counters.
    pub watched_windows: &'a [u16],
    pub flows: Option<&'a Flows>,
}

impl Facts<'_> {
    /// The batch, in its two parts, as the spool takes it.
    ///
    /// # Errors
    /// Those of [`wire::counts`].
    pub fn batch(&self) -> Result<Interval, WireError> {
        let header = self.header();
        let counters = dimension::counters(self.counted, self.watched_windows);
        let sums = header.flows.unwrap_or_default();
        Ok(Interval {
            name: header.name(),
            end: header.end,
            counts: wire::counts(&header, &counters)?.into(),
            flows: self.flows.map(|flows| encode(flows, &self.span)).transpose()?,
            flow_rows: sums.all_rows(),
            flow_packets: sums.all_packets(),
        })
    }
}

/// A digest is stamped when it is read, which may be a moment after the interval's end; and the clock may have been set
/// back and forth in between. A flow is of its interval all the same.
fn encode(flows: &Flows, span: &RangeInclusive<u64>) -> Result<Bytes, WireError> {
    let mut encoder = FlowsEncoder::new()?;
    let mut pushed = Ok(());
    flows.for_each(|row| {
        if pushed.is_ok() {
            let first_seen = row.first_seen.clamp(*span.start(), *span.end());
            let last_seen = row.last_seen.clamp(first_seen, *span.end());
            pushed = encoder.push(&Row { first_seen, last_seen, ..row });
        }
    });
    pushed?;
    encoder.finish().map(Into::into)
}

impl Facts<'_> {
    fn header(&self) -> Header {
        let Self { settings, epoch, sequence, span, clock_step, breaches, digests, summary, rings, .. } =
            self;
        let rings = rings.unwrap_or_default();
        let flows = summary.map(|summary| {
            let Summary { rows, packets, overflow_rows, overflow_packets } = summary;
            FlowsHeader { key: settings.flow_key, rows, packets, overflow_rows, overflow_packets }
        });
        let addresses = |range: &Ipv4Range| u64::from(range.last - range.first) + 1;
        Header {
            sensor: settings.sensor.clone(),
            epoch: *epoch,
            first: *sequence,
            last: *sequence,
            start: *span.start(),
            end: *span.end(),
            clock_step: *clock_step,
            program_version: env!("CARGO_PKG_VERSION").into(),
            abi_version: ABI_VERSION,
            signatures_version: SIGNATURES_VERSION,
            observed_ipv4: settings.ranges.ipv4.iter().map(addresses).sum(),
            observed_ipv6_prefixes: u32::try_from(settings.ranges.ipv6.len()).unwrap_or(u32::MAX),
            watched_windows: self.watched_windows.to_vec(),
            breaches: breaches.iter().map(ToString::to_string).collect(),
            digests: *digests,
            flows,
            ring_most_waiting: rings.most_waiting,
            ring_records: rings.records,
        }
    }
}
