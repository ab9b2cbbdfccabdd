//! Files of evidence: one that grows, and at most so many before it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use files::part::PART;
use jiff::Timestamp;
use nix::fcntl::Flock;
use nix::sys::statvfs::fstatvfs;

use super::{EvidenceError, EvidenceSettings, writer};
use crate::folder::{self, Refusal};

const PREFIX: &str = "evidence-";
const WHOLE: &str = ".pcapng";

/// The folder, this agent's alone, and the file that is open in it.
#[derive(Debug)]
pub struct Files {
    folder: PathBuf,
    lock: Flock<File>,
    file_bytes: u64,
    files: usize,
    snap_length: u32,
    /// Index and name of each interface, in the order of their numbers in the file.
    interfaces: Vec<(u32, String)>,
    number: u64,
    current: Option<Part>,
}

/// The file that is being written.
#[derive(Debug)]
struct Part {
    file: File,
    path: PathBuf,
    bytes: u64,
}

impl Files {
    /// Takes the folder, makes it where it is not there, and gives the files of an agent that was killed their
    /// final names.
    ///
    /// # Errors
    /// Where the folder cannot be used, or another agent uses it.
    pub fn open(settings: &EvidenceSettings) -> Result<Self, EvidenceError> {
        let folder = settings.folder.clone();
        let failed = |source| EvidenceError::Folder { folder: settings.folder.clone(), source };
        let lock = match folder::take(&folder) {
            Ok(lock) => lock,
            Err(Refusal::Busy) => return Err(EvidenceError::Busy { folder }),
            Err(Refusal::Failed(error)) => return Err(failed(error)),
        };
        let mut number = 0;
        for path in own_files(&folder).map_err(failed)? {
            number = number.max(age(&path).map_or(0, |(number, _)| number));
            finish(&path).map_err(failed)?;
        }
        Ok(Self {
            folder,
            lock,
            file_bytes: settings.file_bytes,
            files: settings.files as usize,
            snap_length: settings.snap_length,
            interfaces: Vec::new(),
            number,
            current: None,
        })
    }

    /// Names the interfaces, by their indices, before anything is written.
    pub fn set_interfaces(&mut self, interfaces: Vec<(u32, String)>) {
        self.interfaces = interfaces;
    }

    /// Bytes that are free on the file system, to those who are not its administrator.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn free_bytes(&self) -> io::Result<u64> {
        let room = fstatvfs(&*self.lock)?;
        Ok(room.blocks_available().saturating_mul(room.fragment_size()))
    }

    /// The number of an interface in the file, where it has one.
    #[must_use]
    pub fn interface(&self, index: u32) -> Option<u32> {
        self.interfaces
            .iter()
            .position(|(known, _)| *known == index)
            .and_then(|place| u32::try_from(place).ok())
    }

    /// Makes an interface known that came later: the next file begins with it.
    ///
    /// # Errors
    /// Where the file that is open cannot be ended.
    pub fn add_interface(&mut self, index: u32) -> io::Result<()> {
        self.interfaces.push((index, format!("interface {index}")));
        self.close()
    }

    /// Writes whole blocks, to another file where this one would become too long; says how many bytes that
    /// were, with the head of a file.
    ///
    /// # Errors
    /// Those of the file system. What was written of the blocks is taken back.
    pub fn write(&mut self, blocks: &[u8]) -> io::Result<u64> {
        let length = blocks.len() as u64;
        if self.current.as_ref().is_some_and(|part| part.bytes + length > self.file_bytes) {
            self.close()?;
        }
        let mut written = length;
        if self.current.is_none() {
            let part = self.begin()?;
            written += part.bytes;
            self.current = Some(part);
        }
        let Some(part) = &mut self.current else {
            return Ok(0);
        };
        if let Err(error) = part.file.write_all(blocks) {
            // A file that ends in the middle of a block is readable up to it: worth a try, no more.
            let _kept_as_it_is = part.file.set_len(part.bytes);
            let _first_error_counts = self.close();
            return Err(error);
        }
        part.bytes += length;
        Ok(written)
    }

    /// Ends the file that is open, and gives it its final name.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn close(&mut self) -> io::Result<()> {
        self.current.take().map_or(Ok(()), |part| finish(&part.path))
    }

    fn begin(&mut self) -> io::Result<Part> {
        let mut old = own_files(&self.folder)?;
        old.sort_by_key(|path| age(path));
        let too_many = (old.len() + 1).saturating_sub(self.files);
        for path in old.iter().take(too_many) {
            fs::remove_file(path)?;
        }
        let mut head = Vec::new();
        writer::section(&mut head);
        self.interfaces.iter().for_each(|(_, name)| writer::interface(&mut head, name, self.snap_length));
        let time = Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
        loop {
            self.number += 1;
            let whole = self.folder.join(format!("{PREFIX}{time}-{:06}{WHOLE}", self.number));
            let path = self.folder.join(format!("{PREFIX}{time}-{:06}{WHOLE}{PART}", self.number));
            if whole.exists() {
                continue;
            }
            match OpenOptions::new().append(true).create_new(true).mode(0o600).open(&path) {
                Ok(mut file) => {
                    if let Err(error) = file.write_all(&head) {
                        // Else each further try would leave one, and push out a file that holds something.
                        let _first_error_counts = fs::remove_file(&path);
                        return Err(error);
                    }
                    return Ok(Part { file, path, bytes: head.len() as u64 });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        // Where it fails, the next agent does it.
        let _left_to_the_next = self.close();
    }
}

/// Gives a file that was being written its final name.
fn finish(path: &Path) -> io::Result<()> {
    match path.to_str().and_then(|text| text.strip_suffix(PART)) {
        Some(whole) => fs::rename(path, whole),
        None => Ok(()),
    }
}

/// The files in the folder whose names are of our making. No other is ever touched.
fn own_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if age(&entry.path()).is_some() && entry.file_type()?.is_file() {
            files.push(entry.path());
        }
    }
    Ok(files)
}

/// Number and time in a name of ours, by which files are older and younger: the number first, for clocks go back.
fn age(path: &Path) -> Option<(u64, String)> {
    let name = path.file_name()?.to_str()?;
    let middle = name.strip_suffix(PART).unwrap_or(name).strip_prefix(PREFIX)?.strip_suffix(WHOLE)?;
    let (time, number) = middle.split_once('-')?;
    let shape = |(place, byte): (usize, u8)| match place {
        8 => byte == b'T',
        15 => byte == b'Z',
        _ => byte.is_ascii_digit(),
    };
    let is_ours = time.len() == 16
        && time.bytes().enumerate().all(shape)
        && number.len() >= 6
        && number.bytes().all(|byte| byte.is_ascii_digit());
    if is_ours { Some((number.parse().ok()?, time.into())) } else { None }
}

#[cfg(test)]
mod tests;
