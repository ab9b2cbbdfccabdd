//! Where the peers' programs are: unpacked by `cargo xtask setup --for peers`, or installed.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

/// Debian's packages, unpacked below a folder, and what is installed.
pub struct Packages {
    /// Absent where nothing was unpacked.
    root: Option<PathBuf>,
}

impl Packages {
    /// The folder that `APUS_PEERS` names, or `peers/root` in the target folder that this program is in.
    pub fn look() -> Self {
        let named = env::var_os("APUS_PEERS").map(PathBuf::from);
        let beside =
            env::current_exe().ok().and_then(|this| Some(this.parent()?.parent()?.join("peers/root")));
        Self { root: named.or(beside).filter(|root| root.is_dir()) }
    }

    /// A program: an installed one, which is the one that people here would use, or an unpacked one.
    pub fn find(&self, program: &str) -> Option<PathBuf> {
        let installed = env::var_os("PATH").map(|path| env::split_paths(&path).collect::<Vec<_>>());
        let system = ["/usr/sbin", "/usr/bin"].map(PathBuf::from);
        let unpacked =
            self.root.iter().flat_map(|root| ["usr/bin", "usr/sbin"].map(|folder| root.join(folder)));
        let mut places = installed.unwrap_or_default().into_iter().chain(system).chain(unpacked);
        places.find_map(|folder| Some(folder.join(program)).filter(|path| path.is_file()))
    }

    /// What an unpacked program has to be told, `NAME=VALUE` each.
    pub fn environment(&self) -> Vec<String> {
        let Some(root) = &self.root else {
            return Vec::new();
        };
        let folders = [self.libraries(), root.join("lib").join(architecture()), root.join("usr/lib")];
        let folders: Vec<_> = folders.iter().map(|folder| folder.display().to_string()).collect();
        vec![format!("LD_LIBRARY_PATH={}", folders.join(":"))]
    }

    /// Debian's folder of libraries.
    pub fn libraries(&self) -> PathBuf {
        let root = self.root.as_deref().unwrap_or_else(|| Path::new("/"));
        root.join("usr/lib").join(architecture())
    }

    /// DPDK's folder of drivers, named after its version.
    pub fn drivers(&self) -> PathBuf {
        let folder = self.libraries().join("dpdk");
        let versions = fs::read_dir(&folder).into_iter().flatten().flatten().map(|entry| entry.path());
        versions.max().unwrap_or(folder)
    }
}

/// Debian's name for this machine's.
fn architecture() -> String {
    format!("{}-linux-gnu", env::consts::ARCH)
}
