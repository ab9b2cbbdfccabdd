//! The kinds of sections that descriptions ask for.

use std::collections::BTreeSet;

use toml::Table;

use super::values::{Days, mean};
use super::{Expected, ExpectedSeries, backscatter, groups, signatures};
use crate::description::{Class, Description, Service};
use crate::plan::{Packet, Plan};
use crate::published::text;

/// A section that is asked for.
pub struct Asked {
    pub id: String,
    kind: String,
    pub settings: Table,
}

/// The description's sections.
pub fn asked(description: &Description) -> Vec<Asked> {
    let tables = description.report.get("section").and_then(toml::Value::as_array);
    let tables = tables.into_iter().flatten().filter_map(toml::Value::as_table);
    tables
        .map(|settings| {
            let word = |key| word(settings, key).unwrap_or_default();
            Asked { id: word("id"), kind: word("kind"), settings: settings.clone() }
        })
        .collect()
}

/// A setting that is text.
pub fn word(settings: &Table, key: &str) -> Option<String> {
    Some(settings.get(key)?.as_str()?.to_owned())
}

/// What a section has to have.
///
/// # Errors
/// Where its kind is not known here, or its settings make no sense.
pub fn expected(plan: &Plan, asked: &Asked) -> Result<Expected, String> {
    let port = word(&asked.settings, "port").map(|port| port.parse::<Service>()).transpose()?;
    let region = word(&asked.settings, "region");
    let need_port = || port.ok_or_else(|| "a port is needed".to_owned());
    match asked.kind.as_str() {
        "port_by_region" => Ok(port_by_region(plan, need_port()?)),
        "growth" => Ok(growth(plan, need_port()?)),
        "sources" => Ok(sources(plan, need_port()?, region)),
        "region_days" => Ok(region_days(plan, &region.ok_or("a region is needed")?)),
        "group_share" => groups::share(plan, asked, region),
        "group_overlap" => groups::overlap(plan, asked, port),
        "signature_split" => signatures::split(plan, asked, need_port()?),
        "backscatter" => Ok(backscatter::expected(plan)),
        kind => Err(format!("a section of kind '{kind}' is not compared here")),
    }
}

pub fn is_scan_of(plan: &Plan, packet: &Packet, port: Service) -> bool {
    packet.port == port && plan.stream(packet).class == Class::Scan
}

/// How a series of a port is called.
fn id(port: Service) -> String {
    port.to_string().to_ascii_lowercase().replace('/', "-")
}

fn port_by_region(plan: &Plan, port: Service) -> Expected {
    let days = Days::new(plan);
    let is_one = |packet: &Packet| is_scan_of(plan, packet, port);
    let facts = vec![
        ("/packets_per_sensor_per_day".into(), mean(&days.packets(is_one))),
        ("/previous_packets_per_sensor_per_day".into(), mean(&Days::previous(plan).packets(is_one))),
    ];
    Expected { series: stack(plan, is_one, |is_one| days.packets(is_one)), facts, ..Expected::default() }
}

/// Regions that a section tells apart unless asked for others.
const REGIONS: usize = 5;

/// The series of a stack by region: those with the most, and all others as one. `values` gives the days of those packets
/// for which its argument holds.
pub fn stack(
    plan: &Plan,
    is_one: impl Fn(&Packet) -> bool,
    values: impl Fn(&dyn Fn(&Packet) -> bool) -> Vec<Option<f64>>,
) -> Vec<ExpectedSeries> {
    let of_quarter = plan.packets.iter().filter(|packet| plan.is_now(packet) && is_one(packet));
    let regions: BTreeSet<[u8; 2]> = of_quarter.map(|packet| packet.region).collect();
    let of = |region: [u8; 2]| (region, values(&|packet| packet.region == region && is_one(packet)));
    let mut by_region: Vec<([u8; 2], Vec<Option<f64>>)> = regions.into_iter().map(of).collect();
    by_region.sort_by(|(one, a), (other, b)| mean(b).total_cmp(&mean(a)).then(one.cmp(other)));
    let others = by_region.split_off(REGIONS.min(by_region.len()));
    let top: BTreeSet<[u8; 2]> = by_region.iter().map(|(region, _)| *region).collect();
    let mut series: Vec<ExpectedSeries> =
        by_region.into_iter().map(|(region, days)| (0, text(region).to_ascii_lowercase(), days)).collect();
    if !others.is_empty() {
        let is_other = |packet: &Packet| !top.contains(&packet.region) && is_one(packet);
        series.push((0, "others".into(), values(&is_other)));
    }
    series
}

fn growth(plan: &Plan, port: Service) -> Expected {
    let is_one = |packet: &Packet| is_scan_of(plan, packet, port);
    let now = Days::new(plan).packets(is_one);
    let before = mean(&Days::previous(plan).packets(is_one));
    let facts = vec![
        ("/packets_per_sensor_per_day".into(), mean(&now)),
        ("/previous_packets_per_sensor_per_day".into(), before),
        ("/growth".into(), mean(&now) / before),
    ];
    Expected { series: vec![(0, id(port), now)], facts, ..Expected::default() }
}

fn sources(plan: &Plan, port: Service, region: Option<String>) -> Expected {
    let is_one = |packet: &Packet| {
        is_scan_of(plan, packet, port) && region.as_ref().is_none_or(|region| *region == text(packet.region))
    };
    let values = Days::new(plan).sources(is_one);
    let all: BTreeSet<u32> = plan
        .packets
        .iter()
        .filter(|packet| plan.is_now(packet) && is_one(packet))
        .map(|packet| packet.source)
        .collect();
    let facts = vec![("/sources_per_day".into(), mean(&values)), ("/sources".into(), count(all.len()))];
    Expected { series: vec![(0, id(port), values)], facts, ..Expected::default() }
}

fn region_days(plan: &Plan, region: &str) -> Expected {
    let is_one = |packet: &Packet| text(packet.region) == region && crate::published::is_scan(plan, packet);
    let values = Days::new(plan).packets(is_one);
    let facts = vec![("/packets_per_sensor_per_day".into(), mean(&values))];
    Expected { series: vec![(0, region.to_ascii_lowercase(), values)], facts, ..Expected::default() }
}

pub fn as_f64(number: u64) -> f64 {
    number as f64
}

pub fn count(number: usize) -> f64 {
    as_f64(number as u64)
}
