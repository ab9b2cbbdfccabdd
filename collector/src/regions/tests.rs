//! Files in the registries' real formats, small and made up, from the parser to the store.

mod commands;
mod files;
mod lookups;
mod stored;
mod versions;

use super::import::{Checked, import};
use super::index::{Index, Version};
use super::statistics::{Fault, Range, Record, Statistics};
use super::{Library, Registry, Table};
use crate::store::{Day, RegionTable as _, Regions as _};

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

/// A file with these records (`JP|ipv4|192.0.2.0|256`), and header and summary that fit them.
fn file(registry: Registry, date: &str, records: &[&str]) -> String {
    let count = |kind: &str| records.iter().filter(|record| record.contains(kind)).count();
    let date = date.replace('-', "");
    let mut text = format!("2|{registry}|{date}|{}|19830613|{date}|+0000\n", records.len());
    for kind in ["asn", "ipv4", "ipv6"] {
        text += &format!("{registry}|*|{kind}|*|{}|summary\n", count(kind));
    }
    for record in records {
        let status = if record.matches('|').count() > 4 { "" } else { "|20010203|allocated|a1b2c3" };
        text += &format!("{registry}|{record}{status}\n");
    }
    text
}

fn checked(registry: Registry, date: &str, records: &[&str]) -> Checked {
    Checked::new(file(registry, date, records).into_bytes()).unwrap()
}

fn region(library: &Library, address: &str, on: &str) -> (String, u32) {
    let table = library.table(day(on)).unwrap();
    let region = table.region(&address.parse().unwrap());
    (String::from_utf8(region.into()).unwrap(), table.version())
}
