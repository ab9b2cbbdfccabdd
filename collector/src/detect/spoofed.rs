//! Attacks whose sources are forged at random, by the answers that reach the sensors.
//!
//! The rule is that of CAIDA (Moore and others, "Inferring Internet Denial-of-Service Activity", and corsaro's plugin
//! `dos`): packets of one victim and protocol, without a pause longer than the silence, are one attack; it is told where
//! it has enough packets, lasts long enough, and has a minute with enough packets.

use std::collections::BTreeMap;

use super::Finding;
use crate::store::{Period, Reader, StoreError, VictimFlow, utc};

const SECOND: u64 = 1_000_000_000;
/// The step by which the minute slides.
const SLOT: u64 = 10 * SECOND;
/// Slots of a minute.
const MINUTE: u64 = 6;
/// Ports that are told.
const MOST_PORTS: usize = 5;

/// When an attack is told. The defaults suit a /8: with few addresses, few answers of an attack come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::Args)]
pub struct SpoofedSettings {
    /// Packets of an attack, at least.
    #[arg(long = "dos-packets", value_name = "N", default_value_t = 25)]
    pub packets: u64,
    /// How long it lasts, at least.
    #[arg(long = "dos-seconds", value_name = "SECONDS", default_value_t = 60)]
    pub seconds: u64,
    /// Packets in its busiest minute, at least.
    #[arg(long = "dos-minute-packets", value_name = "N", default_value_t = 30)]
    pub minute_packets: u64,
    /// Silence that ends it.
    #[arg(long = "dos-silence", value_name = "SECONDS", default_value_t = 300)]
    pub silence: u64,
}

impl SpoofedSettings {
    /// # Errors
    /// Where they cannot be meant.
    pub const fn check(&self) -> Result<(), &'static str> {
        if self.silence == 0 || self.silence > 86_400 || self.seconds > 86_400 {
            return Err("--dos-silence is from 1 to 86400 seconds, and --dos-seconds at most 86400");
        }
        Ok(())
    }
}

/// Packets of one victim and protocol without a long pause.
struct Attack {
    of: VictimFlow,
    first: u64,
    last: u64,
    packets: u64,
    /// Packets by ten seconds since the Unix epoch.
    slots: BTreeMap<u64, u64>,
    ports: BTreeMap<u16, u64>,
}

impl Attack {
    fn new(flow: &VictimFlow) -> Self {
        Self {
            of: *flow,
            first: flow.first_seen,
            last: flow.first_seen,
            packets: 0,
            slots: BTreeMap::new(),
            ports: BTreeMap::new(),
        }
    }

    fn add(&mut self, flow: &VictimFlow) {
        self.last = self.last.max(flow.last_seen);
        self.packets = self.packets.saturating_add(flow.packets);
        if let Some(port) = flow.port {
            let packets = self.ports.entry(port).or_default();
            *packets = packets.saturating_add(flow.packets);
        }
        spread(flow, |slot, packets| {
            let sum = self.slots.entry(slot).or_default();
            *sum = sum.saturating_add(packets);
        });
    }

    /// Packets in the busiest minute that begins with a slot.
    fn most_in_a_minute(&self) -> u64 {
        let minute = |slot: u64| {
            let packets = self.slots.range(slot..slot.saturating_add(MINUTE)).map(|(_, packets)| *packets);
            packets.fold(0, u64::saturating_add)
        };
        self.slots.keys().map(|slot| minute(*slot)).max().unwrap_or(0)
    }

    fn finding(self, settings: &SpoofedSettings) -> Option<Finding> {
        let lasting = self.last - self.first;
        let most_in_a_minute = self.most_in_a_minute();
        let is_attack = self.packets >= settings.packets
            && lasting >= settings.seconds * SECOND
            && most_in_a_minute >= settings.minute_packets;
        is_attack.then(|| {
            let mut ports: Vec<(u16, u64)> = self.ports.into_iter().collect();
            ports.sort_by(|(one, a), (other, b)| b.cmp(a).then(one.cmp(other)));
            Finding::SpoofedDos {
                victim: self.of.victim,
                protocol: self.of.protocol,
                first_seen: utc(self.first),
                last_seen: utc(self.last),
                seconds: lasting as f64 / SECOND as f64,
                packets: self.packets,
                most_in_a_minute,
                ports: ports.into_iter().take(MOST_PORTS).map(|(port, _)| port).collect(),
            }
        })
    }
}

/// Tells the packets of a flow by slots: the first when it was seen first, the last when it was seen last, the others
/// evenly between, for a flow does not say when they came. It lies within an interval, whose length bounds the error.
fn spread(flow: &VictimFlow, mut tell: impl FnMut(u64, u64)) {
    let VictimFlow { packets, first_seen: first, last_seen: last, .. } = *flow;
    let (first_slot, last_slot) = (first / SLOT, last / SLOT);
    if packets < 2 || first_slot == last_slot {
        return tell(first_slot, packets);
    }
    // Packet k comes at first + k · (last - first) / (packets - 1): so many come before a moment.
    let before = |moment: u64| {
        let passed = u128::from(moment.saturating_sub(first)) * u128::from(packets - 1);
        u64::try_from(passed.div_ceil(u128::from(last - first))).unwrap_or(packets).min(packets)
    };
    if packets <= last_slot - first_slot {
        // A long interval has more slots than such a flow has packets.
        let (long, steps) = (u128::from(last - first), u128::from(packets - 1));
        for packet in 0..packets {
            let after = u64::try_from(u128::from(packet) * long / steps).unwrap_or(last - first);
            tell((first + after) / SLOT, 1);
        }
        return;
    }
    let mut told = 0;
    for slot in first_slot..last_slot {
        let until = before((slot + 1) * SLOT);
        if until > told {
            tell(slot, until - told);
            told = until;
        }
    }
    tell(last_slot, packets - told);
}

/// The attacks of a period, by victim.
///
/// # Errors
/// Where the store cannot be read.
pub fn find(
    reader: &dyn Reader,
    period: Period,
    settings: &SpoofedSettings,
) -> Result<Vec<Finding>, StoreError> {
    let mut found = Vec::new();
    let mut under_way: Option<Attack> = None;
    reader.victim_flows(period, &mut |flow| {
        let goes_on = under_way.as_ref().is_some_and(|attack| {
            (attack.of.victim, attack.of.protocol) == (flow.victim, flow.protocol)
                && flow.first_seen <= attack.last.saturating_add(settings.silence * SECOND)
        });
        if !goes_on {
            let over = under_way.replace(Attack::new(flow));
            found.extend(over.and_then(|attack| attack.finding(settings)));
        }
        if let Some(attack) = &mut under_way {
            attack.add(flow);
        }
        Ok(())
    })?;
    found.extend(under_way.and_then(|attack| attack.finding(settings)));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn flow(packets: u64, first: u64, last: u64) -> VictimFlow {
        let victim = "192.0.2.1".parse().unwrap();
        VictimFlow { victim, protocol: 6, port: Some(443), packets, first_seen: first, last_seen: last }
    }

    fn slots(flow: &VictimFlow) -> Vec<(u64, u64)> {
        let mut told = Vec::new();
        spread(flow, |slot, packets| told.push((slot, packets)));
        told
    }

    #[test]
    fn packets_are_spread_over_their_flow() {
        assert_eq!(slots(&flow(7, 5 * SECOND, 9 * SECOND)), [(0, 7)]);
        assert_eq!(slots(&flow(1, 5 * SECOND, 30 * SECOND)), [(0, 1)]);
        assert_eq!(slots(&flow(2, 0, 30 * SECOND)), [(0, 1), (3, 1)]);
        assert_eq!(slots(&flow(4, 0, 30 * SECOND)), [(0, 1), (1, 1), (2, 1), (3, 1)]);
        assert_eq!(slots(&flow(61, 0, 60 * SECOND))[..2], [(0, 10), (1, 10)]);
    }

    #[test]
    fn a_long_flow_takes_as_many_steps_as_it_has_packets() {
        let year = 365 * 86_400 * SECOND;
        let told = slots(&flow(3, 0, year));
        assert_eq!(told, [(0, 1), (year / 2 / SLOT, 1), (year / SLOT, 1)]);
        assert_eq!(slots(&flow(1_000, 0, 4_000 * (year / 365))).len(), 1_000);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn no_packet_is_lost(packets in 0_u64..1_000_000, first in 0_u64..10_000_000_000_000, long in 0_u64..3_600_000_000_000) {
            let flow = flow(packets, first, first + long);
            let told = slots(&flow);
            prop_assert_eq!(told.iter().map(|(_, packets)| packets).sum::<u64>(), packets);
            prop_assert!(told.is_sorted_by_key(|(slot, _)| *slot));
            let is_within = told.iter().all(|(slot, _)| (first / SLOT..=(first + long) / SLOT).contains(slot));
            prop_assert!(is_within);
        }
    }
}
