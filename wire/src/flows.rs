//! Flows that are read, some at a time.

use std::net::{IpAddr, Ipv6Addr};

use arrow_array::cast::AsArray as _;
use arrow_array::types::{ArrowPrimitiveType, TimestampNanosecondType, UInt8Type, UInt16Type, UInt64Type};
use arrow_array::{Array as _, BooleanArray, FixedSizeBinaryArray, PrimitiveArray, RecordBatch};
use sensor_ebpf::abi::{Family, TrafficClass};

use crate::error::WireError;
use crate::row::{Counted, Row};
use crate::schema::Table;

/// Some rows of table `flows`, each of which can be a [`Row`].
pub struct FlowRows {
    length: usize,
    ip_version: PrimitiveArray<UInt8Type>,
    source: FixedSizeBinaryArray,
    victim: FixedSizeBinaryArray,
    protocol: PrimitiveArray<UInt8Type>,
    class: PrimitiveArray<UInt8Type>,
    port: PrimitiveArray<UInt16Type>,
    icmp_type: PrimitiveArray<UInt8Type>,
    icmp_code: PrimitiveArray<UInt8Type>,
    signatures: PrimitiveArray<UInt8Type>,
    window: PrimitiveArray<UInt16Type>,
    quoted_protocol: PrimitiveArray<UInt8Type>,
    packets: PrimitiveArray<UInt64Type>,
    bytes: PrimitiveArray<UInt64Type>,
    first_seen: PrimitiveArray<TimestampNanosecondType>,
    last_seen: PrimitiveArray<TimestampNanosecondType>,
    time_to_live_minimum: PrimitiveArray<UInt8Type>,
    time_to_live_maximum: PrimitiveArray<UInt8Type>,
    targets: PrimitiveArray<UInt64Type>,
    targets_counted: PrimitiveArray<UInt8Type>,
    overflow: BooleanArray,
    destination: FixedSizeBinaryArray,
    source_port: PrimitiveArray<UInt16Type>,
    destination_port: PrimitiveArray<UInt16Type>,
    time_to_live: PrimitiveArray<UInt8Type>,
    tcp_flags: PrimitiveArray<UInt8Type>,
    packet_length: PrimitiveArray<UInt16Type>,
    syn_length: PrimitiveArray<UInt8Type>,
    syn_window: PrimitiveArray<UInt16Type>,
}

impl FlowRows {
    /// The rows of a record batch, whose schema has been checked. `before` rows came before them.
    ///
    /// # Errors
    /// Where one has a value that cannot be.
    pub(crate) fn new(record: RecordBatch, before: usize) -> Result<Self, WireError> {
        let mut columns = record.columns().iter();
        // As many columns as the schema has, in its order.
        let mut next = || columns.next().cloned().unwrap_or_else(|| unreachable!("the schema was checked"));
        macro_rules! read {
            ($($name:ident: $kind:tt),+ $(,)?) => {
                Self { length: record.num_rows(), $($name: read!(@ $kind, next())),+ }
            };
            (@ address, $column:expr) => { $column.as_fixed_size_binary().clone() };
            (@ flag, $column:expr) => { $column.as_boolean().clone() };
            (@ $kind:ty, $column:expr) => { $column.as_primitive::<$kind>().clone() };
        }
        let rows = read! {
            ip_version: UInt8Type,
            source: address,
            victim: address,
            protocol: UInt8Type,
            class: UInt8Type,
            port: UInt16Type,
            icmp_type: UInt8Type,
            icmp_code: UInt8Type,
            signatures: UInt8Type,
            window: UInt16Type,
            quoted_protocol: UInt8Type,
            packets: UInt64Type,
            bytes: UInt64Type,
            first_seen: TimestampNanosecondType,
            last_seen: TimestampNanosecondType,
            time_to_live_minimum: UInt8Type,
            time_to_live_maximum: UInt8Type,
            targets: UInt64Type,
            targets_counted: UInt8Type,
            overflow: flag,
            destination: address,
            source_port: UInt16Type,
            destination_port: UInt16Type,
            time_to_live: UInt8Type,
            tcp_flags: UInt8Type,
            packet_length: UInt16Type,
            syn_length: UInt8Type,
            syn_window: UInt16Type,
        };
        match (0..rows.length).find_map(|row| rows.fault(row).map(|what| (row, what))) {
            None => Ok(rows),
            Some((row, what)) => {
                Err(WireError::Value { table: Table::Flows.name(), row: before + row, what: what.into() })
            }
        }
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.length
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Every row.
    pub fn iter(&self) -> impl Iterator<Item = Row> {
        (0..self.length).map(|row| self.row(row))
    }

    fn fault(&self, row: usize) -> Option<&'static str> {
        let is_mapped =
            |address: &FixedSizeBinaryArray| address.is_null(row) || address.value(row).starts_with(&MAPPED);
        let (first, last) = (self.first_seen.value(row), self.last_seen.value(row));
        match self.ip_version.value(row) {
            4 if !(is_mapped(&self.source) && is_mapped(&self.victim) && is_mapped(&self.destination)) => {
                Some("an IPv4 flow with an address that is none of IPv4")
            }
            4 | 6 if TrafficClass::from_number(self.class.value(row)).is_none() => {
                Some("a class that there is not")
            }
            4 | 6 if Counted::ALL.get(usize::from(self.targets_counted.value(row))).is_none() => {
                Some("targets that were counted in a way that there is not")
            }
            4 | 6 if self.packets.value(row) == 0 => Some("a flow without packets"),
            4 | 6 if first < 0 || last < first => Some("a flow that was seen last before it was seen first"),
            4 | 6 if self.overflow.value(row) != self.source.is_null(row) => {
                Some("a flow that has a source and is of many, or has none and is not")
            }
            4 | 6 => None,
            _ => Some("an IP version that is neither 4 nor 6"),
        }
    }

    fn row(&self, row: usize) -> Row {
        let family = if self.ip_version.value(row) == 4 { Family::Ipv4 } else { Family::Ipv6 };
        let address = |column: &FixedSizeBinaryArray| {
            column.is_valid(row).then(|| to_address(family, column.value(row))).flatten()
        };
        let icmp = optional(&self.icmp_type, row).zip(optional(&self.icmp_code, row));
        let number = usize::from(self.targets_counted.value(row));
        Row {
            overflow: self.overflow.value(row),
            family,
            source: address(&self.source),
            destination: address(&self.destination),
            victim: address(&self.victim),
            protocol: self.protocol.value(row),
            class: TrafficClass::from_number(self.class.value(row)).unwrap_or(TrafficClass::Other),
            port: optional(&self.port, row),
            icmp,
            signatures: self.signatures.value(row),
            window: optional(&self.window, row),
            quoted_protocol: optional(&self.quoted_protocol, row),
            packets: self.packets.value(row),
            bytes: self.bytes.value(row),
            first_seen: self.first_seen.value(row).cast_unsigned(),
            last_seen: self.last_seen.value(row).cast_unsigned(),
            time_to_live_minimum: self.time_to_live_minimum.value(row),
            time_to_live_maximum: self.time_to_live_maximum.value(row),
            targets: self.targets.value(row),
            targets_counted: Counted::ALL.get(number).copied().unwrap_or_default(),
            source_port: self.source_port.value(row),
            destination_port: self.destination_port.value(row),
            time_to_live: self.time_to_live.value(row),
            tcp_flags: self.tcp_flags.value(row),
            length: self.packet_length.value(row),
            syn_length: self.syn_length.value(row),
            syn_window: self.syn_window.value(row),
        }
    }
}

/// What an IPv4 address begins with, as one of IPv6.
const MAPPED: [u8; 12] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

fn to_address(family: Family, bytes: &[u8]) -> Option<IpAddr> {
    let address = Ipv6Addr::from(*bytes.first_chunk::<16>()?);
    match family {
        Family::Ipv4 => address.to_ipv4_mapped().map(IpAddr::V4),
        Family::Ipv6 => Some(IpAddr::V6(address)),
    }
}

fn optional<T: ArrowPrimitiveType>(column: &PrimitiveArray<T>, row: usize) -> Option<T::Native> {
    column.is_valid(row).then(|| column.value(row))
}
