//! `bench regions`: regions of addresses, on one core, by the collector's own table.
//!
//! The table is made up, of as many ranges as the registries' files have, in their format: reading the text is part of
//! the time to load it. Addresses are made beforehand; what is measured is what ingest does with the source of a row.

mod made_up;

use std::hint::black_box;
use std::net::IpAddr;

use anyhow::{Context as _, Result};
use clap::Args;
use collector::regions::{Statistics, Table};
use collector::store::RegionTable;
use comfy_table::{CellAlignment, Table as Grid};
use sensor_user::table::grouped;
use serde::Serialize;

use crate::kernel::processor_time;
use crate::statistics::Spread;
use made_up::MadeUp;

/// Measures regions told per second and core
#[derive(Args)]
pub struct Arguments {
    /// Rounds, each of them with all kinds of addresses
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Look-ups of each kind in a round
    #[arg(long, default_value_t = 50_000_000, value_parser = clap::value_parser!(u32).range(1..))]
    lookups: u32,
    /// Ranges of IPv4
    #[arg(long, default_value_t = 200_000, value_parser = clap::value_parser!(u32).range(1..=250_000))]
    ipv4: u32,
    /// Ranges of IPv6
    #[arg(long, default_value_t = 300_000, value_parser = clap::value_parser!(u32).range(1..=400_000))]
    ipv6: u32,
    /// What the made-up table and addresses come from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Report {
    rounds: u32,
    lookups: u32,
    seed: u64,
    /// Ranges in the files.
    ranges: usize,
    bytes_of_files: usize,
    /// From the files' text to the table.
    load_seconds: Spread,
    memory_bytes: usize,
    figures: Vec<Figure>,
}

#[derive(Serialize)]
struct Figure {
    addresses: &'static str,
    per_second: Spread,
    /// Of the look-ups, how many found a region.
    found: f64,
}

/// Addresses of each kind, which are gone through again and again.
const ADDRESSES: usize = 1 << 20;

pub fn run(arguments: &Arguments) -> Result<()> {
    let Arguments { rounds, lookups, ipv4, ipv6, seed, json } = *arguments;
    let mut made_up = MadeUp::new(seed);
    let files = made_up.files(ipv4, ipv6);
    let kinds: [(&'static str, Vec<IpAddr>); 4] = [
        ("IPv4, any", made_up.addresses(ADDRESSES, MadeUp::any_v4)),
        ("IPv4, skewed", made_up.skewed(ADDRESSES, MadeUp::any_v4)),
        ("IPv6, any that is delegated", made_up.addresses(ADDRESSES, MadeUp::delegated_v6)),
        ("IPv6, skewed", made_up.skewed(ADDRESSES, MadeUp::delegated_v6)),
    ];
    let (mut load, mut rates) = (Vec::new(), vec![Vec::new(); kinds.len()]);
    let mut found = vec![0.0; kinds.len()];
    let (mut memory_bytes, mut ranges) = (0, 0);
    for _ in 0..rounds {
        let start = processor_time()?;
        let parsed = files.iter().map(|file| Statistics::parse(file.as_bytes()));
        let parsed = parsed.collect::<Result<Vec<_>, _>>().context("a made-up file")?;
        let table = Table::new(1, &parsed);
        load.push((processor_time()? - start).as_secs_f64());
        (memory_bytes, ranges) = (table.memory(), parsed.iter().map(|file| file.records.len()).sum());
        for (place, (_, addresses)) in kinds.iter().enumerate() {
            let (rate, share) = measure(&table, addresses, lookups)?;
            rates[place].push(rate);
            found[place] = share;
        }
    }
    let figures = kinds.iter().zip(rates).zip(found).map(|(((addresses, _), rates), found)| {
        Ok(Figure { addresses, per_second: Spread::new(rates).context("no rounds")?, found })
    });
    let report = Report {
        rounds,
        lookups,
        seed,
        ranges,
        bytes_of_files: files.iter().map(String::len).sum(),
        load_seconds: Spread::new(load).context("no rounds")?,
        memory_bytes,
        figures: figures.collect::<Result<_>>()?,
    };
    if json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        println!("{}", grid(&report));
        let Report { ranges, bytes_of_files, load_seconds, memory_bytes, .. } = report;
        println!(
            "{} ranges, {} MiB of files: loaded in {:.3} s ({:.3} to {:.3}), {:.1} MiB in memory",
            grouped(ranges as u64),
            bytes_of_files >> 20,
            load_seconds.median,
            load_seconds.min,
            load_seconds.max,
            f64::from(u32::try_from(memory_bytes >> 10)?) / 1024.0,
        );
    }
    Ok(())
}

/// Look-ups a second of processor time, and which share of them found a region.
#[inline(never)]
fn measure(table: &dyn RegionTable, addresses: &[IpAddr], lookups: u32) -> Result<(f64, f64)> {
    let mut found = 0_u32;
    let start = processor_time()?;
    for address in addresses.iter().cycle().take(lookups as usize) {
        // The table is known by what it does alone, as it is to the store.
        let region = black_box(table).region(address);
        found += u32::from(region != collector::store::UNKNOWN);
    }
    let elapsed = processor_time()? - start;
    let lookups = f64::from(lookups);
    Ok((lookups / elapsed.as_secs_f64(), f64::from(found) / lookups))
}

fn grid(report: &Report) -> Grid {
    let mut grid = Grid::new();
    grid.load_style(comfy_table::presets::UTF8_BORDERS_ONLY);
    grid.set_header(["addresses", "million/s: min", "median", "max", "found"]);
    for Figure { addresses, per_second: Spread { min, median, max }, found } in &report.figures {
        let rates = [min, median, max].map(|rate| format!("{:.1}", rate / 1e6));
        let found = format!("{:.1} %", found * 100.0);
        grid.add_row([(*addresses).to_owned()].into_iter().chain(rates).chain([found]));
    }
    for column in 1..5 {
        if let Some(column) = grid.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    grid
}
