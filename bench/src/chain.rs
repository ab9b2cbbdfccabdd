//! The whole chain for a benchmark: generator, sensor, TLS, collector, store, each on a machine of its own.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::Result;
use tempfile::TempDir;
use testbed::collector::PORT;
use testbed::{
    Agent, Authority, Bpffs, Collector, Generator, Identity, Link, Namespace, Order, Pace, Sent, Uplink,
    find_agent, find_collector,
};

const SENSOR: &str = "bench";
/// Where the agent shows its metrics, in its namespace.
pub const METRICS: &str = "127.0.0.1:9464";

/// One for the generator, one for the sensor, one for the collector.
pub struct Machines {
    generator: Namespace,
    pub sensor: Namespace,
    collector: Namespace,
}

impl Machines {
    pub fn new() -> Result<Self> {
        Ok(Self { generator: Namespace::new()?, sensor: Namespace::new()?, collector: Namespace::new()? })
    }
}

/// What connects them, and where everything lies.
pub struct Chain<'a> {
    machines: &'a Machines,
    pub link: Link<'a>,
    uplink: Uplink<'a>,
    bpffs: Bpffs,
    folder: TempDir,
    authority: Authority,
    server: Identity,
    sensor: Identity,
    collector: PathBuf,
}

/// Tells whoever sends to end, however this value comes to its own.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl<'a> Chain<'a> {
    pub fn new(machines: &'a Machines) -> Result<Self> {
        let collector = find_collector()?;
        let link = Link::between(&machines.generator, &machines.sensor)?;
        let uplink = Uplink::between(&machines.sensor, &machines.collector, 0)?;
        let authority = Authority::new(&collector)?;
        let server = authority.server(&[&uplink.collector_address()])?;
        let sensor = authority.sensor(SENSOR, 1)?;
        Ok(Self {
            machines,
            link,
            uplink,
            bpffs: Bpffs::new()?,
            // On a disk, where spool and store are: a temporary folder may be memory.
            folder: tempfile::Builder::new().prefix("apus-bench-").tempdir_in("/var/tmp")?,
            authority,
            server,
            sensor,
            collector,
        })
    }

    /// Sends at this rate for as long as the work takes.
    pub fn while_sending<T>(
        &self,
        generator: &mut Generator,
        rate: NonZeroU32,
        work: impl FnOnce() -> Result<T>,
    ) -> Result<(Sent, T)> {
        let stop = AtomicBool::new(false);
        let order =
            Order { pace: Pace::PacketsPerSecond(rate), stop: Some(&stop), ..Order::packets(u64::MAX) };
        thread::scope(|scope| {
            let sending = scope.spawn(|| generator.send(&self.link, &order));
            // A panic of the work would otherwise wait for a sending that nobody ends.
            let done = {
                let _ends = Ends(&stop);
                work()
            };
            let sent = sending.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            Ok((sent, done?))
        })
    }

    pub fn start_collector(&self) -> Result<Collector<'a>> {
        Collector::start(
            &self.collector,
            &self.machines.collector,
            &self.uplink.collector_address(),
            &self.folder.path().join("store"),
            &self.authority,
            &self.server,
            &[],
        )
    }

    pub fn start_agent(&self, interval: &str) -> Result<Agent> {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let flags = [
            ["--sensor".to_owned(), SENSOR.into()],
            ["--interval".to_owned(), interval.into()],
            ["--spool".to_owned(), text(&self.folder.path().join("spool"))],
            ["--collector".to_owned(), format!("https://{}:{PORT}", self.uplink.collector_address())],
            ["--collector-ca".to_owned(), text(&self.authority.certificate())],
            ["--certificate".to_owned(), text(&self.sensor.certificate)],
            ["--key".to_owned(), text(&self.sensor.key)],
        ];
        let metrics = format!("--metrics={METRICS}");
        let flags: Vec<&str> =
            flags.iter().flatten().map(String::as_str).chain(std::iter::once(metrics.as_str())).collect();
        Agent::start(&find_agent()?, &self.link.telescope, &self.bpffs.path().join("sensor"), &flags, || {
            false
        })
    }
}
