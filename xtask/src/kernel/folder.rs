//! The folder that kernels, tools and logs are kept in, shared by all who run with this target folder.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process;

use anyhow::{Context, Result};

/// How the folder of one run begins; its process number follows.
const RUN: &str = "run-";

/// Removes a folder with all that is in it, where there is one.
pub fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}

/// While it is held, nobody else fetches anything into the folder. The system lets go of it in any case.
pub struct Lock(#[expect(dead_code, reason = "held, not read")] File);

impl Lock {
    /// Waits until whoever has it is done.
    pub fn take(folder: &Path) -> Result<Self> {
        let path = folder.join("lock");
        let file = File::create(&path).with_context(|| format!("cannot make {}", path.display()))?;
        file.lock().with_context(|| format!("cannot lock {}", path.display()))?;
        Ok(Self(file))
    }
}

/// What one run writes, and nobody reads after it.
pub struct OwnFolder(PathBuf);

impl OwnFolder {
    /// Makes it below the shared one. What runs have left that were killed goes.
    pub fn make(shared: &Path) -> Result<Self> {
        let folder = shared.join(format!("{RUN}{}", process::id()));
        remove(&folder)?;
        for entry in fs::read_dir(shared).with_context(|| format!("cannot list {}", shared.display()))? {
            let entry = entry.with_context(|| format!("cannot list {}", shared.display()))?;
            let name = entry.file_name();
            let process = name.to_str().and_then(|name| name.strip_prefix(RUN));
            if process.is_some_and(|process| !Path::new("/proc").join(process).exists()) {
                remove(&entry.path())?;
            }
        }
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(Self(folder))
    }

    pub fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for OwnFolder {
    fn drop(&mut self) {
        // It may be in the way of nobody.
        let _gone = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_leaves_nothing_and_a_lock_is_one_persons() {
        let shared = std::env::temp_dir().join(format!("apus-yard-{}", process::id()));
        fs::create_dir_all(&shared).unwrap();
        let of_one_that_was_killed = shared.join("run-4294967295");
        fs::create_dir_all(&of_one_that_was_killed).unwrap();
        let own = OwnFolder::make(&shared).unwrap();
        assert!(!of_one_that_was_killed.exists());
        fs::write(own.join("initramfs"), b"").unwrap();
        let place = own.join("");
        drop(own);
        assert!(!place.exists());

        let lock = Lock::take(&shared).unwrap();
        let other = File::open(shared.join("lock")).unwrap();
        assert!(other.try_lock().is_err());
        drop(lock);
        assert!(other.try_lock().is_ok());
        remove(&shared).unwrap();
        remove(&shared).unwrap();
    }
}
