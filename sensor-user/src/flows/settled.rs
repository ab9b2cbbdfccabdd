//! An interval's flows, held against its counts by the laws of [`wire::law`].

use sensor_ebpf::abi::CpuCounters;
use wire::conservation::Breach;
use wire::law::{Digests, Since, Sums};

use super::{Flows, Summary};

/// An interval's flows, held against its counts.
pub struct Settled {
    pub digests: Digests,
    pub flows: Summary,
    pub breaches: Vec<Breach>,
}

impl Settled {
    /// Holds the flows of an interval against its counts.
    #[must_use]
    pub fn new(flows: &Flows, counted: &CpuCounters, since: Since) -> Self {
        let summary = flows.summary();
        let (digests, breaches) = match Digests::account(counted, flows.digests, since) {
            Ok(digests) => (digests, breaches(flows, &summary, counted, digests.missing())),
            Err(breach) => {
                let (written, lost) = (counted.digests.into(), counted.digests_lost.into());
                (Digests { written, lost, ..Digests::default() }, vec![breach])
            }
        };
        Self { digests, flows: summary, breaches }
    }
}

/// Every law that flows and counters of one interval break.
fn breaches(flows: &Flows, summary: &Summary, counted: &CpuCounters, missing: u64) -> Vec<Breach> {
    let (left_sum, right_sum) = (summary.packets + summary.overflow_packets, flows.digests.iter().sum());
    let in_flows = Breach { left: "packets in flows", left_sum, right: "digests read", right_sum };
    let mut sums = Sums::default();
    flows.for_each_without_targets(|row| sums.add(&row));
    let mut breaches = sums.breaches(counted, flows.key(), missing);
    if left_sum != right_sum {
        breaches.insert(0, in_flows);
    }
    breaches
}
