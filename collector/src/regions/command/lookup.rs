//! `regions lookup`: what is known of an address, and by whom.

use std::io::{self, Write};
use std::net::IpAddr;
use std::path::Path;

use jiff::Timestamp;
use serde::Serialize;

use super::super::index::{Index, IndexError};
use super::super::names::region_name;
use super::super::statistics::{Range, Record, Statistics};
use super::super::table::rank;
use super::super::{FOLDER, RegionsError};
use crate::config::StoreFlags;
use crate::store::{Day, UNKNOWN, region_code};

/// Tells the regions of addresses, and which record of which file says so
#[derive(Clone, Debug, clap::Args)]
pub struct Lookup {
    #[command(flatten)]
    pub store: StoreFlags,
    /// By the table in force on that day [default: today]
    #[arg(long, value_name = "DATE")]
    on: Option<Day>,
    /// Prints JSON
    #[arg(long)]
    json: bool,
    #[arg(required = true, value_name = "ADDRESS")]
    addresses: Vec<IpAddr>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Found {
    address: IpAddr,
    region: String,
    english: String,
    japanese: String,
    on: String,
    /// 0 where no table is in force.
    version: u32,
    /// The file and its line that say so; absent where none does.
    file: Option<String>,
    line: Option<u32>,
    record: Option<String>,
}

pub fn run(lookup: &Lookup, data: &Path, output: &mut impl Write) -> Result<(), RegionsError> {
    let today = || Day::of(u64::try_from(Timestamp::now().as_nanosecond()).unwrap_or(0));
    let found = look_up(data, lookup.on.unwrap_or_else(today), &lookup.addresses)?;
    if lookup.json {
        serde_json::to_writer_pretty(&mut *output, &found).map_err(io::Error::from)?;
        writeln!(output)?;
        return Ok(());
    }
    for Found { address, region, english, japanese, on, version, file, line, record } in &found {
        let told = match version {
            0 => format!("no table is in force on {on}"),
            version => format!("version {version}, in force on {on}"),
        };
        writeln!(output, "{address}: {region} {english} {japanese} ({told})")?;
        if let (Some(file), Some(line), Some(record)) = (file, line, record) {
            writeln!(output, "    {file}, line {line}: {record}")?;
        }
    }
    Ok(())
}

/// Goes through the records of the files, so that it says of each address which of them counts.
pub fn look_up(data: &Path, on: Day, addresses: &[IpAddr]) -> Result<Vec<Found>, IndexError> {
    let folder = data.join(FOLDER);
    let index = Index::read(&folder)?;
    let version = index.in_force(on);
    let mut best: Vec<Option<(Record, usize)>> = vec![None; addresses.len()];
    let mut files = Vec::new();
    for file in version.iter().flat_map(|version| &version.files) {
        let content = file.content(&folder)?;
        let statistics = file.read(&folder)?;
        files.push((file, statistics, content));
    }
    let statistics = |place: usize| -> &Statistics { &files[place].1 };
    for (place, (_, file, _)) in files.iter().enumerate() {
        for record in &file.records {
            for (best, address) in best.iter_mut().zip(addresses) {
                let before = best.map(|(before, of)| rank(statistics(of), &before));
                if has(record.range, *address) && before.is_none_or(|before| before < rank(file, record)) {
                    *best = Some((*record, place));
                }
            }
        }
    }
    let found = addresses.iter().zip(best).map(|(address, best)| {
        let region = best.map_or(UNKNOWN, |(record, _)| record.region);
        let name = region_name(region).unwrap_or_default();
        let line = best.map(|(record, _)| record.line);
        let record = best.map(|(record, place)| text(&files[place].2, record.line));
        Found {
            address: *address,
            region: region_code(region),
            english: name.en,
            japanese: name.ja,
            on: on.to_string(),
            version: version.map_or(0, |version| version.version),
            file: best.map(|(_, place)| files[place].0.name()),
            line,
            record,
        }
    });
    Ok(found.collect())
}

fn has(range: Range, address: IpAddr) -> bool {
    match (range, address) {
        (Range::V4(first, last), IpAddr::V4(address)) => (first..=last).contains(&address.to_bits()),
        (Range::V6(first, last), IpAddr::V6(address)) => {
            (first..=last).contains(&u64::try_from(address.to_bits() >> 64).unwrap_or(0))
        }
        _ => false,
    }
}

/// A line of a file.
fn text(content: &[u8], line: u32) -> String {
    let line = content.split(|byte| *byte == b'\n').nth(line.saturating_sub(1) as usize);
    String::from_utf8_lossy(line.unwrap_or_default()).trim_end().to_owned()
}
