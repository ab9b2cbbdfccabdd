//! `backscatter`: who is under attack, from where, and when.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use super::Expected;
use super::sections::{as_f64, stack};
use super::values::{Days, mean};
use crate::plan::{Packet, Plan};

/// Victims that the table of victims by day has, unless asked for others.
const VICTIMS: usize = 20;

/// Sources by day and region; victims by day, by their whole addresses; and the ports under attack.
pub fn expected(plan: &Plan) -> Expected {
    let days = Days::new(plan);
    let is_one = |packet: &Packet| plan.stream(packet).class.is_backscatter();
    let mut expected =
        Expected { series: stack(plan, is_one, |is_one| days.sources(is_one)), ..Expected::default() };
    expected.facts.push(("/sources_per_day".into(), mean(&days.sources(is_one))));
    let of_quarter = || plan.packets.iter().filter(|packet| plan.is_now(packet) && is_one(packet));
    let packets = as_f64(of_quarter().count() as u64);
    expected.facts.push(("/packets".into(), packets));
    let mut ports: BTreeMap<u16, u64> = BTreeMap::new();
    let mut victims: BTreeMap<u32, u64> = BTreeMap::new();
    for packet in of_quarter() {
        *ports.entry(packet.port.port).or_default() += 1;
        *victims.entry(packet.source).or_default() += 1;
    }
    for (number, (port, count)) in most(ports).into_iter().enumerate() {
        expected.facts.push((format!("/ports/{number}/port"), port.into()));
        expected.facts.push((format!("/ports/{number}/share"), as_f64(count) / packets));
    }
    let sensors = days.sensors();
    for (victim, _) in most(victims).into_iter().take(VICTIMS) {
        let counts = days.counts(|packet| packet.source == victim && is_one(packet));
        let seen =
            counts.into_iter().zip(&sensors).map(|(count, sensors)| (*sensors > 0).then_some(as_f64(count)));
        expected.matrix.push((Ipv4Addr::from(victim).to_string(), seen.collect()));
    }
    expected
}

/// In the order of their counts; of those that are equal, in their own.
fn most<K: Ord + Copy>(counts: BTreeMap<K, u64>) -> Vec<(K, u64)> {
    let mut counts: Vec<(K, u64)> = counts.into_iter().collect();
    counts.sort_by(|(one, a), (other, b)| b.cmp(a).then(one.cmp(other)));
    counts
}
