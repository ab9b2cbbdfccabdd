//! Takes a plan's steps.

use std::env;
use std::process::{Command, Stdio};

use anyhow::{Result, bail};

use super::command_line::CommandLine;
use super::instructions::Needs;
use super::plan::{Plan, Step};
use super::progress::{self, Outcome};
use crate::search_path;

/// Set by a caller for this repository's own build; would change how, or where to, bpf-linker is
/// built.
const NOT_FOR_BPF_LINKER: &[&str] = &[
    "CARGO_BUILD_RUSTFLAGS",
    "CARGO_BUILD_TARGET",
    "CARGO_BUILD_TARGET_DIR",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_INSTALL_ROOT",
    "CARGO_TARGET_DIR",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTFLAGS",
];

pub fn install(plan: &Plan) -> Result<()> {
    eprint!("setup: will install\n{}", Needs(plan));
    for step in &plan.steps {
        match step {
            Step::DebianPackages(_) => debian_packages(&step.commands())?,
            Step::UnpackedPackages { .. } => unpacked_packages(&step.commands())?,
            Step::BpfLinker => bpf_linker(&step.commands())?,
            Step::Programs(_) | Step::NightlyWithRustSrc => {
                bail!("setup does not take this step by itself: {step:?}")
            }
        }
    }
    Ok(())
}

/// A failed update is not the end: one foreign source out of order should not stop the rest, and
/// apt calls an update without any network a success. Whether it mattered shows in the installation,
/// so its complaints are kept for that failure.
fn debian_packages(commands: &[CommandLine]) -> Result<()> {
    let mut complaints = String::new();
    for (position, command_line) in commands.iter().enumerate() {
        let last = position + 1 == commands.len();
        let outcome = progress::run(command_line, prepared(command_line))?;
        if last && !outcome.success {
            let advice = advice(&outcome.tail);
            let Outcome { ending, tail, .. } = outcome;
            bail!(
                "`{command_line}` failed ({ending}). Its last words:\n{tail}{complaints}\n{advice}, \
                 then run `cargo xtask setup` again"
            );
        }
        let remarks = outcome.remarks();
        if !remarks.is_empty() {
            complaints.push_str(&format!("and before that, `{command_line}` said:\n{remarks}"));
        }
    }
    Ok(())
}

/// What fails is told and passed over: one package that is not to be had should not keep the others away, and the second
/// look names those that are still missing.
fn unpacked_packages(commands: &[CommandLine]) -> Result<()> {
    for command_line in commands {
        let Outcome { success, ending, tail } = progress::run(command_line, prepared(command_line))?;
        if !success {
            eprint!("setup: `{command_line}` failed ({ending}). Its last words:\n{tail}");
        }
    }
    Ok(())
}

fn bpf_linker(commands: &[CommandLine]) -> Result<()> {
    for command_line in commands {
        let mut command = prepared(command_line);
        // Away from this repository: its cargo configuration is not meant for others.
        command.current_dir("/");
        for name in NOT_FOR_BPF_LINKER {
            command.env_remove(name);
        }
        for (name, _) in env::vars_os() {
            if name.to_string_lossy().starts_with("CARGO_PROFILE_") {
                command.env_remove(name);
            }
        }
        let outcome = progress::run(command_line, command)?;
        if !outcome.success {
            let Outcome { ending, tail, .. } = outcome;
            bail!(
                "`{command_line}` failed ({ending}). Its last words:\n{tail}\nIf crates could not \
                 be downloaded, check the network and cargo's registry settings, then run \
                 `cargo xtask setup` again"
            );
        }
    }
    Ok(())
}

/// What to do about apt's last words.
pub fn advice(tail: &str) -> &'static str {
    if tail.contains("remove is disabled") {
        "setup removes nothing by itself, and rustc-web cannot stand beside Debian's own rustc and \
         rustup packages: remove those, or give rustup's nightly its rust-src"
    } else if tail.contains("Could not get lock") {
        "another apt is at work: wait for it to end"
    } else {
        "check that this machine reaches its Debian mirrors, and that bookworm-security is among \
         its apt sources (the Rust and LLVM packages come from there)"
    }
}

fn prepared(command_line: &CommandLine) -> Command {
    let mut command = command_line.command();
    command.env("PATH", search_path::joined()).stdin(Stdio::null());
    command
}
