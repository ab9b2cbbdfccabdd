//! The shipper against collectors that answer as they should, and as they should not.

mod answers;
mod authority;
mod certificates;
mod collector;
mod order;
mod proxy;
mod several;
mod shipping;
mod spool;
mod stopping;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use reqwest::Url;

use authority::Authority;
use spool::Spool;

use super::{Pace, Prepared, ShipSettings, Shipper};

/// How long what has to come may take on a busy machine.
const LONGEST: Duration = Duration::from_secs(60);

/// Waits for something that has to become so.
#[track_caller]
fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + LONGEST;
    while !is_so() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A sensor with certificates of its own, and a spool.
struct Bed {
    folder: tempfile::TempDir,
    authority: Authority,
    spool: Arc<Spool>,
    said: Arc<Mutex<Vec<String>>>,
}

impl Bed {
    fn new(intervals: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new("the collector's");
        std::fs::write(folder.path().join("ca.pem"), authority.pem()).unwrap();
        let bed = Self { folder, authority, spool: Spool::of(intervals), said: Arc::default() };
        bed.install(&bed.authority.client("sensor", None));
        bed
    }

    /// Puts certificate and key where the shipper reads them, as a renewal does: written aside, and renamed.
    fn install(&self, (certificate, key): &(String, String)) {
        for (name, text) in [("sensor.key", key), ("sensor.pem", certificate)] {
            let path = self.folder.path().join(name);
            std::fs::write(path.with_extension("new"), text).unwrap();
            std::fs::rename(path.with_extension("new"), path).unwrap();
        }
    }

    fn settings(&self, urls: &[&str]) -> ShipSettings {
        let file = |name| self.folder.path().join(name);
        ShipSettings {
            urls: urls.iter().map(|url| super::parse_collector(url).unwrap()).collect(),
            ca: file("ca.pem"),
            certificate: file("sensor.pem"),
            key: file("sensor.key"),
            proxy: None,
            concurrency: 4,
            pace: Pace {
                first_pause: Duration::from_millis(5),
                longest_pause: Duration::from_millis(50),
                refused_pause: Duration::from_millis(200),
                return_after: Duration::from_millis(200),
                connect: Duration::from_secs(5),
                answer: Duration::from_secs(20),
                slowest_bytes_per_second: 1 << 20,
                reload: Duration::from_millis(20),
                sum: Duration::from_millis(100),
            },
        }
    }

    fn start(&self, settings: &ShipSettings) -> Shipper {
        let said = Arc::clone(&self.said);
        let say = Arc::new(move |line: &str| said.lock().unwrap().push(line.to_owned()));
        let spool: Arc<Spool> = Arc::clone(&self.spool);
        Prepared::read(settings, "sensor").unwrap().start_saying(spool, say).unwrap()
    }

    fn said(&self, words: &str) -> usize {
        self.said.lock().unwrap().iter().filter(|line| line.contains(words)).count()
    }

    /// Ships everything there is to these addresses, and ends.
    fn ship_all(&self, settings: &ShipSettings) {
        let shipper = self.start(settings);
        eventually("all stored", || self.spool.is_empty());
        shipper.stop(LONGEST);
    }
}

fn url(port: u16) -> String {
    format!("https://localhost:{port}")
}

fn proxy_url(text: &str) -> Option<Url> {
    Some(Url::parse(text).unwrap())
}
