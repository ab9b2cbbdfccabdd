//! `export`: a table of the store as a file, for whatever reads Parquet or CSV.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use arrow_csv::WriterBuilder;
use files::part;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use crate::store::{Period, StoreArguments, StoreError, Table, moment};

/// Who may read a file: as the process's mask has it.
const MODE: u32 = 0o666;
/// Rows of a row group: what is in memory at once.
const ROWS_OF_GROUP: usize = 1 << 18;

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    Parquet,
    Csv,
}

#[derive(Clone, Debug, clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    pub store: StoreArguments,
    /// intervals, counters, flows, tuples, port_day, source_day, counter_day, uptime_day, window_day, port_hour, or uptime_hour.
    #[arg(long)]
    pub table: Table,
    /// First day (2026-01-31) or moment (2026-01-31T12:00:00Z), UTC.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub from: Option<u64>,
    /// First day or moment after the period.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub to: Option<u64>,
    #[arg(long, value_enum, default_value = "parquet")]
    pub format: Format,
    /// The file, replaced where it is there, once the new one is whole.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

/// Why there is no file.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the period ends before it begins: --to is the first moment that is not exported")]
    Period,
    #[error("cannot write {}: {what}", .path.display())]
    Write { path: PathBuf, what: String },
    #[error("cannot print: {0}")]
    Print(#[from] io::Error),
}

/// Writes the file.
///
/// # Errors
/// Where the store cannot be read, or the file cannot be written; no part of it is left then.
pub fn run(arguments: &Arguments, output: &mut impl Write) -> Result<(), ExportError> {
    let Arguments { store, table, from, to, format, out } = arguments;
    let period = Period { from: from.unwrap_or(Period::ALL.from), to: to.unwrap_or(Period::ALL.to) };
    if period.to < period.from {
        return Err(ExportError::Period);
    }
    let reader = store.reader()?;
    let written = write(out, *format, |take| reader.scan(*table, period, take));
    let rows = written.inspect_err(|_| part::remove(out))?;
    part::name(out).map_err(|error| failed(out, &error))?;
    writeln!(output, "{rows} rows of {} in {}", table.name(), out.display())?;
    Ok(())
}

fn failed(path: &Path, error: &dyn std::error::Error) -> ExportError {
    ExportError::Write { path: path.into(), what: error.to_string() }
}

type Take<'a> = &'a mut dyn FnMut(RecordBatch) -> Result<(), StoreError>;

/// Writes what `scan` hands over to the part of a file, and says how many rows that was.
fn write(
    path: &Path,
    format: Format,
    scan: impl FnOnce(Take<'_>) -> Result<(), StoreError>,
) -> Result<u64, ExportError> {
    let (part, file) = part::create(path, MODE).map_err(|error| failed(path, &error))?;
    let mut rows = 0;
    let refused = |error: &dyn std::error::Error| StoreError::Rows(format!("{}: {error}", path.display()));
    match format {
        Format::Csv => {
            let file = BufWriter::new(file);
            let mut writer = WriterBuilder::new().with_header(true).build(file);
            scan(&mut |record| {
                rows += record.num_rows() as u64;
                writer.write(&record).map_err(|error| refused(&error))
            })?;
            writer.into_inner().into_inner().map_err(|error| failed(path, &error))?;
        }
        Format::Parquet => {
            let mut file = Some(file);
            let mut writer = None;
            scan(&mut |record| {
                rows += record.num_rows() as u64;
                if let Some(file) = file.take() {
                    let properties = WriterProperties::builder()
                        .set_compression(Compression::ZSTD(ZstdLevel::default()))
                        .set_max_row_group_row_count(Some(ROWS_OF_GROUP))
                        .build();
                    let made = ArrowWriter::try_new(file, record.schema(), Some(properties));
                    writer = Some(made.map_err(|error| refused(&error))?);
                }
                writer
                    .as_mut()
                    .map_or(Ok(()), |writer| writer.write(&record))
                    .map_err(|error| refused(&error))
            })?;
            if let Some(writer) = writer {
                writer.close().map_err(|error| failed(path, &error))?;
            }
        }
    }
    File::open(part).and_then(|file| file.sync_all()).map_err(|error| failed(path, &error))?;
    Ok(rows)
}

#[cfg(test)]
mod tests;
