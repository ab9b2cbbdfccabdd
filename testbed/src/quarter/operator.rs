//! What the operator of the collector has beside the traffic: configuration, names of ports, lists of addresses.

use std::collections::BTreeSet;
use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use toml::{Table, Value};

use crate::description::Group;
use crate::plan::Plan;
use crate::random::{Numbers, mixed};
use crate::registry;

/// Rows of IANA's registry, of the ports that quarters speak of.
const SERVICES: &str = include_str!("../../../tests/quarters/services.csv");
/// Addresses that no registry here gives to anybody, for those that no sensor ever saw.
const ELSEWHERE: u32 = 0xb900_0000;

/// Writes the collector's configuration and all that it names into `folder`, and gives the configuration's path.
///
/// # Errors
/// Where the file system is against it.
pub fn write(folder: &Path, plan: &Plan) -> Result<PathBuf> {
    let services = folder.join("services.csv");
    put(&services, SERVICES)?;
    let mut groups = Table::new();
    for (number, group) in plan.description.groups.iter().enumerate() {
        let group = group.get_ref();
        let path = folder.join(format!("group-{number}.txt"));
        put(&path, &list(plan, group))?;
        groups.insert(group.name.clone(), text(&path));
    }
    let names = plan.description.services.iter().map(|(port, name)| (port.clone(), name.clone().into()));
    let mut of_services = Table::new();
    of_services.insert("file".into(), text(&services));
    of_services.insert("names".into(), Value::Table(names.collect()));
    let home = plan.description.home.iter().map(|region| Value::from(region.as_str()));
    let mut settings = Table::new();
    settings.insert("home".into(), Value::Array(home.collect()));
    settings.insert("services".into(), Value::Table(of_services));
    settings.insert("groups".into(), Value::Table(groups));
    let path = folder.join("collector.toml");
    put(&path, &toml::to_string(&settings)?)?;
    Ok(path)
}

/// Writes what the report is asked for, and gives the file's path.
///
/// # Errors
/// Where the file system is against it.
pub fn write_sections(folder: &Path, plan: &Plan) -> Result<PathBuf> {
    let path = folder.join("sections.toml");
    put(&path, &toml::to_string(&plan.description.report)?)?;
    Ok(path)
}

fn text(path: &Path) -> Value {
    path.to_string_lossy().into_owned().into()
}

fn put(path: &Path, content: &str) -> Result<()> {
    fs::write(path, content).with_context(|| format!("cannot write {}", path.display()))
}

/// A list of prefixes and addresses, one on a line.
fn list(plan: &Plan, group: &Group) -> String {
    let mut lines = vec![format!("# {}", group.name)];
    match &group.sources_of {
        Some(stream) => {
            lines.extend(members(plan, group, stream.get_ref()).into_iter().map(|one| one.to_string()))
        }
        None => {
            let of_group = |packet: &&crate::plan::Packet| {
                plan.stream(packet).group.as_ref().is_some_and(|name| *name.get_ref() == group.name)
            };
            let regions: BTreeSet<[u8; 2]> =
                plan.packets.iter().filter(of_group).map(|packet| packet.region).collect();
            let prefixes =
                regions.into_iter().filter_map(|region| registry::of(&crate::published::text(region)));
            lines.extend(prefixes.map(|allocation| allocation.group().to_string()));
        }
    }
    lines.join("\n") + "\n"
}

/// Addresses of a list that has some of a stream's sources of the quarter, and others.
pub fn members(plan: &Plan, group: &Group, stream: &str) -> BTreeSet<Ipv4Addr> {
    let is_of_stream =
        |packet: &&crate::plan::Packet| plan.is_now(packet) && plan.stream(packet).name == stream;
    let seen: BTreeSet<u32> = plan.packets.iter().filter(is_of_stream).map(|packet| packet.source).collect();
    let mut seen: Vec<u32> = seen.into_iter().collect();
    Numbers::new(mixed(plan.description.seed, 0x6c69_7374)).shuffle(&mut seen);
    let kept = (seen.len() as f64 * group.share).round() as usize;
    let others = (0..group.others).map(|number| ELSEWHERE + 13 * number);
    seen.into_iter().take(kept).chain(others).map(Ipv4Addr::from).collect()
}
