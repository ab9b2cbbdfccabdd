//! A name for every counter: `packets`, `outcomes.ipv4_tcp`, `tcp_flags.0x02`, `ip_protocols.6`.

use std::collections::BTreeMap;
use std::mem::offset_of;

use anyhow::{Context as _, Result, bail};
use sensor_ebpf::abi::{
    CpuCounters, EvidenceSkip, Family, Outcome, PORTS, Signature, TcpClass, WATCHED_WINDOWS,
};
use sensor_user::counters::Totals;

/// Counters by name, those at zero left out.
pub type Counts = BTreeMap<String, u64>;

/// How the counters of one field are told apart.
#[derive(Clone, Copy)]
enum Keys {
    /// A single counter.
    One,
    /// Entries that have names, and spare ones behind them.
    Named(fn(usize) -> Option<&'static str>),
    Decimal,
    Hexadecimal,
}

/// One field of [`CpuCounters`].
struct Field {
    name: &'static str,
    /// Place of its first counter among all.
    first: usize,
    length: usize,
    keys: Keys,
}

macro_rules! field {
    ($name:ident, $length:expr, $keys:expr) => {
        Field {
            name: stringify!($name),
            first: offset_of!(CpuCounters, $name) / size_of::<u64>(),
            length: $length,
            keys: $keys,
        }
    };
}

fn outcome(index: usize) -> Option<&'static str> {
    Outcome::ALL.get(index).map(|outcome| outcome.name())
}

fn family(index: usize) -> Option<&'static str> {
    Family::ALL.get(index).map(|family| family.name())
}

fn evidence_skip(index: usize) -> Option<&'static str> {
    EvidenceSkip::ALL.get(index).map(|reason| reason.name())
}

fn class(index: usize) -> Option<&'static str> {
    TcpClass::ALL.get(index).map(|class| class.name())
}

fn signature(index: usize) -> Option<&'static str> {
    Signature::ALL.get(index).map(|signature| signature.name())
}

const FIELDS: [Field; 19] = [
    field!(packets, 1, Keys::One),
    field!(bytes, 1, Keys::One),
    field!(digests, 2, Keys::Named(family)),
    field!(digests_lost, 2, Keys::Named(family)),
    field!(evidence_written, 1, Keys::One),
    field!(evidence_skipped, 3, Keys::Named(evidence_skip)),
    field!(tcp_classes, 4, Keys::Named(class)),
    field!(signatures, 4, Keys::Named(signature)),
    field!(outcomes, 16, Keys::Named(outcome)),
    field!(windows, WATCHED_WINDOWS, Keys::Decimal),
    field!(ip_protocols, 256, Keys::Decimal),
    field!(tcp_flags, 256, Keys::Hexadecimal),
    field!(icmp_v4_types, 256, Keys::Decimal),
    field!(icmp_v6_types, 256, Keys::Decimal),
    field!(tcp_scan_destination_ports, PORTS, Keys::Decimal),
    field!(tcp_other_destination_ports, PORTS, Keys::Decimal),
    field!(tcp_backscatter_source_ports, PORTS, Keys::Decimal),
    field!(udp_destination_ports, PORTS, Keys::Decimal),
    field!(mirai_destination_ports, PORTS, Keys::Decimal),
];

// A counter that is added to the ABI must be given a name here.
const _: () = {
    let (mut field, mut end) = (0, 0);
    while field < FIELDS.len() {
        assert!(FIELDS[field].first == end);
        end += FIELDS[field].length;
        field += 1;
    }
    assert!(end * size_of::<u64>() == size_of::<CpuCounters>());
};

/// Every counter that is not zero.
#[must_use]
pub fn counts(totals: &Totals) -> Counts {
    let words = totals.words();
    let of_field = |field: &'static Field| {
        let values = words[field.first..field.first + field.length].iter().enumerate();
        values.filter(|(_, value)| **value != 0).map(|(index, value)| (field.name_of(index), *value))
    };
    FIELDS.iter().flat_map(of_field).collect()
}

impl Field {
    fn name_of(&self, index: usize) -> String {
        let Self { name, keys, .. } = self;
        match keys {
            Keys::One => (*name).to_owned(),
            Keys::Named(key) => key(index).map_or_else(
                // No packet may raise a spare counter, so that this name matches no fixture's.
                || format!("{name}.spare {index}"),
                |key| format!("{name}.{key}"),
            ),
            Keys::Decimal => format!("{name}.{index}"),
            Keys::Hexadecimal => format!("{name}.{index:#04x}"),
        }
    }
}

/// Counts from text such as `packets bytes=54 outcomes.ipv4_tcp`: names, each raised by 1 or by so many.
///
/// # Errors
/// Where a name is not a counter's, or stands there twice.
pub fn parse(text: &str) -> Result<Counts> {
    let mut counts = Counts::new();
    for word in text.split_whitespace() {
        let (name, count) = match word.split_once('=') {
            Some((name, count)) => (name, count.parse().with_context(|| format!("{word}: not a count"))?),
            None => (word, 1),
        };
        if !is_name(name) {
            bail!("no counter has the name {name}");
        }
        if counts.insert(name.to_owned(), count).is_some() {
            bail!("counter {name} is named twice");
        }
    }
    Ok(counts)
}

fn is_name(name: &str) -> bool {
    let field_name = name.split('.').next().unwrap_or(name);
    FIELDS
        .iter()
        .filter(|field| field.name == field_name)
        .any(|field| (0..field.length).any(|index| field.name_of(index) == name))
}
