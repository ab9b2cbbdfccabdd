//! `notify`: who scans from a region, for those who can tell them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::net::IpAddr;

use sensor_ebpf::abi::TrafficClass;

use crate::config::ConfigError;
use crate::groups::{Groups, GroupsError};
use crate::report::destination::Destination;
use crate::report::mark::{Mark, of_row};
use crate::report::sections::Region;
use crate::store::{Day, Match, Period, RowFilter, SourceOrder, SourceRow, StoreArguments, StoreError};

mod print;
#[cfg(test)]
mod tests;

/// Ports that are told of one address, those with the most packets; how many there are is told beside.
const MOST_PORTS: usize = 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    Csv,
    Json,
    Table,
}

#[derive(Clone, Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    pub store: StoreArguments,
    /// A region whose addresses are told, such as JP; may be repeated.
    #[arg(long, value_name = "REGION", required = true)]
    pub region: Vec<Region>,
    /// mirai, zmap, masscan, or a watched window such as window:5656; where it is repeated, one of them has to be there.
    #[arg(long, value_name = "SIGNATURE")]
    pub signature: Vec<Mark>,
    /// A port such as 23/tcp, or icmp; where it is repeated, any of them.
    #[arg(long, value_name = "PORT")]
    pub port: Vec<Destination>,
    /// A group of addresses that are left out, such as one's own; may be repeated.
    #[arg(long, value_name = "GROUP")]
    pub without: Vec<String>,
    /// First day (2024-04-01), UTC.
    #[arg(long, value_name = "DAY")]
    pub from: Day,
    /// First day after the period.
    #[arg(long, value_name = "DAY")]
    pub to: Day,
    #[arg(long, value_enum, default_value = "table")]
    pub format: Format,
    /// Rows of a table at most; the other formats have all.
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub rows: usize,
}

/// Why nobody is told.
#[derive(Debug, thiserror::Error)]
pub enum NotifyError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Groups(#[from] GroupsError),
    #[error("no group is called {name:?}; groups are in the configuration: {known}")]
    Group { name: String, known: String },
    #[error("the period ends before it begins: --to is the first day that is not in it")]
    Period,
    #[error("cannot print: {0}")]
    Print(#[from] io::Error),
}

impl NotifyError {
    /// Whether it is the command line or the configuration that cannot be followed.
    #[must_use]
    pub const fn is_usage(&self) -> bool {
        match self {
            Self::Store(error) => matches!(error, StoreError::Config(_)),
            Self::Config(_) | Self::Groups(_) | Self::Group { .. } | Self::Period => true,
            Self::Print(_) => false,
        }
    }
}

/// An address, and what came from it in the period. Times are nanoseconds since the Unix epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Scanner {
    address: IpAddr,
    /// By the table of its last day.
    region: [u8; 2],
    first_seen: u64,
    last_seen: u64,
    packets: u64,
    /// What it asked for, and with how many packets; protocols without ports are not told.
    ports: BTreeMap<Destination, u64>,
    signatures: BTreeSet<String>,
    sensors: BTreeSet<u32>,
}

impl Scanner {
    fn new(row: &SourceRow<'_>) -> Self {
        Self {
            address: row.source,
            region: row.region,
            first_seen: row.first_seen,
            last_seen: row.last_seen,
            packets: 0,
            ports: BTreeMap::new(),
            signatures: BTreeSet::new(),
            sensors: BTreeSet::new(),
        }
    }

    fn add(&mut self, row: &SourceRow<'_>) {
        self.region = row.region;
        self.first_seen = self.first_seen.min(row.first_seen);
        self.last_seen = self.last_seen.max(row.last_seen);
        self.packets = self.packets.saturating_add(row.packets);
        if let Some(destination) = Destination::of(row.protocol, row.service) {
            let packets = self.ports.entry(destination).or_default();
            *packets = packets.saturating_add(row.packets);
        }
        self.signatures.extend(of_row(row.signatures, row.window).iter().map(Mark::to_string));
        self.sensors.extend(row.sensors.iter());
    }

    /// The ports with the most packets; ties in their order.
    fn top_ports(&self) -> Vec<(Destination, u64)> {
        let mut ports: Vec<_> = self.ports.iter().map(|(port, packets)| (*port, *packets)).collect();
        ports.sort_by(|(one, a), (other, b)| b.cmp(a).then(one.cmp(other)));
        ports.truncate(MOST_PORTS);
        ports
    }
}

/// The rows that are asked for: scans of any of the regions, by any of the signatures, to any of the ports.
fn matches(arguments: &Arguments) -> Vec<Match> {
    let scan = Match { class: Some(TrafficClass::Scan), ..Match::default() };
    let mut all: Vec<Match> = match arguments.port.as_slice() {
        [] => vec![scan],
        ports => ports.iter().flat_map(|port| port.matches()).collect(),
    };
    if !arguments.signature.is_empty() {
        let narrowed = |one: Match| arguments.signature.iter().map(move |mark| mark.narrowed(one.clone()));
        all = all.into_iter().flat_map(narrowed).collect();
    }
    let in_regions = |one: Match| {
        arguments.region.iter().map(move |Region(region)| Match { region: Some(*region), ..one.clone() })
    };
    all.into_iter().flat_map(in_regions).collect()
}

/// Prints the addresses, in their order; one after the other, however many there are.
///
/// # Errors
/// Where the store cannot be read, or what is asked for cannot be followed.
pub fn run(arguments: &Arguments, output: &mut impl Write) -> Result<(), NotifyError> {
    if arguments.to <= arguments.from {
        return Err(NotifyError::Period);
    }
    let settings = arguments.store.flags.options()?.resolve()?;
    let groups = if arguments.without.is_empty() { Groups::default() } else { Groups::open(&settings)? };
    let without = arguments.without.iter().map(|name| {
        groups.get(name).ok_or_else(|| {
            let known: Vec<&str> = groups.names().collect();
            let known = if known.is_empty() { "there are none".into() } else { known.join(", ") };
            NotifyError::Group { name: name.clone(), known }
        })
    });
    let without = without.collect::<Result<Vec<_>, _>>()?;
    let reader = arguments.store.reader()?;
    let filter =
        RowFilter { any: matches(arguments), ..RowFilter::of(Period::days(arguments.from, arguments.to)) };
    let mut printer = print::Printer::new(arguments.format, arguments.rows, output)?;
    // What the store says of an error of ours is less than what we know.
    let mut failed = None;
    let mut scanner: Option<Scanner> = None;
    let read = reader.source_rows(&filter, SourceOrder::Source, &mut |row| {
        if without.iter().any(|group| group.contains(row.source, row.day)) {
            return Ok(());
        }
        if scanner.as_ref().is_none_or(|scanner| scanner.address != row.source) {
            let last = scanner.replace(Scanner::new(row));
            if let Some(Err(error)) = last.map(|last| printer.print(&last)) {
                failed = Some(error);
                return Err(StoreError::Rows("they cannot be printed".into()));
            }
        }
        if let Some(scanner) = &mut scanner {
            scanner.add(row);
        }
        Ok(())
    });
    if let Some(error) = failed {
        return Err(error.into());
    }
    read?;
    if let Some(last) = scanner {
        printer.print(&last)?;
    }
    Ok(printer.finish()?)
}
