//! The machines that rounds take place on: one for the generator, one for the sensor, two for the collector.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use testbed::{Authority, Identity, Namespace, SmallDisk, Uplink, find_collector};

use crate::agent::Host;

/// What the sensor is called.
pub const SENSOR: &str = "chain";
/// Room for a spool, and for a store.
const DISK: u64 = 96 << 20;

/// The machines, and what rounds share.
pub struct Scene<'a> {
    pub host: &'a Host,
    pub collectors: [&'a Namespace; 2],
    pub uplinks: [Uplink<'a>; 2],
    pub authority: Authority,
    pub server: Identity,
    pub good: Identity,
    pub expired: Identity,
    pub collector: PathBuf,
    pub spool_disk: SmallDisk,
    pub store_disk: SmallDisk,
    /// Makes a process believe in another time.
    pub clock: PathBuf,
}

impl<'a> Scene<'a> {
    /// Connects the machines, and issues certificates.
    ///
    /// # Errors
    /// Where this process may not, or a program is absent.
    pub fn new(host: &'a Host, collectors: [&'a Namespace; 2]) -> Result<Self> {
        let collector = find_collector()?;
        let uplinks = [
            Uplink::between(&host.namespace, collectors[0], 0)?,
            Uplink::between(&host.namespace, collectors[1], 1)?,
        ];
        let authority = Authority::new(&collector)?;
        let addresses = [uplinks[0].collector_address(), uplinks[1].collector_address()];
        let server = authority.server(&[&addresses[0], &addresses[1]])?;
        let good = authority.sensor(SENSOR, 30)?;
        let clock = clock_library()?;
        let mut then = std::process::Command::new(&collector);
        then.env("LD_PRELOAD", &clock).env("FAKETIME", "-40d");
        let expired = authority.sensor_with(&mut then, SENSOR, 30)?;
        let (spool_disk, store_disk) = (SmallDisk::new(DISK)?, SmallDisk::new(DISK)?);
        Ok(Self {
            host,
            collectors,
            uplinks,
            authority,
            server,
            good,
            expired,
            collector,
            spool_disk,
            store_disk,
            clock,
        })
    }
}

/// The library of Debian's package libfaketime, whatever this machine's architecture.
fn clock_library() -> Result<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib").context("no /usr/lib")?.filter_map(Result::ok);
    folders
        .map(|folder| folder.path().join("faketime/libfaketime.so.1"))
        .find(|library| library.exists())
        .context("libfaketime is not installed: `cargo xtask setup` installs it")
}

/// Takes all the room that a disk has, until it is dropped.
pub struct Filled(PathBuf);

impl Filled {
    /// Fills it.
    ///
    /// # Errors
    /// Where the file cannot even be made.
    pub fn new(disk: &Path) -> Result<Self> {
        Self::but_for(disk, 0)
    }

    /// Fills it but for so many bytes.
    ///
    /// # Errors
    /// Where the file cannot even be made.
    pub fn but_for(disk: &Path, bytes: u64) -> Result<Self> {
        use std::io::Write as _;
        let path = disk.join("filled");
        let mut file = std::fs::File::create(&path)?;
        let block = vec![0; 1 << 16];
        // Until there is no more room for a block, and then for a byte.
        while file.write_all(&block).is_ok() {}
        while file.write_all(&[0]).is_ok() {}
        let length = file.metadata()?.len();
        file.set_len(length.saturating_sub(bytes))?;
        Ok(Self(path))
    }
}

impl Drop for Filled {
    fn drop(&mut self) {
        let _gone_with_its_disk = std::fs::remove_file(&self.0);
    }
}
