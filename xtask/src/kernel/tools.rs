//! What the virtual machine has besides the programs under test: qemu outside, and inside a shell, and this machine's
//! own `ip`, `ethtool`, `nsenter` and `chrt`.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::apt::Apt;
use super::folder::remove;
use crate::search_path;

/// Programs of this machine that the tests call. They bring their libraries, in a folder that no other program looks
/// in: what is under test has none.
pub const INSIDE: [&str; 4] = ["ip", "ethtool", "nsenter", "chrt"];

/// qemu and a shell: each installed, or else unpacked in a folder of ours.
pub struct Tools {
    pub busybox: PathBuf,
    qemu: PathBuf,
    /// Where qemu is unpacked and not installed.
    unpacked: Option<PathBuf>,
}

/// A program that is fetched where it is not installed: its package, and where the package has it.
struct Fetched {
    package: &'static str,
    places: &'static [&'static str],
}

const QEMU: Fetched = Fetched { package: "qemu-system-x86", places: &["usr/bin/qemu-system-x86_64"] };
const BUSYBOX: Fetched = Fetched { package: "busybox-static", places: &["bin/busybox", "usr/bin/busybox"] };

impl Fetched {
    /// Finds it in its folder, which is fetched where it is not there: whole, or not at all.
    fn find(&self, cache: &Path) -> Result<(PathBuf, PathBuf)> {
        let Self { package, places } = self;
        let folder = cache.join(package);
        if !folder.exists() {
            eprintln!("kernel: fetching {package}; nothing is installed");
            let work = cache.join(format!("{package}.work"));
            remove(&work)?;
            Apt::of_this_machine(&work.join("apt"))
                .and_then(|apt| apt.unpack_with_needs(&[package], &work.join("whole")))
                .with_context(|| format!("cannot fetch {package}; installed, it is used as it is"))?;
            fs::rename(work.join("whole"), &folder)
                .with_context(|| format!("cannot make {}", folder.display()))?;
            remove(&work)?;
        }
        let found = places.iter().map(|place| folder.join(place)).find(|path| path.is_file());
        let found = found.with_context(|| format!("{} has no {}", folder.display(), places[0]))?;
        Ok((found, folder))
    }
}

impl Tools {
    /// Finds them; fetches what is missing, and installs nothing.
    pub fn find(cache: &Path) -> Result<Self> {
        let busybox = search_path::find("busybox").filter(|path| needs_no_libraries(path));
        let busybox = busybox.map_or_else(|| BUSYBOX.find(cache).map(|(busybox, _)| busybox), Ok)?;
        let (qemu, unpacked) = match search_path::find("qemu-system-x86_64") {
            Some(qemu) => (qemu, None),
            None => QEMU.find(cache).map(|(qemu, folder)| (qemu, Some(folder)))?,
        };
        let tools = Self { busybox, qemu, unpacked };
        let answer = tools.qemu().arg("--version").output().context("cannot start qemu")?;
        let words = String::from_utf8_lossy(&answer.stderr);
        ensure!(
            answer.status.success(),
            "{} does not run ({}): {}",
            tools.qemu.display(),
            answer.status,
            words.trim()
        );
        Ok(tools)
    }

    /// qemu, with its libraries and its machines' firmware. It ends with this program, whatever ends that.
    pub fn qemu(&self) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]).arg(&self.qemu);
        if let Some(folder) = &self.unpacked {
            let libraries =
                ["lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu"].map(|part| folder.join(part));
            // No folder of ours has a colon in its name: cargo's own variables could not have it either.
            command.env("LD_LIBRARY_PATH", env::join_paths(libraries).unwrap_or_default());
            for firmware in ["usr/share/qemu", "usr/share/seabios", "usr/lib/ipxe/qemu"] {
                command.arg("-L").arg(folder.join(firmware));
            }
        }
        command
    }
}

fn needs_no_libraries(program: &Path) -> bool {
    libraries(program).is_ok_and(|libraries| libraries.is_empty())
}

/// A program of this machine.
pub fn inside(name: &str) -> Result<PathBuf> {
    search_path::find(name).with_context(|| format!("{name} is missing: `cargo xtask setup` installs it"))
}

/// The loader and the libraries of a program, as `ldd` finds them; none for one that needs none.
pub fn libraries(program: &Path) -> Result<BTreeSet<PathBuf>> {
    let output = Command::new("ldd").arg(program).output().context("cannot start ldd")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let libraries = libraries_in(&text);
    ensure!(
        output.status.success() || libraries.is_empty(),
        "ldd does not tell the libraries of {}",
        program.display()
    );
    Ok(libraries)
}

/// Lines are `name => path (address)`, or `path (address)` of the loader; the kernel's own has no path.
fn libraries_in(text: &str) -> BTreeSet<PathBuf> {
    let path = |line: &str| {
        let place = line.split_once("=>").map_or(line, |(_, place)| place).trim();
        place.split_whitespace().next().filter(|word| word.starts_with('/')).map(PathBuf::from)
    };
    text.lines().filter_map(path).collect()
}

/// Reads a file, following links.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ldd_tells_loader_and_libraries() {
        let text = "\tlinux-vdso.so.1 (0x00007ffd)\n\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f)\n\
                    \t/lib64/ld-linux-x86-64.so.2 (0x00007f)\n";
        let expected = ["/lib/x86_64-linux-gnu/libc.so.6", "/lib64/ld-linux-x86-64.so.2"];
        assert_eq!(libraries_in(text), expected.map(PathBuf::from).into());
        assert_eq!(libraries_in("\tnot a dynamic executable\n"), BTreeSet::new());
        assert_eq!(libraries_in("\tstatically linked\n"), BTreeSet::new());
    }
}
