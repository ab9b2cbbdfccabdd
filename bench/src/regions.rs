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
use sensor_user::table::grouped;

use crate::kernel::processor_time;
use crate::results::{self, Aim, Bar, Better, Figure, Measurement};
use crate::statistics::Spread;
use made_up::MadeUp;

/// Measures regions told per second and core
#[derive(Args)]
pub struct Arguments {
    /// Rounds, each of them with all kinds of addresses
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
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

/// What a look-up rate is to be at least, in millions per second of one core.
const AIM: f64 = 20.0;

/// Addresses of each kind, which are gone through again and again.
const ADDRESSES: usize = 1 << 20;

pub fn run(arguments: &Arguments) -> Result<()> {
    results::show(&measure(arguments)?, arguments.json)
}

#[expect(clippy::cast_precision_loss, reason = "MiB of a table")]
pub fn measure(arguments: &Arguments) -> Result<Measurement> {
    let Arguments { rounds, lookups, ipv4, ipv6, seed, .. } = *arguments;
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
            let (rate, share) = look_up(&table, addresses, lookups)?;
            rates[place].push(rate);
            found[place] = share;
        }
    }
    let millions = |rates: &[f64]| rates.iter().map(|rate| rate / 1e6).collect::<Vec<f64>>();
    let aim = |((kind, _), rates): (&(&str, Vec<IpAddr>), &Vec<f64>)| {
        let measured = Spread::new(millions(rates))?.median;
        let unit = "million/s".into();
        Some(Aim { of: format!("look-ups of {kind}"), aim: AIM, measured, unit, better: Better::Higher })
    };
    let named = || kinds.iter().map(|(kind, _)| *kind);
    let rates_of = named().zip(&rates).map(|(kind, rates)| Bar::of_rounds(kind, millions(rates)));
    let found_of = named().zip(found).map(|(kind, share)| Bar::once(kind, share * 100.0));
    let mebibytes = |bytes: usize| bytes as f64 / f64::from(1 << 20);
    let bytes_of_files = files.iter().map(String::len).sum();
    let sizes = vec![
        Bar::once("the files", mebibytes(bytes_of_files)),
        Bar::once("the table", mebibytes(memory_bytes)),
    ];
    Ok(Measurement {
        figures: vec![
            Figure::bars("rate", "Regions told by one core", "million/s", Better::Higher, rates_of.collect()),
            Figure::bars("found", "Of them in a region", "%", Better::Higher, found_of.collect()),
            Figure::bars(
                "load",
                "From the files' text to the table",
                "s",
                Better::Lower,
                vec![Bar::of_rounds(&format!("{} ranges", grouped(ranges as u64)), load)],
            ),
            Figure::bars("memory", "Memory", "MiB", Better::Lower, sizes),
        ],
        aims: kinds.iter().zip(&rates).filter_map(aim).collect(),
        checked: vec![format!(
            "{} ranges were read from files in the registries' format",
            grouped(ranges as u64)
        )],
        warnings: Vec::new(),
    })
}

/// Look-ups a second of processor time, and which share of them found a region.
#[inline(never)]
fn look_up(table: &dyn RegionTable, addresses: &[IpAddr], lookups: u32) -> Result<(f64, f64)> {
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
