//! Flows in files, for whatever reads Parquet or CSV: one schema, two formats.

mod columns;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use arrow_schema::ArrowError;
use files::part;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

use super::Flows;
use crate::config::FlowsFormat;
use crate::flows::FlowKey;
use columns::Columns;

/// Who may read a file: as the process's mask has it.
const MODE: u32 = 0o666;
/// Rows that are put together before they are written.
const ROWS_AT_ONCE: usize = 1 << 16;

/// Why flows are not in a file.
#[derive(Debug, thiserror::Error)]
pub enum FlowsFileError {
    #[error("flows are written as Parquet or CSV: name a file that ends with .parquet or .csv, not {}", .0.display())]
    Format(PathBuf),
    #[error("another apus-sensor writes flows to {} already: name another folder with --flows", .path.display())]
    Busy { path: PathBuf },
    #[error("cannot make {} for flows: {source}; it has to be this user's to write, without privileges", .path.display())]
    Create { path: PathBuf, source: io::Error },
    #[error("cannot write flows to {}: {source}", .path.display())]
    Csv { path: PathBuf, source: ArrowError },
    #[error("cannot write flows to {}: {source}", .path.display())]
    Parquet { path: PathBuf, source: ParquetError },
    #[error("cannot finish the file {} of flows: {source}", .path.display())]
    Finish { path: PathBuf, source: io::Error },
}

/// A file that flows are written to, an interval after the other.
///
/// It has another name until it is whole, so that who finds the file finds all of it.
pub struct FlowsFile {
    path: PathBuf,
    columns: Columns,
    /// Until it is finished.
    writer: Option<Writer>,
}

enum Writer {
    Csv(Box<arrow_csv::Writer<File>>),
    Parquet(Box<ArrowWriter<File>>),
}

/// The format that a file's name asks for.
///
/// # Errors
/// Where it asks for neither.
pub fn format_of(path: &Path) -> Result<FlowsFormat, FlowsFileError> {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("csv") => Ok(FlowsFormat::Csv),
        Some("parquet") => Ok(FlowsFormat::Parquet),
        _ => Err(FlowsFileError::Format(path.into())),
    }
}

/// The ending of files in a format.
#[must_use]
pub const fn ending(format: FlowsFormat) -> &'static str {
    match format {
        FlowsFormat::Csv => "csv",
        FlowsFormat::Parquet => "parquet",
    }
}

impl FlowsFile {
    /// Makes the file, in the place of one that may be there.
    ///
    /// # Errors
    /// Where the file system is against it.
    pub fn create(path: &Path, format: FlowsFormat, key: FlowKey) -> Result<Self, FlowsFileError> {
        let columns = Columns::new(key);
        let (_, file) = part::create(path, MODE)
            .map_err(|source| FlowsFileError::Create { path: path.into(), source })?;
        let writer = match format {
            FlowsFormat::Csv => {
                let builder = arrow_csv::WriterBuilder::new().with_header(true);
                Writer::Csv(Box::new(builder.build(file)))
            }
            FlowsFormat::Parquet => {
                let level = ZstdLevel::default();
                let properties =
                    WriterProperties::builder().set_compression(Compression::ZSTD(level)).build();
                let writer = ArrowWriter::try_new(file, columns.schema(), Some(properties))
                    .map_err(|source| FlowsFileError::Parquet { path: path.into(), source })?;
                Writer::Parquet(Box::new(writer))
            }
        };
        let mut file = Self { path: path.into(), columns, writer: Some(writer) };
        // The names of the columns, should there be no flow at all.
        file.write_batch()?;
        Ok(file)
    }

    /// Writes the flows of one interval; its start and end in nanoseconds since the Unix epoch.
    ///
    /// # Errors
    /// Where the file system is against it.
    pub fn write(&mut self, start: u64, end: u64, flows: &Flows) -> Result<(), FlowsFileError> {
        let mut written = Ok(());
        flows.for_each(|row| {
            if written.is_ok() {
                self.columns.push(start, end, &row);
                if self.columns.len() == ROWS_AT_ONCE {
                    written = self.write_batch();
                }
            }
        });
        written?;
        self.write_batch()
    }

    fn write_batch(&mut self) -> Result<(), FlowsFileError> {
        let Self { path, columns, writer } = self;
        let csv = |source| FlowsFileError::Csv { path: path.clone(), source };
        let batch: RecordBatch = columns.take().map_err(csv)?;
        match writer {
            None => Ok(()),
            Some(Writer::Csv(writer)) => writer.write(&batch).map_err(csv),
            Some(Writer::Parquet(writer)) => {
                writer.write(&batch).map_err(|source| FlowsFileError::Parquet { path: path.clone(), source })
            }
        }
    }

    /// Ends the file, safe on disk, and gives it its name.
    ///
    /// # Errors
    /// Where the file system is against it.
    pub fn finish(mut self) -> Result<(), FlowsFileError> {
        let path = self.path.clone();
        let file = match self.writer.take() {
            None => return Ok(()),
            Some(Writer::Csv(writer)) => writer.into_inner(),
            Some(Writer::Parquet(writer)) => match writer.into_inner() {
                Ok(file) => file,
                Err(source) => {
                    part::remove(&path);
                    return Err(FlowsFileError::Parquet { path, source });
                }
            },
        };
        let on_disk = file.sync_all().inspect_err(|_| part::remove(&path));
        on_disk.and_then(|()| part::name(&path)).map_err(|source| FlowsFileError::Finish { path, source })
    }
}

impl Drop for FlowsFile {
    fn drop(&mut self) {
        if self.writer.is_some() {
            part::remove(&self.path);
        }
    }
}

#[cfg(test)]
mod tests;
