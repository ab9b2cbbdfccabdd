//! A BPF file system of one's own.

use std::path::Path;

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use tempfile::TempDir;

use crate::{Error, command};

/// A BPF file system on a temporary folder. On drop it is unmounted, which removes whatever is pinned
/// in it: programs attached by links that nothing else holds are then detached.
#[derive(Debug)]
pub struct Bpffs {
    folder: TempDir,
}

impl Bpffs {
    /// Mounts one.
    ///
    /// # Errors
    /// Where this process may not.
    pub fn new() -> Result<Self, Error> {
        let folder = TempDir::with_prefix("apus-bpffs-").map_err(Error::Folder)?;
        mount(Some("bpf"), folder.path(), Some("bpf"), MsFlags::empty(), Some("mode=0700"))
            .map_err(|errno| Error::Mount { path: folder.path().into(), source: errno.into() })?;
        Ok(Self { folder })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Bpffs {
    fn drop(&mut self) {
        // Lazily: a process that still has a file open in it does not keep it in place.
        if let Err(error) = umount2(self.folder.path(), MntFlags::MNT_DETACH) {
            command::complain(format_args!("cannot unmount {}: {error}", self.folder.path().display()));
        }
    }
}
