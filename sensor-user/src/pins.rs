//! The pinned set: a folder on a BPF file system that holds a sensor's program, links and maps, so that
//! they outlive the agent.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::fcntl::{Flock, FlockArg};
use nix::sys::statfs::{BPF_FS_MAGIC, statfs};
use sensor_ebpf::abi::maps;

use crate::system;

/// Prefix of a link's file name; the interface index follows, because a name may hold a dot, which
/// bpffs reserves.
const LINK: &str = "link_";
const PROGRAM: &str = "program";
/// How long an agent tries to take the lock that a mere look may hold.
const LONGEST_LOOK: Duration = Duration::from_millis(250);
/// A program on its way to become [`PROGRAM`].
const NEXT_PROGRAM: &str = "program_next";

/// Why the folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PinError {
    #[error(
        "{path} is not on a BPF file system: mount one with `mount -t bpf bpf /sys/fs/bpf`, or name another --pin-directory"
    )]
    NotBpffs { path: PathBuf },
    #[error("no permission to use {path}: run as root")]
    Permission { path: PathBuf },
    #[error("cannot {what} {path}: {source}")]
    Failed { what: &'static str, path: PathBuf, source: io::Error },
    #[error(
        "another apus-sensor already runs on {path}: stop it first, or start this one with another --pin-directory"
    )]
    Busy { path: PathBuf },
}

/// Proof that no other agent runs on the set, for as long as it lives. A killed agent's is gone with it.
#[derive(Debug)]
pub struct Lock {
    folder: Flock<File>,
    path: PathBuf,
}

impl Lock {
    /// Whether the folder that is locked is still the one at its path: `detach` removes it under a running
    /// agent, and another may have made its own since.
    #[must_use]
    pub fn is_current(&self) -> bool {
        match (self.folder.metadata(), fs::metadata(&self.path)) {
            (Ok(locked), Ok(there)) => locked.dev() == there.dev() && locked.ino() == there.ino(),
            _ => false,
        }
    }
}

/// A folder for a pinned set, there or not.
#[derive(Clone, Debug)]
pub struct Pins {
    path: PathBuf,
}

impl Pins {
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self { path: path.into() }
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the folder is there.
    ///
    /// # Errors
    /// Where this process may not know.
    pub fn exists(&self) -> Result<bool, PinError> {
        self.path.try_exists().map_err(|error| self.failed("look at", error))
    }

    /// Makes the folder where it is not there yet, for root alone.
    ///
    /// # Errors
    /// Where there is no BPF file system at that place, or no permission.
    pub fn create(&self) -> Result<(), PinError> {
        self.require_bpffs()?;
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.path)
            .map_err(|error| self.failed("make the folder", error))
    }

    /// # Errors
    /// Where there is no BPF file system at the folder's place: what lies in another is not ours.
    pub fn require_bpffs(&self) -> Result<(), PinError> {
        let existing = self.path.ancestors().find(|ancestor| ancestor.exists()).unwrap_or(Path::new("/"));
        let file_system = statfs(existing).map_err(|error| self.failed("look at", error.into()))?;
        if file_system.filesystem_type() != BPF_FS_MAGIC {
            return Err(PinError::NotBpffs { path: self.path.clone() });
        }
        Ok(())
    }

    /// Takes the set for this agent.
    ///
    /// # Errors
    /// Where another agent has it.
    pub fn lock(&self) -> Result<Lock, PinError> {
        // A look at whether an agent runs takes the lock as well, for less than a millisecond.
        let deadline = Instant::now() + LONGEST_LOOK;
        loop {
            match self.try_lock(FlockArg::LockExclusiveNonblock) {
                Err(PinError::Busy { .. }) if Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_millis(5));
                }
                // The folder was removed between its opening and its locking.
                Ok(lock) if !lock.is_current() => self.create()?,
                other => return other,
            }
        }
    }

    /// Whether an agent has the set.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        // A shared lock, so that two who look do not take each other for an agent.
        matches!(self.try_lock(FlockArg::LockSharedNonblock), Err(PinError::Busy { .. }))
    }

    fn try_lock(&self, manner: FlockArg) -> Result<Lock, PinError> {
        let folder = File::open(&self.path).map_err(|error| self.failed("open the folder", error))?;
        match Flock::lock(folder, manner) {
            Ok(folder) => Ok(Lock { folder, path: self.path.clone() }),
            Err((_, nix::errno::Errno::EWOULDBLOCK)) => Err(PinError::Busy { path: self.path.clone() }),
            Err((_, error)) => Err(self.failed("lock", error.into())),
        }
    }

    /// Whether a whole set of maps and a program is there.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.has_maps() && self.program().exists()
    }

    /// Whether the maps are there that counts are in.
    #[must_use]
    pub fn has_counters(&self) -> bool {
        [maps::COUNTERS, maps::CONTROL, maps::REPORTED].into_iter().all(|name| self.map(name).exists())
    }

    /// Whether all maps are there.
    #[must_use]
    pub fn has_maps(&self) -> bool {
        maps::ALL.into_iter().all(|name| self.map(name).exists())
    }

    #[must_use]
    pub fn map(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    #[must_use]
    pub fn program(&self) -> PathBuf {
        self.path.join(PROGRAM)
    }

    #[must_use]
    pub fn next_program(&self) -> PathBuf {
        self.path.join(NEXT_PROGRAM)
    }

    #[must_use]
    pub fn link(&self, interface_index: u32) -> PathBuf {
        self.path.join(format!("{LINK}{interface_index}"))
    }

    /// Interface indices of all pinned links.
    ///
    /// # Errors
    /// Where the folder cannot be read.
    pub fn links(&self) -> Result<Vec<u32>, PinError> {
        Ok(self.files()?.iter().filter_map(|name| name.strip_prefix(LINK)?.parse().ok()).collect())
    }

    /// Puts the pinned [`Pins::next_program`] in the place of [`Pins::program`].
    ///
    /// # Errors
    /// Where the file system refuses.
    pub fn promote_next_program(&self) -> Result<(), PinError> {
        fs::rename(self.next_program(), self.program())
            .map_err(|error| self.failed("rename a program in", error))
    }

    /// Removes one pinned object. One that is not there is as good as removed.
    ///
    /// # Errors
    /// Where the file system refuses.
    pub fn remove(&self, file: &Path) -> Result<(), PinError> {
        match fs::remove_file(file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(self.failed("remove a file of", error))
            }
            _ => Ok(()),
        }
    }

    /// Detaches the link of an interface, and removes it.
    ///
    /// # Errors
    /// Where the file system refuses.
    pub fn remove_link(&self, interface_index: u32) -> Result<(), PinError> {
        let link = self.link(interface_index);
        // Refused without privilege, or where the device is gone: then the file's removal has to do.
        let _refused = system::detach_link(&link);
        self.remove(&link)
    }

    /// Removes everything of ours but the folder, links first: that detaches the program. Gives the names
    /// of files that are not ours.
    ///
    /// # Errors
    /// Where the file system refuses.
    pub fn clear(&self) -> Result<Vec<String>, PinError> {
        for index in self.links()? {
            self.remove_link(index)?;
        }
        for name in [PROGRAM, NEXT_PROGRAM].into_iter().chain(maps::ALL) {
            self.remove(&self.path.join(name))?;
        }
        self.files()
    }

    /// Removes everything of ours, and the folder unless there are files in it that are not ours: then
    /// their names are given.
    ///
    /// # Errors
    /// Where the file system refuses.
    pub fn remove_all(&self) -> Result<Vec<String>, PinError> {
        let foreign = self.clear()?;
        if foreign.is_empty() {
            fs::remove_dir(&self.path).map_err(|error| self.failed("remove the folder", error))?;
        }
        Ok(foreign)
    }

    fn files(&self) -> Result<Vec<String>, PinError> {
        let entries = fs::read_dir(&self.path).map_err(|error| self.failed("read the folder", error))?;
        let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
        names.collect::<io::Result<_>>().map_err(|error| self.failed("read the folder", error))
    }

    fn failed(&self, what: &'static str, source: io::Error) -> PinError {
        let path = self.path.clone();
        if source.kind() == io::ErrorKind::PermissionDenied {
            return PinError::Permission { path };
        }
        PinError::Failed { what, path, source }
    }
}
