//! Files in the registries' format, and addresses, from a seed.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use collector::regions::Registry;

/// The upper 16 bits that the registries delegate addresses of IPv6 under.
const BLOCKS: [(u16, u16); 6] = [
    (0x2001, 0x2003),
    (0x2400, 0x240f),
    (0x2600, 0x2610),
    (0x2800, 0x2806),
    (0x2a00, 0x2a14),
    (0x2c0f, 0x2c0f),
];
const CODES: [&str; 24] = [
    "US", "CN", "JP", "DE", "GB", "KR", "BR", "FR", "CA", "IT", "NL", "AU", "RU", "TW", "IN", "ES", "MX",
    "ZA", "SE", "EU", "BG", "AR", "EG", "AP",
];
/// Of skewed addresses nine in ten are of so many.
const FREQUENT: usize = 1_000;

/// Whatever comes from one seed.
pub struct MadeUp {
    random: u64,
    /// Prefixes that are delegated: upper 64 bits, and length.
    prefixes: Vec<(u64, u32)>,
}

impl MadeUp {
    pub fn new(seed: u64) -> Self {
        Self { random: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1, prefixes: Vec::new() }
    }

    fn next(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from((u128::from(self.next()) * limit as u128) >> 64).unwrap_or(0)
    }

    /// A file of each registry.
    pub fn files(&mut self, ipv4: u32, ipv6: u32) -> Vec<String> {
        let mut records = vec![(String::new(), [0_u32; 2]); Registry::ALL.len()];
        self.records_v4(ipv4, &mut records);
        self.records_v6(ipv6, &mut records);
        let file = |(registry, (records, [ipv4, ipv6])): (Registry, (String, [u32; 2]))| {
            format!(
                "2|{registry}|20260505|{}|19830613|20260505|+0000\n{registry}|*|ipv4|*|{ipv4}|summary\n\
                 {registry}|*|ipv6|*|{ipv6}|summary\n{records}",
                ipv4 + ipv6
            )
        };
        Registry::ALL.into_iter().zip(records).map(file).collect()
    }

    /// From 1.0.0.0 on: 256 addresses to 32,768, at times three times as many, a gap after each fourth.
    fn records_v4(&mut self, number: u32, records: &mut [(String, [u32; 2])]) {
        let mut start = 1_u32 << 24;
        for _ in 0..number {
            let odd = if self.below(5) == 0 { 3 } else { 1 };
            let count = odd * (256_u32 << self.below(8));
            let address = Ipv4Addr::from_bits(start);
            self.record(records, 0, &format!("ipv4|{address}|{count}"));
            let gap = if self.below(4) == 0 { 1024 << self.below(4) } else { 0 };
            start = start.saturating_add(count).saturating_add(gap);
        }
    }

    /// In each block one after the other: lengths from 29 to 48, one to each /32 at the most.
    fn records_v6(&mut self, number: u32, records: &mut [(String, [u32; 2])]) {
        let blocks: Vec<u16> = BLOCKS.iter().flat_map(|(first, last)| *first..=*last).collect();
        let mut next = vec![0_u64; blocks.len()];
        for place in 0..number as usize {
            let block = place % blocks.len();
            let length = [29, 29, 29, 29, 29, 29, 32, 32, 32, 48][self.below(10)];
            let size = 1_u64 << (32_u32.saturating_sub(length));
            let slot = next[block].next_multiple_of(size);
            next[block] = slot + size;
            let upper = u64::from(blocks[block]) << 48 | (slot & 0xffff) << 32;
            let address = Ipv6Addr::from_bits(u128::from(upper) << 64);
            self.record(records, 1, &format!("ipv6|{address}|{length}"));
            self.prefixes.push((upper, length));
        }
    }

    fn record(&mut self, records: &mut [(String, [u32; 2])], family: usize, resource: &str) {
        let place = self.below(records.len());
        let (text, counts) = &mut records[place];
        counts[family] += 1;
        let code = CODES[self.below(CODES.len())];
        let registry = Registry::ALL[place];
        // To a string nothing fails.
        let _never = writeln!(text, "{registry}|{code}|{resource}|20100101|allocated|A91A7381");
    }

    pub fn any_v4(&mut self) -> IpAddr {
        let [first, second, third, fourth, ..] = self.next().to_be_bytes();
        Ipv4Addr::new(first, second, third, fourth).into()
    }

    /// An address of one of the prefixes.
    pub fn delegated_v6(&mut self) -> IpAddr {
        let place = self.below(self.prefixes.len());
        let (upper, length) = self.prefixes[place];
        let bits = upper | self.next() >> length;
        Ipv6Addr::from_bits(u128::from(bits) << 64 | u128::from(self.next())).into()
    }

    pub fn addresses(&mut self, number: usize, make: impl Fn(&mut Self) -> IpAddr) -> Vec<IpAddr> {
        (0..number).map(|_| make(self)).collect()
    }

    /// As sources come: most packets are of few.
    pub fn skewed(&mut self, number: usize, make: impl Fn(&mut Self) -> IpAddr) -> Vec<IpAddr> {
        let frequent = self.addresses(FREQUENT, &make);
        let one = |made_up: &mut Self| match made_up.below(10) {
            0 => make(made_up),
            _ => frequent[made_up.below(FREQUENT)],
        };
        self.addresses(number, one)
    }
}
