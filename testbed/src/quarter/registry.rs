//! Made-up allocations of addresses to regions, as the regional registries publish them.
//!
//! The files have the format of the registries' delegated-extended statistics, with what makes the real ones awkward:
//! numbers of addresses that are no power of two, reserved and available space, autonomous systems, and IPv6.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use ipnet::Ipv4Net;
use jiff::civil::Date;

/// A registry: its name in its files, the first octet of the addresses that it has here, and its regions.
struct Registry {
    name: &'static str,
    octet: u8,
    regions: &'static [&'static str],
}

const REGISTRIES: [Registry; 5] = [
    Registry { name: "afrinic", octet: 102, regions: &["EG", "SC", "ZA"] },
    Registry {
        name: "apnic",
        octet: 103,
        regions: &["CN", "HK", "ID", "IN", "JP", "KR", "SG", "TH", "TW", "VN"],
    },
    Registry { name: "arin", octet: 63, regions: &["CA", "US"] },
    Registry { name: "lacnic", octet: 177, regions: &["AR", "BR", "MX"] },
    Registry {
        name: "ripencc",
        octet: 77,
        regions: &["BG", "DE", "FR", "GB", "IR", "IT", "NL", "PL", "RO", "RU", "TR", "UA"],
    },
];

/// Addresses of a group in a region, at most: within a /24, and neither its first nor its last ones.
pub const GROUP_ADDRESSES: u32 = 200;
/// Addresses of a region's large allocation, and of the one that is no power of two.
const LARGE: u32 = 65_536;
const ODD: u32 = 768;
/// One source in so many has its address in the second.
const ODD_ONE_IN: u32 = 8;
/// Addresses that are far apart: coprime with both sizes.
const STRIDE: u32 = 7_919;
/// Blocks of 65,536 addresses of a region: the large one, one for small ones, and two that nobody has.
const BLOCKS: u32 = 4;

/// A region's addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allocation {
    base: u32,
}

/// Where a region's addresses are; absent where it has none here.
pub fn of(region: &str) -> Option<Allocation> {
    REGISTRIES.iter().find_map(|registry| {
        let place = registry.regions.iter().position(|known| *known == region)?;
        Some(Allocation {
            base: (u32::from(registry.octet) << 24) | ((BLOCKS * u32::try_from(place).ok()?) << 16),
        })
    })
}

pub fn known() -> Vec<&'static str> {
    REGISTRIES.iter().flat_map(|registry| registry.regions).copied().collect()
}

impl Allocation {
    /// A region's source by its number: each has another address.
    ///
    /// # Errors
    /// Where the region has no more.
    pub fn source(self, number: u32) -> Result<u32> {
        let (round, place) = (number / ODD_ONE_IN, number % ODD_ONE_IN);
        let in_odd = place == 0 && round < ODD;
        let (block, number, size) = if in_odd { (1, round, ODD) } else { (0, number, LARGE) };
        anyhow::ensure!(number < size, "a region has {LARGE} sources at most: describe fewer");
        Ok(self.base + (block << 16) + number * (STRIDE % size) % size)
    }

    /// The prefix of a group of addresses that the operator knows.
    pub fn group(self) -> Ipv4Net {
        Ipv4Net::new_assert((self.base + (1 << 16) + 0x4000).into(), 24)
    }

    /// A source in it, by its number up to [`GROUP_ADDRESSES`].
    pub fn group_source(self, number: u32) -> u32 {
        u32::from(self.group().network()) + 10 + number % GROUP_ADDRESSES
    }

    fn records(self, registry: &str, region: &str, day: &str) -> String {
        let line = |region: &str, block: u32, offset: u32, addresses: u32, status: &str| {
            let (start, day) = (std::net::Ipv4Addr::from(self.base + (block << 16) + offset), day);
            let day = if region.is_empty() { "" } else { day };
            format!("{registry}|{region}|ipv4|{start}|{addresses}|{day}|{status}|{region}{block}\n")
        };
        [
            line(region, 0, 0, LARGE, "allocated"),
            line(region, 1, 0, ODD, "assigned"),
            line(region, 1, 0x4000, 256, "assigned"),
            line("", 1, 0x8000, 0x8000, "reserved"),
            line("", 2, 0, 2 * LARGE, "available"),
        ]
        .concat()
    }
}

/// Writes a file for each registry, dated `day`, and gives their paths.
///
/// # Errors
/// Where the file system is against it.
pub fn write(folder: &Path, day: Date) -> Result<Vec<PathBuf>> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    REGISTRIES
        .iter()
        .map(|registry| {
            let path =
                folder.join(format!("delegated-{}-extended-{}", registry.name, day.strftime("%Y%m%d")));
            fs::write(&path, registry.file(day))
                .with_context(|| format!("cannot write {}", path.display()))?;
            Ok(path)
        })
        .collect()
}

impl Registry {
    fn file(&self, day: Date) -> String {
        let Self { name, octet, regions } = self;
        let day = day.strftime("%Y%m%d").to_string();
        let mut records = String::new();
        for (number, region) in regions.iter().enumerate() {
            records += &format!("{name}|{region}|asn|{}|1|{day}|allocated|{region}0\n", 64_512 + number);
        }
        for allocation in regions.iter().filter_map(|region| Some((region, of(region)?))) {
            records += &allocation.1.records(name, allocation.0, &day);
        }
        for (number, region) in regions.iter().enumerate() {
            records +=
                &format!("{name}|{region}|ipv6|2a{octet:02x}:{number:x}::|32|{day}|allocated|{region}0\n");
        }
        let kinds = ["asn", "ipv4", "ipv6"];
        let count = |kind: &str| records.matches(&format!("|{kind}|")).count();
        let lines = records.lines().count();
        let summaries: String =
            kinds.iter().map(|kind| format!("{name}|*|{kind}|*|{}|summary\n", count(kind))).collect();
        format!("2|{name}|{day}|{lines}|19830101|{day}|+0000\n{summaries}{records}")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jiff::civil::date;

    use super::*;

    #[test]
    fn each_source_of_each_region_has_an_address_of_its_own() {
        let regions = known();
        let all = regions.iter().flat_map(|region| {
            let allocation = of(region).unwrap();
            let grouped = (0..GROUP_ADDRESSES).map(move |number| allocation.group_source(number));
            (0..5_000).map(move |number| allocation.source(number).unwrap()).chain(grouped)
        });
        let all: BTreeSet<u32> = all.collect();
        assert_eq!(all.len(), regions.len() * (5_000 + GROUP_ADDRESSES as usize));
        assert!(of("JP").unwrap().source(LARGE).is_err());
        assert!(of("XX").is_none());
    }

    #[test]
    fn files_say_how_many_records_they_have() {
        for registry in &REGISTRIES {
            let file = registry.file(date(2024, 3, 1));
            let mut lines = file.lines();
            let header: Vec<&str> = lines.next().unwrap().split('|').collect();
            assert_eq!((header[0], header[1], header[2]), ("2", registry.name, "20240301"));
            let summaries = lines.by_ref().take(3).filter(|line| line.ends_with("|summary")).count();
            assert_eq!((summaries, lines.count().to_string().as_str()), (3, header[3]));
        }
    }

    #[test]
    fn no_first_octet_overflows_into_anothers() {
        assert!(REGISTRIES.iter().all(|registry| registry.regions.len() * BLOCKS as usize <= 256));
    }
}
