//! `group_share` and `group_overlap`: the operator's lists of addresses.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use super::Expected;
use super::sections::{Asked, as_f64, count, word};
use super::values::Days;
use crate::description::Service;
use crate::operator;
use crate::plan::{Packet, Plan};
use crate::published::{is_scan, text};

/// How much of a region's packets comes from a group's prefixes, by day in per cent, and in all.
pub fn share(plan: &Plan, asked: &Asked, region: Option<String>) -> Result<Expected, String> {
    let group = word(&asked.settings, "group").ok_or("a group is needed")?;
    let is_in =
        |packet: &Packet| plan.stream(packet).group.as_ref().is_some_and(|name| *name.get_ref() == group);
    let is_one = |packet: &Packet| {
        is_scan(plan, packet) && region.as_ref().is_none_or(|region| *region == text(packet.region))
    };
    let days = Days::new(plan);
    let all = days.counts(is_one);
    let inside = days.counts(|packet| is_one(packet) && is_in(packet));
    let share = |inside: u64, all: u64| (all > 0).then(|| as_f64(inside) / as_f64(all));
    let by_day = inside.iter().zip(&all).map(|(inside, all)| share(*inside, *all).map(per_cent));
    let (part, whole) = (inside.iter().sum::<u64>(), all.iter().sum::<u64>());
    let facts = vec![
        ("/group_packets".into(), as_f64(part)),
        ("/packets".into(), as_f64(whole)),
        ("/share".into(), share(part, whole).unwrap_or(0.0)),
    ];
    Ok(Expected { series: vec![(0, "share".into(), by_day.collect())], facts, ..Expected::default() })
}

/// How many of a port's sources are in a list.
pub fn overlap(plan: &Plan, asked: &Asked, port: Option<Service>) -> Result<Expected, String> {
    let name = word(&asked.settings, "group").ok_or("a group is needed")?;
    let group = plan.description.groups.iter().find(|group| group.get_ref().name == name);
    let group = group.ok_or("there is no such group")?.get_ref();
    let stream = group.sources_of.as_ref().ok_or("that group has no single addresses")?;
    let listed = operator::members(plan, group, stream.get_ref());
    let is_one = |packet: &&Packet| {
        plan.is_now(packet) && is_scan(plan, packet) && port.is_none_or(|port| port == packet.port)
    };
    let sources: BTreeSet<Ipv4Addr> =
        plan.packets.iter().filter(is_one).map(|packet| packet.source.into()).collect();
    let both = sources.intersection(&listed).count();
    let facts = vec![
        ("/sources".into(), count(sources.len())),
        ("/listed".into(), count(both)),
        ("/share".into(), count(both) / count(sources.len())),
    ];
    Ok(Expected { facts, ..Expected::default() })
}

/// As reports have it: of a share that is rounded to six decimals.
fn per_cent(share: f64) -> f64 {
    (share * 1e6).round() / 1e4
}
