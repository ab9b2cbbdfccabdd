//! File systems of one's own, on temporary folders.

use std::env;
use std::fs;
use std::path::Path;

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use tempfile::TempDir;

use crate::{Error, command};

const BPF: &str = "bpf";
const TMPFS: &str = "tmpfs";

/// Of the folders of one process.
fn prefix(kind: &str, process: u32) -> String {
    format!("apus-{kind}-{process}-")
}

/// Unmounts and removes what a process that was killed has left mounted. What cannot be removed is complained of.
pub(crate) fn remove_those_of(process: u32) {
    let prefixes = [BPF, TMPFS].map(|kind| prefix(kind, process));
    for entry in fs::read_dir(env::temp_dir()).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !prefixes.iter().any(|prefix| name.starts_with(prefix)) {
            continue;
        }
        let path = entry.path();
        // Where nothing is mounted on it any more, only the folder is left.
        let _unmounted = umount2(&path, MntFlags::MNT_DETACH);
        if let Err(error) = fs::remove_dir(&path) {
            command::complain(format_args!("cannot remove {}: {error}", path.display()));
        }
    }
}

/// A file system on a temporary folder, unmounted on drop.
#[derive(Debug)]
struct Mounted(TempDir);

impl Mounted {
    fn new(kind: &'static str, options: &str) -> Result<Self, Error> {
        let folder = TempDir::with_prefix(prefix(kind, std::process::id())).map_err(Error::Folder)?;
        mount(Some(kind), folder.path(), Some(kind), MsFlags::empty(), Some(options))
            .map_err(|errno| Error::Mount { path: folder.path().into(), source: errno.into() })?;
        Ok(Self(folder))
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // Lazily: a process that still has a file open in it does not keep it in place.
        if let Err(error) = umount2(self.0.path(), MntFlags::MNT_DETACH) {
            command::complain(format_args!("cannot unmount {}: {error}", self.0.path().display()));
        }
    }
}

/// A BPF file system. On drop whatever is pinned in it is removed: programs attached by links that nothing else holds
/// are then detached.
#[derive(Debug)]
pub struct Bpffs(Mounted);

impl Bpffs {
    /// Mounts one.
    ///
    /// # Errors
    /// Where this process may not.
    pub fn new() -> Result<Self, Error> {
        Mounted::new(BPF, "mode=0700").map(Self)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.0.0.path()
    }
}

/// A disk in memory that is full after so many bytes.
#[derive(Debug)]
pub struct SmallDisk(Mounted);

impl SmallDisk {
    /// Mounts one.
    ///
    /// # Errors
    /// Where this process may not.
    pub fn new(bytes: u64) -> Result<Self, Error> {
        Mounted::new(TMPFS, &format!("mode=0700,size={bytes}")).map(Self)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.0.0.path()
    }
}
