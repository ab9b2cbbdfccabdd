//! The keys of a description.

use std::collections::BTreeMap;

use ipnet::Ipv4Net;
use jiff::civil::Date;
use serde::Deserialize;
use toml::Spanned;

use super::{Class, Service};
use crate::period::Quarter;

/// A region's code of ISO 3166-1.
pub type Region = String;

/// A whole file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    pub quarter: Quarter,
    /// What regions are 'domestic'.
    pub home: Vec<Region>,
    /// Decides what is left open: when packets come, and by how much days differ for no reason.
    pub seed: u64,
    pub sensors: Vec<Spanned<Sensor>>,
    pub published: Published,
    /// Parts of a stream's packets by region, where it names none itself.
    pub background: BTreeMap<Spanned<Region>, f64>,
    pub traffic: Vec<Spanned<Traffic>>,
    #[serde(default)]
    pub groups: Vec<Spanned<Group>>,
    /// The operator's own names of ports.
    #[serde(default)]
    pub services: BTreeMap<String, String>,
    /// What the report is asked for, as `apus-collector report --sections` takes it.
    #[serde(default)]
    pub report: toml::Table,
    pub findings: Vec<Spanned<Finding>>,
    #[serde(default)]
    pub detect: Detect,
    #[serde(default)]
    pub unusual: Vec<Spanned<Unusual>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sensor {
    pub name: String,
    /// Its observed addresses.
    pub observed: Ipv4Net,
    #[serde(default)]
    pub down: Vec<Down>,
}

/// Days on which a sensor counts nothing, of which the last is excluded.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Down {
    pub from: Date,
    pub to: Date,
}

/// Tables 1 and 2 as they were published, first rank first.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Published {
    pub ports: Spanned<Vec<PublishedPort>>,
    pub regions: Spanned<Vec<PublishedRegion>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublishedPort {
    pub port: Service,
    /// Absent: below the tenth.
    pub previous: Option<u32>,
    /// What the port has to be called in the report, where this was published.
    pub name: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublishedRegion {
    pub region: Region,
    pub previous: Option<u32>,
}

/// Packets of one kind.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Traffic {
    /// For errors, and for groups that are made of its sources.
    pub name: String,
    /// Destination ports, each of which gets so many packets from the same sources; of backscatter the ports under
    /// attack, which are the source's.
    pub ports: Vec<Service>,
    #[serde(default)]
    pub class: Class,
    /// To each port of each sensor on each day of the quarter, and of the quarter before (where absent: as many).
    pub packets: f64,
    pub previous: Option<f64>,
    /// Parts by region.
    pub regions: Option<BTreeMap<Spanned<Region>, f64>>,
    /// Addresses of each region that send on a day; each day one in four of them is another one.
    #[serde(default = "some")]
    pub sources: u32,
    /// None of them is ever replaced: victims, not bots.
    #[serde(default)]
    pub lasting: bool,
    #[serde(default)]
    pub signature: Signature,
    /// TCP window; most scanners' one where absent.
    pub window: Option<u16>,
    /// A group with addresses of its own, from which these packets come.
    pub group: Option<Spanned<String>>,
    #[serde(default)]
    pub changes: Vec<Change>,
}

const fn some() -> u32 {
    4
}

/// From then on, or on these days alone (of which the last is excluded), so many times as much.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    pub from: Spanned<Date>,
    pub to: Option<Date>,
    pub times: f64,
    /// All where absent.
    pub regions: Option<Vec<Region>>,
}

/// A tool's mark in the packets' headers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signature {
    #[default]
    None,
    Mirai,
    Zmap,
    Masscan,
}

impl Signature {
    /// As the store writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Mirai => "mirai",
            Self::Zmap => "zmap",
            Self::Masscan => "masscan",
        }
    }
}

/// A list of addresses that the operator has.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    pub name: String,
    /// The name of a stream of which it has addresses one by one, as a honeypot's list has; where absent it has the
    /// prefixes from which the streams come that name it.
    pub sources_of: Option<Spanned<String>>,
    /// How many of that stream's addresses it has, of 1.
    #[serde(default)]
    pub share: f64,
    /// How many addresses it has besides, which no sensor ever saw.
    #[serde(default)]
    pub others: u32,
}

/// What an analyst found, and the report has to say.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// In words, for the table of differences.
    pub what: String,
    /// The section of the report, by its id.
    pub section: String,
    /// Where in the section's facts, as a JSON pointer: `/growth`.
    pub fact: String,
    /// The value that it has to be; or else its bounds.
    pub is: Option<serde_json::Value>,
    pub at_least: Option<f64>,
    pub at_most: Option<f64>,
}

/// How `apus-collector detect` is asked: so few sensors see less than it goes by otherwise.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Detect {
    /// Packets that a port or region needs on a day.
    pub least_packets: Option<u32>,
}

/// What `apus-collector detect` has to find by itself.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unusual {
    /// In words, for the table of differences.
    pub what: String,
    /// What one of its findings has to have, by its keys.
    pub has: serde_json::Map<String, serde_json::Value>,
    /// Bounds of its numbers, by their keys.
    #[serde(default)]
    pub at_least: BTreeMap<String, f64>,
    #[serde(default)]
    pub at_most: BTreeMap<String, f64>,
}
