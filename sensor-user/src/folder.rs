//! A folder that one agent has to itself.

use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

/// Why a folder cannot be one's own.
#[derive(Debug)]
pub enum Refusal {
    /// Another agent has it.
    Busy,
    /// It cannot be made or opened.
    Failed(io::Error),
}

/// Makes the folder where it is not there, for its owner alone, and takes it. A killed agent's lock is gone with it.
///
/// # Errors
/// Where the file system is against it, or another agent has the folder.
pub fn take(path: &Path) -> Result<Flock<File>, Refusal> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(Refusal::Failed)?;
    let folder = File::open(path).map_err(Refusal::Failed)?;
    match Flock::lock(folder, FlockArg::LockExclusiveNonblock) {
        Ok(lock) => Ok(lock),
        Err((_, Errno::EWOULDBLOCK)) => Err(Refusal::Busy),
        Err((_, error)) => Err(Refusal::Failed(error.into())),
    }
}
