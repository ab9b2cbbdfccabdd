//! A store with made-up days, and reports of it.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use serde_json::Value;
use wire::Row;

use super::super::*;
use crate::config::{Options, Settings};
use crate::report::model::Figure;
use crate::store::conformance::{Sample, flow};
use crate::store::sqlite::{SqliteOptions, SqliteReader, SqliteStore};
use crate::store::{Day, NANOSECONDS_OF_DAY, RegionTable, Regions, Store as _};

/// The first day of the period; as many days before are the one before.
pub const FIRST: u32 = 19_787;

/// Tells regions by the first byte.
struct ByFirstByte;

impl Regions for ByFirstByte {
    fn table(&self, _day: Day) -> Result<Arc<dyn RegionTable>, String> {
        Ok(Arc::new(Self))
    }
}

impl RegionTable for ByFirstByte {
    fn region(&self, address: &IpAddr) -> [u8; 2] {
        match address {
            IpAddr::V4(address) if address.octets()[0] == 10 => *b"JP",
            IpAddr::V4(address) if address.octets()[0] == 20 => *b"CN",
            IpAddr::V4(address) if address.octets()[0] == 30 => *b"US",
            _ => *b"ZZ",
        }
    }

    fn version(&self) -> u32 {
        7
    }
}

pub struct Lab {
    pub folder: tempfile::TempDir,
    pub store: SqliteStore,
}

impl Lab {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = SqliteOptions { regions: Arc::new(ByFirstByte), ..SqliteOptions::default() };
        let store = SqliteStore::open(&folder.path().join("store"), options).unwrap();
        Self { folder, store }
    }

    /// Has a sensor be up for a share of a day, counted from the first of the period.
    pub fn day(&mut self, sensor: &str, day: i32, share: f64, rows: Vec<Row>) {
        let start = Day(FIRST.checked_add_signed(day).unwrap()).start();
        let rows = rows.into_iter().map(|row| Row { first_seen: start, last_seen: start, ..row });
        let sample = Sample {
            end: start + (NANOSECONDS_OF_DAY as f64 * share) as u64,
            ..Sample::new(sensor, u64::from(FIRST.checked_add_signed(day).unwrap()), start).with(rows)
        };
        assert_eq!(self.store.commit(&[sample.incoming()]).unwrap(), [crate::store::Outcome::Stored]);
    }

    fn reader(&self) -> Box<dyn Reader> {
        Box::new(SqliteReader::open(&self.folder.path().join("store")).unwrap())
    }

    fn settings(&self) -> Settings {
        let list = self.folder.path().join("list.txt");
        std::fs::write(&list, "20.0.0.0/24\n30.0.0.1\n").unwrap();
        let text = format!(
            "home = [\"JP\"]\ngroups.scanners = {list:?}\nservices.names = {{ \"23/tcp\" = \"telnet\" }}"
        );
        toml::from_str::<Options>(&text).unwrap().resolve().unwrap()
    }

    pub fn try_report(&self, days: u32, sensors: &[&str], toml: &str) -> Result<Report, BuildError> {
        let path = self.folder.path().join("sections.toml");
        std::fs::write(&path, toml).unwrap();
        let sections = Sections::read(&path).unwrap();
        let settings = self.settings();
        let sensors: Vec<String> = sensors.iter().map(|sensor| (*sensor).into()).collect();
        let inputs = Inputs {
            period: ReportPeriod::of_days(Day(FIRST), Day(FIRST + days)).unwrap(),
            sensors: &sensors,
            sections: &sections,
            services: &Services::open(&settings).unwrap(),
            groups: &Groups::open(&settings).unwrap(),
            home: &settings.home,
        };
        build(&*self.reader(), vec![self.reader(), self.reader()], &inputs)
    }

    pub fn report(&self, days: u32, toml: &str) -> Report {
        self.try_report(days, &[], toml).unwrap()
    }
}

pub fn facts<'a>(report: &'a Report, id: &str) -> &'a BTreeMap<String, Value> {
    &report.sections.iter().find(|section| section.id == id).unwrap_or_else(|| panic!("no {id}")).facts
}

pub fn figure<'a>(report: &'a Report, id: &str) -> &'a Figure {
    let section = report.sections.iter().find(|section| section.id == id).unwrap();
    section
        .blocks
        .iter()
        .find_map(|block| if let Block::Figure(figure) = block { Some(figure) } else { None })
        .unwrap()
}

pub fn tcp(source: &str, port: u16, packets: u64) -> Row {
    flow(source, 6, port, packets, 0)
}
