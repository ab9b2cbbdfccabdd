//! Records read back, and checked again.

use std::io;

use bytes::Bytes;

use super::disk::Disk;
use super::record::{Entry, FLOWS_HEAD, INTERVAL_HEAD, Place, Series, decode};
use wire::Name;

/// Why a record is not here.
#[derive(Debug)]
pub enum Failure {
    Io(io::Error),
    /// These bytes are in its place.
    Damaged(Vec<u8>),
}

/// The counts of an interval.
pub fn counts(disk: &dyn Disk, name: &Name, place: Place) -> Result<Bytes, Failure> {
    payload(
        disk,
        Series::Counts,
        place,
        INTERVAL_HEAD,
        |entry| matches!(entry, Entry::Interval(head, _) if head.name == *name),
    )
}

/// The flows of an interval.
pub fn flows(disk: &dyn Disk, name: &Name, place: Place) -> Result<Bytes, Failure> {
    payload(
        disk,
        Series::Flows,
        place,
        FLOWS_HEAD,
        |entry| matches!(entry, Entry::Flows(found, _) if *found == *name),
    )
}

fn payload(
    disk: &dyn Disk,
    series: Series,
    place: Place,
    head: usize,
    is_it: impl Fn(&Entry<'_>) -> bool,
) -> Result<Bytes, Failure> {
    let file = series.file(place.at.segment);
    let bytes = disk.read(&file, place.at.offset, u64::from(place.length)).map_err(Failure::Io)?;
    match decode(place.at, &bytes) {
        Ok((entry, found)) if found == place && is_it(&entry) => Ok(Bytes::from(bytes).slice(head..)),
        _ => Err(Failure::Damaged(bytes)),
    }
}
