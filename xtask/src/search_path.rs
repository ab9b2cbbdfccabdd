//! Where tools are looked for, and where the programs started from here shall look for them.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

/// Debian leaves these out of an ordinary user's `PATH`, yet `ip` and `ethtool` live there.
const SYSTEM: [&str; 2] = ["/usr/local/sbin", "/usr/sbin"];

/// Cargo's own folder of installed programs: where `setup` puts bpf-linker.
fn cargo_bin() -> Option<PathBuf> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cargo")));
    home.map(|folder| folder.join("bin"))
}

/// What was inherited, with what is missing from it added. A `PATH` that has it all stays as it
/// is, to the letter: the build of the XDP programs starts over whenever `PATH` changes.
fn folders() -> Vec<PathBuf> {
    let inherited = env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = env::split_paths(&inherited).collect();
    // First, so that the linker which `setup` installs goes before an older one.
    if let Some(folder) = cargo_bin().filter(|folder| folders.first() != Some(folder)) {
        folders.insert(0, folder);
    }
    for folder in SYSTEM.map(PathBuf::from) {
        if !folders.contains(&folder) {
            folders.push(folder);
        }
    }
    folders
}

pub fn find(program: &str) -> Option<PathBuf> {
    let mut places = folders().into_iter().map(|folder| folder.join(program));
    places.find(|path| path.is_file())
}

/// `PATH` for a child. A folder whose name holds a colon cannot be expressed: then what was
/// inherited has to do.
pub fn joined() -> OsString {
    env::join_paths(folders()).unwrap_or_else(|_| env::var_os("PATH").unwrap_or_default())
}
