//! What the virtual machine has besides the programs under test: qemu outside, and inside a shell, and this machine's
//! own `ip`, `ethtool`, `nsenter` and `chrt`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::apt;
use crate::search_path;

/// Programs of this machine that the tests call. They bring their libraries, in a folder that no other program looks
/// in: what is under test has none.
pub const INSIDE: [&str; 4] = ["ip", "ethtool", "nsenter", "chrt"];

/// qemu and a shell: installed, or else unpacked in a folder of ours.
pub struct Tools {
    pub busybox: PathBuf,
    qemu: PathBuf,
    /// Where qemu is unpacked and not installed.
    unpacked: Option<PathBuf>,
}

impl Tools {
    /// Finds them; fetches what is missing, and installs nothing.
    pub fn find(cache: &Path) -> Result<Self> {
        let folder = cache.join("tools");
        let (qemu, busybox) = (search_path::find("qemu-system-x86_64"), search_path::find("busybox"));
        if let (Some(qemu), Some(busybox)) = (qemu, busybox.filter(|path| needs_no_libraries(path))) {
            return Ok(Self { busybox, qemu, unpacked: None });
        }
        let tools = Self {
            busybox: folder.join("bin/busybox"),
            qemu: folder.join("usr/bin/qemu-system-x86_64"),
            unpacked: Some(folder.clone()),
        };
        if !(tools.qemu.exists() && tools.busybox.exists()) {
            eprintln!("kernel: fetching qemu and busybox; nothing is installed");
            apt::unpack_with_needs(
                &["qemu-system-x86", "busybox-static"],
                &cache.join("tools.work"),
                &folder,
            )?;
        }
        Ok(tools)
    }

    /// qemu, with its libraries and its machines' firmware.
    pub fn qemu(&self) -> Command {
        let mut command = Command::new(&self.qemu);
        if let Some(folder) = &self.unpacked {
            command.env("LD_LIBRARY_PATH", folder.join("usr/lib/x86_64-linux-gnu"));
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
