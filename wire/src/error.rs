//! Why a batch cannot be read or made.

use arrow_schema::ArrowError;

use crate::dimension::CounterError;

/// Why a batch cannot be read or made.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    #[error("not a batch: {0}")]
    Garbage(&'static str),
    #[error("it ends {missing} bytes too early, in table {table}")]
    Short { table: &'static str, missing: u64 },
    #[error("it has {0} bytes after its last table")]
    Long(usize),
    #[error(
        "format version {found}, and this program knows {}: the newer of the two programs is to be kept",
        crate::FORMAT_VERSION
    )]
    Version { found: String },
    #[error("table {found}, where table {expected} belongs")]
    Table { expected: &'static str, found: String },
    #[error("table {table} has other columns than format version {} has: {found}", crate::FORMAT_VERSION)]
    Columns { table: &'static str, found: String },
    #[error("it would unpack to {bytes} bytes, at most {most} are taken")]
    Bomb { bytes: u64, most: u64 },
    #[error("it has {rows} rows in table {table}, at most {most} are taken")]
    Rows { table: &'static str, rows: u64, most: u64 },
    #[error("it is packed {ratio} to one, at most {most} to one is taken")]
    Ratio { ratio: u64, most: u64 },
    #[error("table {table} cannot be unpacked: {source}")]
    Arrow { table: &'static str, source: ArrowError },
    #[error("table {table} cannot be unpacked: it makes the decoder panic")]
    Panic { table: &'static str },
    #[error("table {table}, row {row}: {what}")]
    Value { table: &'static str, row: usize, what: String },
    #[error(transparent)]
    Counter(#[from] CounterError),
    #[error("cannot make table {table}: {source}")]
    Encode { table: &'static str, source: ArrowError },
}
