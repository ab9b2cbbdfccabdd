//! What becomes of an interval when it has ended: kept on disk, noted in the kernel, let go, shipped, and shown.
//!
//! An interval counts as kept when the spool says so. Then the kernel's record says that it is reported, and only then
//! may it be shipped. So an agent that dies at any moment leaves one truth: what is in the spool and not in the record
//! has been counted, and the next agent takes it up; what is in neither is still in the kernel.

mod options;
mod source;
mod take_up;

use std::sync::Arc;

use bytes::Bytes;
use wire::Name;

use crate::config::Settings;
use crate::ship::{self, ShipError, Shipper, Source, StatusHandle};
use crate::spool::{Interval, Merge, Say, Spool, SpoolError, Status};
use crate::state::State;

pub use options::{SpoolFlags, SpoolOptions, SpoolOptionsError, SpoolSettings};
pub use take_up::{TakeUpError, TakenUp};

/// Why intervals are not kept or shipped.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    #[error(transparent)]
    Spool(#[from] SpoolError),
    #[error(transparent)]
    TakeUp(#[from] TakeUpError),
    #[error(transparent)]
    Ship(#[from] ShipError),
}

/// What is read and checked before anything is attached.
pub struct Prepared {
    settings: SpoolSettings,
    shipper: Option<ship::Prepared>,
}

impl Prepared {
    /// Reads what shipping needs, where there is a spool.
    ///
    /// # Errors
    /// Where a certificate or key is not what it should be.
    pub fn new(settings: &Settings) -> Result<Option<Self>, KeepError> {
        let Some(spool) = settings.spool.clone() else { return Ok(None) };
        let shipper =
            settings.ship.as_ref().map(|ship| ship::Prepared::read(ship, &settings.sensor)).transpose()?;
        Ok(Some(Self { settings: spool, shipper }))
    }

    /// Opens the spool, takes up what an agent before this one left between spool and kernel, and starts to ship.
    ///
    /// # Errors
    /// Where the spool cannot be opened, or is not this sensor's.
    pub fn open(self, state: &State) -> Result<(Keeper, Option<TakenUp>), KeepError> {
        let Self { settings, shipper } = self;
        let say: Say = Box::new(|line| eprintln!("apus-sensor: spool: {line}"));
        let (spool, findings) = Spool::open(&settings.folder, settings.limits(), Box::new(Counts), say)?;
        findings.iter().for_each(|finding| eprintln!("apus-sensor: spool: {finding}"));
        let taken_up = take_up::take_up(&spool, state)?;
        spool.release_all();
        let spool = Arc::new(spool);
        let shipper =
            shipper.map(|shipper| shipper.start(Arc::clone(&spool) as Arc<dyn Source>)).transpose()?;
        Ok((Keeper { spool, shipper, flows_were_kept: true }, taken_up))
    }
}

/// The spool and who ships from it.
pub struct Keeper {
    spool: Arc<Spool>,
    shipper: Option<Shipper>,
    flows_were_kept: bool,
}

impl Keeper {
    /// Keeps an interval, so that no crash loses it.
    ///
    /// # Errors
    /// Where there is no room, or the disk fails.
    pub fn keep(&mut self, interval: &Interval) -> Result<(), SpoolError> {
        let has_flows = interval.flows.is_some();
        let kept = self.spool.append(interval)?;
        let flows_kept = kept.flows_kept || !has_flows;
        if !flows_kept && self.flows_were_kept {
            eprintln!(
                "apus-sensor: warning: no room for flows in the spool; counts are kept, and so it goes on"
            );
        }
        self.flows_were_kept = flows_kept;
        Ok(())
    }

    /// Lets it be shipped, after it has been noted.
    pub fn release(&self, name: &Name) {
        if let Err(error) = self.spool.release(name) {
            // It is shipped after the next start.
            eprintln!("apus-sensor: warning: {error}");
        }
        if let Some(shipper) = &self.shipper {
            shipper.wake();
        }
    }

    /// Asks the spool for its numbers.
    pub fn figures(&self) -> impl Fn() -> Status + Send + Sync + use<> {
        let spool = Arc::clone(&self.spool);
        move || spool.status()
    }

    /// How shipping goes, where something is shipped.
    #[must_use]
    pub fn shipping(&self) -> Option<StatusHandle> {
        self.shipper.as_ref().map(Shipper::status)
    }

    /// Ends the shipper.
    pub fn end(&mut self) {
        if let Some(shipper) = self.shipper.take() {
            shipper.stop(Shipper::LAST_CHANCE);
        }
    }
}

/// Batches are merged as the wire says.
struct Counts;

impl Merge for Counts {
    fn merge(&self, counts: &[Bytes]) -> Result<Option<Bytes>, Box<dyn std::error::Error + Send + Sync>> {
        Ok(wire::merge(counts)?)
    }
}
