//! What a description may not say, although each of its keys can be read.

use std::collections::BTreeSet;
use std::ops::Range;

use toml::Spanned;

use super::model::{Description, Down, Region, Traffic};
use super::{Class, Signature};
use crate::registry;

/// What is wrong, and where in the text.
#[derive(Debug)]
pub struct Fault {
    pub span: Option<Range<usize>>,
    pub what: String,
}

/// The first contradiction.
///
/// # Errors
/// Where there is one.
pub fn check(description: &Description) -> Result<(), Fault> {
    let Description {
        quarter, home, sensors, published, background, traffic, groups, findings, unusual, ..
    } = description;
    if sensors.is_empty() || traffic.is_empty() || findings.is_empty() {
        return Err(Fault { span: None, what: "sensors, traffic and findings are needed".into() });
    }
    if let Some(region) = home.iter().find(|region| registry::of(region).is_none()) {
        return Err(Fault { span: None, what: unknown_region(region) });
    }
    unique("sensor", sensors.iter().map(|sensor| (sensor.span(), &sensor.get_ref().name)))?;
    unique("traffic", traffic.iter().map(|one| (one.span(), &one.get_ref().name)))?;
    unique("group", groups.iter().map(|group| (group.span(), &group.get_ref().name)))?;
    for sensor in sensors {
        for Down { from, to } in &sensor.get_ref().down {
            let is_inside = quarter.previous_first() <= *from && from < to && *to <= quarter.end();
            ensure(is_inside, sensor.span(), || {
                format!("{from} to {to} is not in {quarter}, nor in the one before")
            })?;
        }
    }
    ranks_are_unique(published.ports.span(), published.ports.get_ref().iter().map(|row| row.previous))?;
    ranks_are_unique(published.regions.span(), published.regions.get_ref().iter().map(|row| row.previous))?;
    regions_are_known(background.keys())?;
    for stream in traffic {
        check_traffic(stream, description)?;
    }
    for group in groups {
        check_group(group, traffic)?;
    }
    for finding in findings {
        let one = finding.get_ref();
        let has_bounds = one.at_least.is_some() || one.at_most.is_some();
        ensure(one.is.is_some() != has_bounds, finding.span(), || {
            format!("'{}': say what it 'is', or 'at_least' and 'at_most'", one.what)
        })?;
        ensure(one.fact.starts_with('/'), finding.span(), || {
            format!("'{}' is no JSON pointer: write /growth", one.fact)
        })?;
    }
    if unusual.is_empty() {
        return Err(Fault { span: None, what: "an [[unusual]] is needed: what detect has to find".into() });
    }
    for unusual in unusual {
        let one = unusual.get_ref();
        ensure(one.has.contains_key("kind"), unusual.span(), || {
            format!("'{}': say of which 'kind' it is, as detect --json does", one.what)
        })?;
        ensure(!one.at_least.is_empty() || !one.at_most.is_empty(), unusual.span(), || {
            format!("'{}': say how far it is from what is usual, by at_least or at_most of a score", one.what)
        })?;
    }
    Ok(())
}

fn check_traffic(stream: &Spanned<Traffic>, description: &Description) -> Result<(), Fault> {
    let Traffic {
        ports, class, packets, previous, regions, sources, signature, window, group, changes, ..
    } = stream.get_ref();
    let at = |what: &str| Fault {
        span: Some(stream.span()),
        what: format!("'{}': {what}", stream.get_ref().name),
    };
    let is_count = |packets: f64| (0.0..=100_000.0).contains(&packets);
    if !is_count(*packets) || !previous.is_none_or(is_count) {
        return Err(at("packets are 0 to 100000 of each sensor on each day"));
    }
    if *sources == 0 || *sources > 256 {
        return Err(at("sources are 1 to 256"));
    }
    let distinct: BTreeSet<_> = ports.iter().collect();
    if ports.is_empty() || distinct.len() < ports.len() {
        return Err(at("ports are needed, each once"));
    }
    let is_tcp = ports.iter().all(|port| port.is_tcp());
    let has_marks = *signature != Signature::None || window.is_some();
    if has_marks && !(is_tcp && *class == Class::Scan) || class.is_backscatter() && !is_tcp {
        return Err(at("signatures and windows are those of TCP scans, and backscatter is TCP's"));
    }
    if group.is_some() && *sources > registry::GROUP_ADDRESSES {
        return Err(at("a group has no more than 200 addresses in a region"));
    }
    regions_are_known(regions.iter().flat_map(|regions| regions.keys()))?;
    let parts = regions.as_ref().unwrap_or(&description.background);
    if parts.values().any(|part| !(0.0..=1e6).contains(part)) || parts.values().sum::<f64>() <= 0.0 {
        return Err(at("the parts of regions are numbers from 0 on, of which one at least is more"));
    }
    for change in changes {
        let (from, quarter) = (*change.from.get_ref(), description.quarter);
        let is_in_it = quarter.contains(from) && change.to.is_none_or(|to| from < to);
        ensure(is_in_it, change.from.span(), || format!("a change from {from} is none in {quarter}"))?;
        if !(0.0..=100.0).contains(&change.times) {
            return Err(at("a change is 0 to 100 times"));
        }
        let unknown = |region: &&Region| !parts.keys().any(|known| known.get_ref() == *region);
        if let Some(region) = change.regions.iter().flatten().find(unknown) {
            return Err(at(&format!("it changes in {region}, from where nothing comes")));
        }
    }
    let Some(group) = group else { return Ok(()) };
    let is_one = |known: &&Spanned<super::Group>| {
        known.get_ref().name == *group.get_ref() && known.get_ref().sources_of.is_none()
    };
    let known = description.groups.iter().find(is_one);
    ensure(known.is_some(), group.span(), || format!("'{}' is no group of prefixes", group.get_ref()))
}

fn check_group(group: &Spanned<super::Group>, traffic: &[Spanned<Traffic>]) -> Result<(), Fault> {
    let one = group.get_ref();
    let Some(stream) = &one.sources_of else {
        let is_used = |stream: &Spanned<Traffic>| {
            stream.get_ref().group.as_ref().is_some_and(|name| *name.get_ref() == one.name)
        };
        return ensure(traffic.iter().any(is_used), group.span(), || {
            format!("no traffic comes from '{}'", one.name)
        });
    };
    let is_known = traffic.iter().any(|known| known.get_ref().name == *stream.get_ref());
    ensure(is_known, stream.span(), || format!("no traffic is called '{}'", stream.get_ref()))?;
    let has_both = one.share > 0.0 && one.share <= 1.0 && one.others <= 10_000;
    ensure(has_both, group.span(), || "'share' is more than 0 up to 1, 'others' at most 10000".into())
}

fn regions_are_known<'a>(regions: impl Iterator<Item = &'a Spanned<Region>>) -> Result<(), Fault> {
    for region in regions {
        ensure(registry::of(region.get_ref()).is_some(), region.span(), || unknown_region(region.get_ref()))?;
    }
    Ok(())
}

fn unknown_region(region: &str) -> String {
    format!("'{region}' is no region that has addresses here; there are {}", registry::known().join(", "))
}

fn ranks_are_unique(span: Range<usize>, ranks: impl Iterator<Item = Option<u32>>) -> Result<(), Fault> {
    let mut seen = BTreeSet::new();
    for rank in ranks.flatten() {
        let is_new = (1..=10).contains(&rank) && seen.insert(rank);
        ensure(is_new, span.clone(), || format!("previous rank {rank}: each is 1 to 10, and there once"))?;
    }
    Ok(())
}

fn unique<'a>(kind: &str, names: impl Iterator<Item = (Range<usize>, &'a String)>) -> Result<(), Fault> {
    let mut seen = BTreeSet::new();
    for (span, name) in names {
        ensure(!name.is_empty() && seen.insert(name), span, || {
            format!("{kind} '{name}' is there twice, or empty")
        })?;
    }
    Ok(())
}

fn ensure(holds: bool, span: Range<usize>, what: impl FnOnce() -> String) -> Result<(), Fault> {
    if holds { Ok(()) } else { Err(Fault { span: Some(span), what: what() }) }
}
