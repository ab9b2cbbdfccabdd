//! What can be wrong with a spool.

use std::io;
use std::path::PathBuf;

use wire::Name;

/// Why the spool did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    #[error("another apus-sensor has the spool {} already: give each agent a spool of its own", .folder.display())]
    Busy { folder: PathBuf },
    #[error("cannot use {} as a spool: {source}; it has to be this user's to write", .folder.display())]
    Folder { folder: PathBuf, source: io::Error },
    #[error("cannot read the spool's {file}: {source}")]
    Read { file: String, source: io::Error },
    #[error(
        "the spool's {file} has format {version}, and this apus-sensor knows {known}: run the apus-sensor that wrote \
         it until the spool is empty, or give this one another spool",
        known = super::record::VERSION
    )]
    Version { file: String, version: u16 },
    #[error("a spool of {given} bytes is too small: give it {least} or more")]
    TooSmall { given: u64, least: u64 },
    #[error(
        "the spool is full: no room for {needed} bytes of {name} even with all flows dropped and old counts merged; \
         it goes on once the collector takes intervals again, or with a larger spool"
    )]
    Full { name: Name, needed: u64 },
    #[error(
        "{name} needs a spool of {needed} bytes even if nothing else is in it, and this one may take {max_bytes}: \
         give it more"
    )]
    TooSmallFor { name: Name, needed: u64, max_bytes: u64 },
    #[error("{name} is in the spool, or was, already")]
    AlreadyKept { name: Name },
    #[error("{name} ends before it begins: its first sequence is its last one or before it")]
    Backwards { name: Name },
    #[error("{length} bytes of {name} are too long for a record of the spool: it takes {most}", most = super::record::MAXIMUM_BODY)]
    TooLong { name: Name, length: usize },
    #[error("{name} is not in the spool, or not any more: it was stored, or merged with others")]
    Unknown { name: Name },
    #[error("{name} is not released yet")]
    Unreleased { name: Name },
    #[error(
        "{name} is damaged, in {file} at {offset}: its counts are lost, and what is there is in quarantine"
    )]
    Damaged { name: Name, file: String, offset: u64 },
    #[error("cannot write to the spool: {source}")]
    Write { source: io::Error },
}

/// Whether a file system has no room.
pub fn no_room(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// Whether that is so because of the disk, and not because of the spool's size.
pub fn is_full_disk(error: &io::Error) -> bool {
    no_room(error) && error.raw_os_error().is_some()
}

/// What would be written is more than the spool may take.
pub fn over_limit() -> io::Error {
    io::Error::new(io::ErrorKind::QuotaExceeded, "it would be more than the spool may take")
}

/// What was found when the spool was opened, that somebody should know of.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Finding {
    #[error(
        "{file} ends in the middle of a record, at {offset}: {length} bytes that were never acknowledged"
    )]
    Torn { file: String, offset: u64, length: u64 },
    #[error(
        "{file} is damaged at {offset}: {length} bytes cannot be read; nothing that is here now will be merged"
    )]
    Damaged { file: String, offset: u64, length: u64 },
    #[error("{file} has a damaged header; its records are read all the same")]
    Header { file: String },
    #[error("{file} is none of the spool's; it is left alone")]
    Foreign { file: String },
    #[error(
        "flows of {intervals} intervals, {rows} rows of {packets} packets, are not here any more: their counts are"
    )]
    FlowsMissing { intervals: u64, rows: u64, packets: u64 },
    #[error(
        "{name} was sent, and its record cannot be read: unless the collector has it, its counts are lost"
    )]
    Lost { name: Name },
    #[error("no room in quarantine for {length} unreadable bytes of {file} at {offset}")]
    QuarantineFull { file: String, offset: u64, length: u64 },
}
