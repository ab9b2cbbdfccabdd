//! A look at this machine, without changing it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use super::needs;
use super::plan::will_do;
use crate::search_path;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    pub root: bool,
    pub system: System,
    pub nightly: Nightly,
    /// Version of Debian's compiler, where it has a libcore for BPF.
    pub debian_rustc: Option<String>,
    pub bpf_linker: Option<String>,
    pub programs: BTreeSet<&'static str>,
    /// Of `needs::PEERS`, those that are not installed and are below `peers`: good for `bench peers` alone.
    pub unpacked: BTreeSet<&'static str>,
    /// Folder that packages of peers are unpacked into, in the target folder.
    pub peers: PathBuf,
    /// Of `needs::LLVM_PACKAGES`. Looked up only when bpf-linker is missing, as dpkg takes its time.
    pub packages: BTreeSet<&'static str>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum System {
    Debian,
    Other(String),
}

/// rustup's nightly toolchain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nightly {
    Absent,
    /// Cannot build libcore, so it is no better than none.
    WithoutRustSrc,
    WithRustSrc,
}

impl Host {
    pub fn probe() -> Self {
        let programs = needs::TOOLS.iter().chain(needs::PEERS).map(|tool| tool.program);
        let peers = peers_folder();
        let unpacked = needs::PEERS.iter().map(|peer| peer.program);
        let mut host = Self {
            root: root(),
            system: system(&fs::read_to_string("/etc/os-release").unwrap_or_default()),
            nightly: rustup_home().map_or(Nightly::Absent, |home| nightly(&home)),
            debian_rustc: debian_rustc(),
            programs: programs.filter(|program| search_path::find(program).is_some()).collect(),
            unpacked: unpacked.filter(|program| is_unpacked(&peers, program)).collect(),
            peers,
            packages: BTreeSet::new(),
            bpf_linker: bpf_linker(),
        };
        if !host.has_bpf_linker() {
            host.packages = packages();
        }
        host
    }

    pub fn has_bpf_linker(&self) -> bool {
        will_do(self.bpf_linker.as_deref(), needs::OLDEST_BPF_LINKER)
    }
}

/// In the target folder, in a profile's folder of which this program is.
fn peers_folder() -> PathBuf {
    let target = env::current_exe().ok().and_then(|this| Some(this.parent()?.parent()?.to_owned()));
    target.unwrap_or_else(env::temp_dir).join("peers")
}

pub fn is_unpacked(peers: &Path, program: &str) -> bool {
    ["usr/bin", "usr/sbin"].iter().any(|folder| peers.join("root").join(folder).join(program).is_file())
}

/// By the effective user id, which is the second of the four in `/proc/self/status`.
fn root() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let identities = status.lines().find_map(|line| line.strip_prefix("Uid:"));
    identities.and_then(|line| line.split_whitespace().nth(1)) == Some("0")
}

pub fn system(os_release: &str) -> System {
    let field = |name: &str| {
        let mut values = os_release.lines().filter_map(|line| line.strip_prefix(name));
        values.next().map(|value| value.trim_matches('"').to_owned())
    };
    match field("ID=").as_deref() {
        Some("debian") => System::Debian,
        _ => System::Other(field("PRETTY_NAME=").unwrap_or_else(|| "an unknown system".to_owned())),
    }
}

fn rustup_home() -> Option<PathBuf> {
    let named = env::var_os("RUSTUP_HOME").map(PathBuf::from);
    named.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".rustup")))
}

/// The undated nightly counts, the one that `cargo +nightly` means; not one pinned to a day.
pub fn nightly(rustup_home: &Path) -> Nightly {
    let undated = format!("nightly-{}", env::consts::ARCH);
    let toolchains = fs::read_dir(rustup_home.join("toolchains")).into_iter().flatten().flatten();
    let found = toolchains
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(&undated))
        .map(|entry| entry.path().join("lib/rustlib/src/rust/library/core/src/lib.rs").is_file())
        .reduce(|one, other| one || other);
    match found {
        None => Nightly::Absent,
        Some(false) => Nightly::WithoutRustSrc,
        Some(true) => Nightly::WithRustSrc,
    }
}

fn debian_rustc() -> Option<String> {
    const RUSTC: &str = "/usr/bin/rustc";
    if !Path::new(RUSTC).is_file() {
        return None;
    }
    let sysroot = answer(Command::new(RUSTC).args(["--print", "sysroot"]))?;
    let library = Path::new(sysroot.trim()).join("lib/rustlib/bpfel-unknown-none/lib");
    let has_libcore = fs::read_dir(library).ok()?.flatten().any(|entry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        name.starts_with("libcore-") && name.ends_with(".rlib")
    });
    let version = answer(Command::new(RUSTC).arg("--version"))?;
    has_libcore.then(|| version.split_whitespace().nth(1).map(str::to_owned))?
}

/// One that does not start, say for want of its LLVM library, is as good as missing.
fn bpf_linker() -> Option<String> {
    let program = search_path::find("bpf-linker")?;
    let version = answer(Command::new(program).arg("--version"))?;
    version.split_whitespace().nth(1).map(str::to_owned)
}

fn packages() -> BTreeSet<&'static str> {
    let format = "--showformat=${db:Status-Status} ${Package}\n";
    // Fails when it does not know one of them, and still lists the others.
    let output = Command::new("dpkg-query")
        .args(["--show", format])
        .args(needs::LLVM_PACKAGES)
        .stderr(Stdio::null())
        .output();
    let listing = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let listing = listing.unwrap_or_default();
    let installed = |name: &&str| listing.lines().any(|line| line == format!("installed {name}"));
    needs::LLVM_PACKAGES.iter().copied().filter(installed).collect()
}

fn answer(command: &mut Command) -> Option<String> {
    let output = command.stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}
