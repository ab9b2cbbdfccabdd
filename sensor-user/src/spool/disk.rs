//! What the spool asks of a file system, and no more: so that tests can give it one that fails.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nix::errno::Errno;
use nix::fcntl::{FallocateFlags, Flock, PosixFadviseAdvice, fallocate, posix_fadvise};

use super::error::no_room;
use crate::folder::{self, Refusal};

/// What is made to see whether files can be made.
const PROBE: &str = "probe";

/// A folder's files. Names are relative to the folder.
pub trait Disk: Send + Sync {
    /// Names and lengths of all that is in the folder, or in a folder of it; nothing where that is not there. What is
    /// no file has no length.
    fn list(&self, folder: &str) -> io::Result<Vec<(String, Option<u64>)>>;
    /// A new file.
    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>>;
    /// Bytes from an offset on, fewer where the file ends.
    fn read(&self, name: &str, offset: u64, length: u64) -> io::Result<Vec<u8>>;
    fn length(&self, name: &str) -> io::Result<u64>;
    /// Makes durable what is in a file that somebody else has written, and lets go of what memory has of it: what is read
    /// next is what the disk has. After an fsync that failed, memory has what the disk never got.
    fn settle(&self, name: &str) -> io::Result<()>;
    /// Makes durable which files there are.
    fn sync_folder(&self) -> io::Result<()>;
    /// Makes a file that takes so much room, anew where it is there.
    fn reserve(&self, name: &str, length: u64) -> io::Result<()>;
    fn remove(&self, name: &str) -> io::Result<()>;
    /// Makes a folder, where it is not there.
    fn make_folder(&self, name: &str) -> io::Result<()>;
}

/// A file that grows.
pub trait DiskFile: Send {
    /// Writes at the end, and says how many of the bytes.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize>;
    fn sync(&mut self) -> io::Result<()>;
}

/// A folder of a file system, this agent's alone.
#[derive(Debug)]
pub struct Folder {
    place: Arc<Place>,
}

/// Where the folder is, and which one that is.
#[derive(Debug)]
struct Place {
    path: PathBuf,
    lock: Flock<File>,
}

impl Place {
    /// Whether the folder is still where it was. What is written to one that is not is lost to whoever opens it anew.
    fn check(&self) -> io::Result<()> {
        let held = self.lock.metadata()?;
        let why = match fs::metadata(&self.path) {
            Ok(found) if (found.dev(), found.ino()) == (held.dev(), held.ino()) => return Ok(()),
            Ok(_) => "another folder is there now".into(),
            Err(error) => error.to_string(),
        };
        let path = self.path.display();
        Err(io::Error::other(format!(
            "the folder {path} is not the one that was opened ({why}): it was removed, moved, or mounted over; put it \
             back, or start apus-sensor again with the one that is there"
        )))
    }
}

impl Folder {
    fn path(&self, name: &str) -> PathBuf {
        self.place.path.join(name)
    }

    /// Takes the folder, made where it is not there.
    ///
    /// # Errors
    /// Where it cannot be made or written to, or another agent has it.
    pub fn open(path: &Path) -> Result<Self, Refusal> {
        let lock = folder::take(path)?;
        // Tried, for nothing else would tell. A full disk is no reason to refuse what is there.
        let probe = path.join(PROBE);
        match OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&probe) {
            Err(error) if no_room(&error) => {}
            probed => probed.and_then(|_| fs::remove_file(&probe)).map_err(Refusal::Failed)?,
        }
        Ok(Self { place: Arc::new(Place { path: path.into(), lock }) })
    }
}

impl Disk for Folder {
    fn list(&self, folder: &str) -> io::Result<Vec<(String, Option<u64>)>> {
        let entries = match fs::read_dir(self.path(folder)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let of_entry = |entry: io::Result<fs::DirEntry>| {
            let entry = entry?;
            // Without following links: one is none of ours.
            let metadata = entry.metadata()?;
            let length = metadata.is_file().then_some(metadata.len());
            Ok((entry.file_name().to_string_lossy().into_owned(), length))
        };
        entries.map(of_entry).collect()
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        self.place.check()?;
        let file = OpenOptions::new().append(true).create_new(true).mode(0o600).open(self.path(name))?;
        Ok(Box::new(Grown { file, place: Arc::clone(&self.place) }))
    }

    fn read(&self, name: &str, offset: u64, length: u64) -> io::Result<Vec<u8>> {
        let opened = File::open(self.path(name));
        if opened.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
            // A file that is not there is lost; a folder that is not there may come back.
            self.place.check()?;
        }
        let mut file = opened?;
        file.seek(SeekFrom::Start(offset))?;
        let mut bytes = Vec::new();
        file.take(length).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn length(&self, name: &str) -> io::Result<u64> {
        Ok(fs::symlink_metadata(self.path(name))?.len())
    }

    fn settle(&self, name: &str) -> io::Result<()> {
        let file = File::open(self.path(name))?;
        file.sync_all()?;
        // It is advice: where it is not taken, nothing else can be done.
        let _advised = posix_fadvise(&file, 0, 0, PosixFadviseAdvice::POSIX_FADV_DONTNEED);
        Ok(())
    }

    fn sync_folder(&self) -> io::Result<()> {
        self.place.lock.sync_all()?;
        self.place.check()
    }

    fn reserve(&self, name: &str, length: u64) -> io::Result<()> {
        self.place.check()?;
        let path = self.path(name);
        let make = || {
            let mut file =
                OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path)?;
            match fallocate(&file, FallocateFlags::empty(), 0, length.cast_signed()) {
                Err(Errno::EOPNOTSUPP | Errno::ENOSYS) => {
                    io::copy(&mut io::repeat(0).take(length), &mut file)?;
                }
                allocated => allocated?,
            }
            file.sync_all()
        };
        make().inspect_err(|_| {
            // Half of it is no reserve, and in the way.
            let _first_error_counts = fs::remove_file(&path);
        })
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.place.check()?;
        fs::remove_file(self.path(name))
    }

    fn make_folder(&self, name: &str) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(self.path(name))
    }
}

struct Grown {
    file: File,
    place: Arc<Place>,
}

impl DiskFile for Grown {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match self.file.write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                written => return written,
            }
        }
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()?;
        self.place.check()?;
        // Someone has removed it: what was written is nowhere.
        if self.file.metadata()?.nlink() == 0 {
            return Err(io::Error::other("the file that was written was removed meanwhile"));
        }
        Ok(())
    }
}
