//! What is known of an interval besides its name.

use bytes::Bytes;
use wire::{Batch, Limits, Name};

/// What a batch says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    pub sensor: String,
    /// End of the interval, nanoseconds since the Unix epoch.
    pub end: u64,
}

/// The part with the counts is another interval's.
#[derive(Debug, thiserror::Error)]
#[error(
    "{name} was to be sent, but what the spool has under that name is {found}; it is kept, please report this"
)]
pub struct WrongName {
    name: Name,
    found: Name,
}

/// Reads what the part with the counts says. `None` where it cannot be read: whether it can be stored is for the
/// collector to say, which may know a format of before or after this agent's.
///
/// # Errors
/// Where it is that of another interval.
pub fn read(name: &Name, counts: &Bytes) -> Result<Option<Label>, WrongName> {
    let Ok(Batch { header, .. }) = Batch::read(counts, &Limits::default()) else {
        return Ok(None);
    };
    if header.name() != *name {
        return Err(WrongName { name: *name, found: header.name() });
    }
    Ok(Some(Label { sensor: header.sensor, end: header.end }))
}
