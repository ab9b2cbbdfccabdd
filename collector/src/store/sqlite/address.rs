//! Addresses, regions, and sets of sensors, as columns hold them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use rusqlite::ToSql;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef};

/// An address as a column holds it: of IPv4 an integer, shifted so that four bytes do for each; of IPv6 its bytes. In
/// SQLite's order, integers first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Address {
    V4(i32),
    V6([u8; 16]),
}

impl From<IpAddr> for Address {
    fn from(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self::V4((address.to_bits() ^ 1 << 31).cast_signed()),
            IpAddr::V6(address) => Self::V6(address.octets()),
        }
    }
}

impl From<Address> for IpAddr {
    fn from(address: Address) -> Self {
        match address {
            Address::V4(number) => Self::V4(Ipv4Addr::from_bits(number.cast_unsigned() ^ 1 << 31)),
            Address::V6(octets) => Self::V6(Ipv6Addr::from(octets)),
        }
    }
}

impl ToSql for Address {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::V4(number) => (*number).into(),
            Self::V6(octets) => ToSqlOutput::Borrowed(ValueRef::Blob(octets)),
        })
    }
}

impl FromSql for Address {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value {
            ValueRef::Integer(number) => i32::try_from(number).map(Self::V4).map_err(FromSqlError::other),
            ValueRef::Blob(bytes) => bytes.try_into().map(Self::V6).map_err(|_| FromSqlError::InvalidType),
            _ => Err(FromSqlError::InvalidType),
        }
    }
}

/// The number of a region, as columns hold it.
pub fn region_number(region: [u8; 2]) -> i64 {
    crate::store::region_number(region).into()
}

/// The region with this number; with another one, none that is known.
pub fn region_of(number: i64) -> [u8; 2] {
    crate::store::region_of(u16::try_from(number).unwrap_or(0))
}

/// The highest id that a sensor can have. A number beyond it is damage, and would take as many bits.
const MOST_SENSORS: usize = 1 << 24;

/// A set of sensors: the only one's id, or a bit for each id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SensorSet(Vec<u8>);

impl SensorSet {
    pub fn add(&mut self, value: ValueRef<'_>) -> FromSqlResult<()> {
        match value {
            ValueRef::Integer(sensor) => {
                let id = usize::try_from(sensor).ok().filter(|id| *id <= MOST_SENSORS);
                let sensor = id.ok_or(FromSqlError::OutOfRange(sensor))?;
                if self.0.len() <= sensor / 8 {
                    self.0.resize(sensor / 8 + 1, 0);
                }
                self.0[sensor / 8] |= 1 << (sensor % 8);
            }
            ValueRef::Blob(bits) => {
                if self.0.len() < bits.len() {
                    self.0.resize(bits.len(), 0);
                }
                self.0.iter_mut().zip(bits).for_each(|(all, more)| *all |= more);
            }
            _ => return Err(FromSqlError::InvalidType),
        }
        Ok(())
    }

    pub fn count(&self) -> i64 {
        self.0.iter().map(|byte| i64::from(byte.count_ones())).sum()
    }

    pub fn ids(&self) -> impl Iterator<Item = i64> {
        let bits = self.0.iter().enumerate().flat_map(|(place, byte)| {
            (0..8).filter(move |bit| byte & 1 << bit != 0).map(move |bit| place * 8 + bit)
        });
        bits.filter_map(|id| i64::try_from(id).ok())
    }

    pub fn into_bits(self) -> Vec<u8> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn regions_have_numbers() {
        for number in 1..=676 {
            let region = region_of(number);
            assert_eq!(region_number(region), if region == *b"ZZ" { 0 } else { number });
        }
        assert_eq!(region_of(region_number(*b"JP")), *b"JP");
        assert_eq!((region_of(0), region_number(*b"?!")), (*b"ZZ", 0));
    }

    #[test]
    fn a_damaged_id_takes_no_memory() {
        let mut set = SensorSet::default();
        for id in [-1, MOST_SENSORS as i64 + 1, i64::MAX] {
            assert!(set.add(ValueRef::Integer(id)).is_err(), "{id}");
        }
        assert_eq!((set.count(), set.into_bits().len()), (0, 0));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn addresses_come_back_in_their_order(one: IpAddr, other: IpAddr) {
            prop_assert_eq!(IpAddr::from(Address::from(one)), one);
            prop_assert_eq!(Address::from(one).cmp(&Address::from(other)), one.cmp(&other));
        }

        #[test]
        fn sets_of_sensors_are_sets(ids in proptest::collection::vec(0_i64..3000, 1..20)) {
            let mut one = SensorSet::default();
            let mut other = SensorSet::default();
            for (place, &id) in ids.iter().enumerate() {
                if place % 2 == 0 { &mut one } else { &mut other }.add(ValueRef::Integer(id)).unwrap();
            }
            one.add(ValueRef::Blob(&other.into_bits())).unwrap();
            let set: std::collections::BTreeSet<_> = ids.into_iter().collect();
            prop_assert_eq!(one.count(), set.len() as i64);
            prop_assert_eq!(one.ids().collect::<Vec<_>>(), set.into_iter().collect::<Vec<_>>());
        }
    }
}
