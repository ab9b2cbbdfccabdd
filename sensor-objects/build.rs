//! Builds the XDP programs with the toolchain that this machine has for `bpfel-unknown-none`:
//! rustup's nightly with rust-src, or else Debian's rustc-web with its prebuilt libcore.
//!
//! aya-build knows the first way only, hence the few lines of our own.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

const BINARIES: [&str; 4] = ["sensor", "generator", "baseline", "alternatives"];
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const TARGET: &str = "bpfel-unknown-none";

fn main() -> Result<()> {
    let manifest = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(variable("OUT_DIR")?);
    let programs = manifest.parent().context("this crate has no parent folder")?.join("sensor-ebpf");
    for watched in ["src", "Cargo.toml"] {
        println!("cargo::rerun-if-changed={}", programs.join(watched).display());
    }
    println!("cargo::rerun-if-env-changed=PATH");
    println!("cargo::rustc-check-cfg=cfg(program_logs)");

    let target_directory = out.join("ebpf");
    build(&programs, &target_directory)?;
    for binary in BINARIES {
        let built = target_directory.join(TARGET).join("release").join(binary);
        std::fs::copy(&built, out.join(binary))
            .with_context(|| format!("cannot copy the built program {}", built.display()))?;
    }
    Ok(())
}

fn build(programs: &Path, target_directory: &Path) -> Result<()> {
    let toolchain = Toolchain::find()?;
    let mut command = toolchain.cargo()?;
    command.current_dir(programs).args(["build", "--release", "--target", TARGET, "--bins"]);
    command.arg("--target-dir").arg(target_directory);
    // Where one is configured for everything, the cargo that runs this script holds its lock.
    command.env("CARGO_BUILD_BUILD_DIR", target_directory);
    let mut features = vec!["programs"];
    // Every profile that inherits from release ships, or tests what ships; only dev says more.
    let logs = variable("PROFILE")? == "debug";
    if logs {
        features.push("log");
        println!("cargo::rustc-cfg=program_logs");
    }
    command.arg("--features").arg(features.join(","));
    // A program has no one to panic to, so arithmetic wraps there as the hardware's does.
    command.env("CARGO_PROFILE_RELEASE_OVERFLOW_CHECKS", "false");
    command.env("CARGO_PROFILE_RELEASE_DEBUG", "2");
    command.env("CARGO_ENCODED_RUSTFLAGS", rustflags(logs)?);
    // What cargo sets for this script is meant for the host.
    for inherited in ["RUSTFLAGS", "CARGO_BUILD_TARGET", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER"] {
        command.env_remove(inherited);
    }
    let status = command.status().with_context(|| format!("cannot run {command:?}"))?;
    if !status.success() {
        bail!("building the XDP programs failed ({status}); `cargo xtask setup` installs what it needs");
    }
    Ok(())
}

/// The flags that every BPF build has, joined as cargo wants them.
fn rustflags(logs: bool) -> Result<OsString> {
    let architecture = variable("CARGO_CFG_TARGET_ARCH")?;
    let architecture_flag = format!("--cfg=bpf_target_arch=\"{architecture}\"");
    let mut flags = vec![architecture_flag.as_str(), "-Cdebuginfo=2", "-Clink-arg=--btf"];
    // Header fields are read whole wherever they lie. The verifier allows that where the machine does,
    // which is everywhere that XDP-capable NICs are found; but never on the stack, where aya-log builds
    // its records.
    if !logs {
        flags.push("-Ctarget-feature=+allows-misaligned-mem-access");
    }
    Ok(flags.join("\x1f").into())
}

enum Toolchain {
    /// rustup's nightly, which builds libcore from rust-src.
    Nightly,
    /// Debian's rustc, with a prebuilt libcore; the cargo that runs this script drives it.
    Debian,
}

impl Toolchain {
    fn find() -> Result<Self> {
        if sysroot(Command::new("rustup").args(["run", "nightly", "rustc", "--print", "sysroot"]))
            .is_some_and(|sysroot| sysroot.join("lib/rustlib/src/rust/library/core").is_dir())
        {
            return Ok(Self::Nightly);
        }
        if sysroot(Command::new(DEBIAN_RUSTC).args(["--print", "sysroot"]))
            .is_some_and(|sysroot| sysroot.join("lib/rustlib").join(TARGET).is_dir())
        {
            return Ok(Self::Debian);
        }
        bail!("no Rust toolchain here can build for {TARGET}: run `cargo xtask setup`");
    }

    fn cargo(&self) -> Result<Command> {
        Ok(match self {
            Self::Nightly => {
                let mut command = Command::new("rustup");
                command.args(["run", "nightly", "cargo", "-Z", "build-std=core"]);
                for set_by_cargo in ["RUSTC", "RUSTUP_TOOLCHAIN"] {
                    command.env_remove(set_by_cargo);
                }
                command
            }
            Self::Debian => {
                let mut command = Command::new(variable("CARGO")?);
                // aya-ebpf uses asm_experimental_arch, so a stable compiler has to be told to allow it.
                command.env("RUSTC", DEBIAN_RUSTC).env("RUSTC_BOOTSTRAP", "1");
                command
            }
        })
    }
}

fn sysroot(command: &mut Command) -> Option<PathBuf> {
    let output = command.env_remove("RUSTC").output().ok()?;
    output.status.success().then(|| PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()))
}

fn variable(name: &str) -> Result<String> {
    env::var(name).with_context(|| format!("cargo did not set {name}"))
}
