//! Regions and the versions that told them, as columns hold both.

use std::cell::RefCell;
use std::net::IpAddr;
use std::sync::Arc;

use super::address::region_number;
use crate::store::{Day, RegionTable, Regions, StoreError};

/// Versions that one group of batches is told by. Each may have to be read first, and has some megabytes: what a sensor
/// says of its times must not decide how long others wait.
const MOST_VERSIONS: usize = 8;

/// The tables of the days that a group of batches has rows of. Each is asked for once: all rows of a day are told by one
/// table, whatever comes meanwhile.
pub struct Places<'a> {
    regions: &'a dyn Regions,
    /// The day of the row before is the last.
    tables: RefCell<Vec<Told>>,
}

/// A day, and what tells of it.
struct Told {
    day: Day,
    table: Arc<dyn RegionTable>,
    /// Whether it is the day's own.
    is_own: bool,
}

impl<'a> Places<'a> {
    pub fn new(regions: &'a dyn Regions) -> Self {
        Self { regions, tables: RefCell::new(Vec::new()) }
    }

    /// The region of a source, and by which version it is told, as one number: see the schema. Days beyond those with
    /// [`MOST_VERSIONS`] are told by the table of the nearest one.
    pub fn place(&self, source: Option<&IpAddr>, day: Day) -> Result<i64, StoreError> {
        let mut tables = self.tables.borrow_mut();
        match tables.iter().rposition(|told| told.day == day) {
            // Rows that follow each other are mostly of one day.
            Some(place) => {
                let last = tables.len() - 1;
                tables.swap(place, last);
            }
            None => {
                let (table, is_own) = match nearest(&tables, day) {
                    Some(table) => (table, false),
                    None => (self.regions.table(day).map_err(|what| StoreError::Regions { what })?, true),
                };
                tables.push(Told { day, table, is_own });
            }
        }
        let Some(Told { table, .. }) = tables.last() else { return Ok(0) };
        let region = source.map_or(0, |source| region_number(table.region(source)));
        Ok(i64::from(table.version()) << 10 | region)
    }
}

/// The table of the day that is nearest, the earlier of two, once there are as many versions as there may be.
fn nearest(tables: &[Told], day: Day) -> Option<Arc<dyn RegionTable>> {
    let mut versions: Vec<u32> = tables.iter().map(|told| told.table.version()).collect();
    versions.sort_unstable();
    versions.dedup();
    let own = tables.iter().filter(|told| told.is_own);
    let nearest = own.min_by_key(|told| (told.day.0.abs_diff(day.0), told.day.0));
    nearest.filter(|_| versions.len() >= MOST_VERSIONS).map(|told| Arc::clone(&told.table))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// A table of its own for each day, but for days below ten; and all that were asked for.
    #[derive(Default)]
    struct Daily(Mutex<Vec<u32>>);

    struct One(u32);

    impl Regions for Daily {
        fn table(&self, Day(day): Day) -> Result<Arc<dyn RegionTable>, String> {
            self.0.lock().unwrap().push(day);
            Ok(Arc::new(One(if day < 10 { 9 } else { day })))
        }
    }

    impl RegionTable for One {
        fn region(&self, _address: &IpAddr) -> [u8; 2] {
            *b"JP"
        }

        fn version(&self) -> u32 {
            self.0
        }
    }

    #[test]
    fn a_group_has_few_versions_and_asks_once_for_each_day() {
        let daily = Daily::default();
        let places = Places::new(&daily);
        let version = |day| places.place(None, Day(day)).unwrap() >> 10;
        for _ in 0..2 {
            // Days of one version are not counted, and seven more are told by their own.
            assert!((0..10).all(|day| version(day) == 9));
            assert!([20, 30, 40, 50, 60, 70, 80].iter().all(|day| version(*day) == i64::from(*day)));
            assert_eq!([15, 26, 25, 99, 81, 42].map(version), [20, 30, 20, 80, 80, 40]);
        }
        let asked = daily.0.lock().unwrap();
        assert_eq!(asked.len(), 17);
        assert_eq!(
            places.place("192.0.2.1".parse().ok().as_ref(), Day(20)).unwrap(),
            20 << 10 | region_number(*b"JP")
        );
    }
}
