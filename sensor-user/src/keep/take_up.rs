//! Taking up what an agent left that was killed between keeping an interval and noting it.

use wire::{Batch, Header, Limits, Name, WireError, dimension};

use crate::counters::Totals;
use crate::spool::{Spool, SpoolError};
use crate::state::State;

/// Why spool and kernel do not fit together.
#[derive(Debug, thiserror::Error)]
pub enum TakeUpError {
    #[error(
        "the spool has {name}, and the sensor in the kernel has reported {reported} intervals of that epoch: they are not \
         of one history; give this sensor another spool, or run `apus-sensor detach` to begin anew"
    )]
    Ahead { name: Name, reported: u64 },
    #[error("{name} was kept and not noted, and cannot be read: {source}")]
    Unread { name: Name, source: SpoolError },
    #[error("{name} was kept and not noted, and cannot be understood: {source}")]
    Unclear { name: Name, source: WireError },
    #[error("{name} was kept and not noted, and says more than the kernel has counted")]
    TooMuch { name: Name },
}

/// An interval that was taken up.
pub struct TakenUp {
    pub header: Header,
    pub counted: Totals,
}

/// Notes the interval that is in the spool and not in the kernel's record, if there is one.
///
/// # Errors
/// Where the spool is of another history than the kernel.
pub fn take_up(spool: &Spool, state: &State) -> Result<Option<TakenUp>, TakeUpError> {
    let control = state.control();
    let Some(name) = spool.last(control.epoch_unix_nanoseconds) else { return Ok(None) };
    if name.last <= control.sequence {
        return Ok(None);
    }
    if name.first != control.sequence + 1 || name.last != name.first {
        return Err(TakeUpError::Ahead { name, reported: control.sequence });
    }
    let counts = spool.read_counts(&name).map_err(|source| TakeUpError::Unread { name, source })?;
    let batch =
        Batch::read(&counts, &Limits::default()).map_err(|source| TakeUpError::Unclear { name, source })?;
    let mut counted = Totals::default();
    let unclear = |source: wire::CounterError| TakeUpError::Unclear { name, source: source.into() };
    // By the windows of the record, to which later ones were only added.
    dimension::add_to(&mut counted, &batch.counters, &state.windows()).map_err(unclear)?;
    let mut totals = state.reported();
    totals.merge(&counted);
    if state.watcher.glance().since(&totals).is_none() {
        return Err(TakeUpError::TooMuch { name });
    }
    state.set_reported(&totals, batch.header.end);
    Ok(Some(TakenUp { header: batch.header, counted }))
}
