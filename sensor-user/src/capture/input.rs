//! The bytes of a capture, counted, so that every error can say where it is.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read};
use std::path::PathBuf;

use super::error::{CaptureError, Place};

/// Bytes asked of the operating system at a time.
const READ_AHEAD: usize = 256 * 1024;

/// A capture's bytes from the present position on, and that position.
pub(super) struct Input {
    path: PathBuf,
    source: BufReader<Box<dyn Read + Send>>,
    offset: u64,
    record_offset: u64,
    packets: u64,
}

impl fmt::Debug for Input {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, source: _, offset, record_offset, packets } = self;
        formatter
            .debug_struct("Input")
            .field("path", path)
            .field("offset", offset)
            .field("record_offset", record_offset)
            .field("packets", packets)
            .finish_non_exhaustive()
    }
}

impl Input {
    pub(super) fn new(path: PathBuf, source: Box<dyn Read + Send>) -> Self {
        let source = BufReader::with_capacity(READ_AHEAD, source);
        Self { path, source, offset: 0, record_offset: 0, packets: 0 }
    }

    pub(super) fn into_path(self) -> PathBuf {
        self.path
    }

    /// The record at hand: it began at the last [`Input::next_record`].
    pub(super) fn place(&self) -> Place {
        let Self { path, record_offset, packets, .. } = self;
        Place { path: path.clone(), packet: packets + 1, offset: *record_offset }
    }

    /// Counts a whole packet and gives its number, from 1.
    pub(super) fn count_packet(&mut self) -> u64 {
        self.packets += 1;
        self.packets
    }

    /// Moves the place to the next byte. False if there is none: the file ends between two records.
    pub(super) fn next_record(&mut self) -> Result<bool, CaptureError> {
        self.record_offset = self.offset;
        loop {
            match self.source.fill_buf() {
                Ok(available) => return Ok(!available.is_empty()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => {
                    return Err(CaptureError::Read { at: self.place(), source });
                }
            }
        }
    }

    /// The file's first four bytes, which name its format.
    pub(super) fn magic(&mut self) -> Result<[u8; 4], CaptureError> {
        let mut magic = [0; 4];
        match self.fill(&mut magic)? {
            4 => Ok(magic),
            0 => Err(CaptureError::Empty { path: self.path.clone() }),
            short => Err(CaptureError::unknown_format(self.path.clone(), &magic[..short])),
        }
    }

    /// The next `N` bytes, which are (a part of) `what`.
    pub(super) fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], CaptureError> {
        let mut bytes = [0; N];
        self.read(&mut bytes, what)?;
        Ok(bytes)
    }

    /// Fills `target` with the next bytes, which are (a part of) `what`.
    pub(super) fn read(&mut self, target: &mut [u8], what: &'static str) -> Result<(), CaptureError> {
        let filled = self.fill(target)?;
        self.check_complete(filled as u64, target.len() as u64, what)
    }

    /// Passes over the next `length` bytes, which are (a part of) `what`. Reads them, as a pipe must.
    pub(super) fn skip(&mut self, length: u64, what: &'static str) -> Result<(), CaptureError> {
        let skipped = io::copy(&mut self.source.by_ref().take(length), &mut io::sink())
            .map_err(|source| CaptureError::Read { at: self.place(), source })?;
        self.offset += skipped;
        self.check_complete(skipped, length, what)
    }

    /// Reads until `target` is full or the input ends; gives the number of bytes read.
    fn fill(&mut self, target: &mut [u8]) -> Result<usize, CaptureError> {
        let mut filled = 0;
        while filled < target.len() {
            match self.source.read(&mut target[filled..]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => {
                    return Err(CaptureError::Read { at: self.place(), source });
                }
            }
        }
        self.offset += filled as u64;
        Ok(filled)
    }

    fn check_complete(&self, got: u64, want: u64, what: &'static str) -> Result<(), CaptureError> {
        if got == want {
            return Ok(());
        }
        Err(CaptureError::Truncated { at: self.place(), what, end: self.offset })
    }
}
