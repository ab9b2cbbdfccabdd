//! What this kernel lacks is either done without, and said so, or the reason of a clear refusal.
//!
//! Whoever prepared the machine may know what to expect of its kernel, and then that is what has to be: `APUS_EXPECTED`
//! is `refused`, or names the fallbacks that are in force, separated by commas; none, where it is empty.
//! `APUS_FALLBACKS` names those that the preparation has added. Without the first, what the kernel itself says is
//! compared with what the agent says.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use end_to_end::agent::{Finished, Host};
use end_to_end::fixture;
use nix::sys::signal::Signal;
use sensor_user::config::Options;
use sensor_user::features::{Fallback, Features, Missing, has_btf};
use sensor_user::program::Alone;
use sensor_user::system::knows_multi_buffer;
use serde_json::Value;
use testbed::{aside, find_agent, privileged, skips};

/// Exit code of an agent whose kernel is too old.
const TOO_OLD: i32 = 5;

/// By the kernel's own word, without the agent's.
fn in_force() -> Result<Vec<Fallback>> {
    let features = Features::probe()?;
    let mut alone = Alone::load(&Options::default().resolve()?)?;
    let compiled = alone.program()?.info()?.size_jitted() > 0;
    Ok(Fallback::in_force(features, Some(compiled), has_btf()))
}

/// With the line of `check` about each, and what that says where it is in force.
const FALLBACKS: [(Fallback, &str, &str); 4] = [
    (Fallback::SingleBuffer, "multi-buffer XDP", "has none"),
    (Fallback::LockedMemory, "memory of maps", "locked memory"),
    (Fallback::Interpreter, "JIT compiler", "interpreted"),
    (Fallback::NoBtf, "BTF", "does not need it"),
];

/// What is known of this kernel without asking it.
enum Known {
    Refused,
    InForce(Vec<Fallback>),
}

fn known() -> Result<Option<Known>> {
    let Ok(expected) = std::env::var("APUS_EXPECTED") else { return Ok(None) };
    if expected == "refused" {
        return Ok(Some(Known::Refused));
    }
    let mut all = named(&expected)?;
    all.extend(added()?);
    Ok(Some(Known::InForce(in_order(&all))))
}

/// What preparing this machine has added.
fn added() -> Result<Vec<Fallback>> {
    std::env::var("APUS_FALLBACKS").map_or_else(|_| Ok(Vec::new()), |names| named(&names))
}

/// Fallbacks by their names, as the agent's documents have them.
fn named(names: &str) -> Result<Vec<Fallback>> {
    let of = |name: &str| {
        for (fallback, ..) in FALLBACKS {
            if serde_json::to_value(fallback)? == name {
                return Ok(fallback);
            }
        }
        bail!("{name} is no fallback")
    };
    names.split(',').map(str::trim).filter(|name| !name.is_empty()).map(of).collect()
}

fn in_order(some: &[Fallback]) -> Vec<Fallback> {
    FALLBACKS.iter().map(|(fallback, ..)| *fallback).filter(|fallback| some.contains(fallback)).collect()
}

/// The fallbacks that have to be in force here.
fn expected() -> Result<Vec<Fallback>> {
    match known()? {
        Some(Known::InForce(expected)) => Ok(expected),
        Some(Known::Refused) => bail!("this kernel should be refused, and has all that it takes"),
        None => {
            let (expected, added) = (in_force()?, added()?);
            let lacks_none = added.iter().all(|fallback| expected.contains(fallback));
            ensure!(lacks_none, "{added:?} should be in force, and the kernel says {expected:?}");
            Ok(expected)
        }
    }
}

/// Whether the kernel can run the sensor; where not, it has been said on standard error that the test skips.
fn is_supported() -> bool {
    let missing = Missing::probe();
    missing.iter().for_each(|missing| skips(format_args!("this kernel has {missing}")));
    missing.is_none()
}

#[test]
fn a_kernel_is_supported_or_refused_with_the_reason() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    let host = Host::new()?;
    let Finished { code: checked, output, errors } = host.run("check", &["--interface", "lo"])?;
    let missing = Missing::probe();
    if let Some(known) = known()? {
        let is_refused = matches!(known, Known::Refused);
        ensure!(is_refused == missing.is_some(), "to be refused: {is_refused}; it has {missing:?}");
    }
    let Some(missing) = missing else {
        ensure!(checked == Some(0), "check fails: {output}{errors}");
        let agent = host.start("agent", &["--interface", "lo"])?;
        agent.stop(Signal::SIGTERM)?;
        return Ok(());
    };
    ensure!(checked == Some(1) && output.contains("cannot run the sensor"), "check: {output}{errors}");
    let Finished { code, errors, .. } = host.run("run", &["--interface", "lo"])?;
    ensure!(code == Some(TOO_OLD) && errors.lines().count() == 1, "run: {code:?}, {errors}");
    aside(format_args!("is refused: {}", errors.trim_end()));
    ensure!(errors.contains("too old") && errors.contains(&missing.to_string()), "run: {errors}");
    ensure!(!host.pins().exists(), "the refused one left something pinned");
    let capture = fixture::package().join("captures/nmap-syn.pcap");
    let output = Command::new(find_agent()?).arg("replay").arg(capture).output()?;
    let errors = String::from_utf8(output.stderr)?;
    ensure!(output.status.code() == Some(TOO_OLD) && errors.contains("too old"), "replay: {errors}");
    Ok(())
}

#[test]
fn the_agent_says_what_it_does_without() -> Result<()> {
    if !privileged() || !is_supported() {
        return Ok(());
    }
    let host = Host::new()?;
    let agent = host.start("agent", &["--interface", "lo"])?;
    let told = host.status()?["fallbacks"].clone();
    let table = host.run("status", &[])?.output;
    agent.stop(Signal::SIGTERM)?;
    let expected = expected()?;
    ensure!(told == serde_json::to_value(&expected)?, "status tells {told}, and it is {expected:?}");
    ensure!(expected.iter().all(|fallback| table.contains(fallback.says())), "{expected:?}: {table}");
    Ok(())
}

#[test]
fn check_says_the_same_as_status() -> Result<()> {
    if !privileged() || !is_supported() {
        return Ok(());
    }
    let host = Host::new()?;
    let Finished { output, errors, .. } = host.run("check", &["--json"])?;
    let lines: Vec<Value> = serde_json::from_str(&output).context(errors)?;
    let line = |check: &str| {
        let mut lines = lines.iter().filter(|line| line["check"] == check);
        lines.next().with_context(|| format!("check says nothing of {check}"))
    };
    let expected = expected()?;
    for (fallback, check, lacking) in FALLBACKS {
        let line = line(check)?;
        let says = line["found"].as_str().is_some_and(|found| found.contains(lacking));
        ensure!(
            says == expected.contains(&fallback),
            "{fallback:?} is in force or not, and check says {line}"
        );
        ensure!(line["status"] != "fail", "{line}");
    }
    Ok(())
}

/// A process that may lock no more than a kernel before Linux 5.11 allows by itself; with the right to be allowed more, or
/// without.
fn with_little_locked_memory(command: &mut Command, may_have_more: bool) {
    const LITTLE: libc::rlim_t = 64 << 10;
    const CAP_SYS_RESOURCE: libc::c_ulong = 24;
    let prepare = move || {
        let limit = libc::rlimit { rlim_cur: LITTLE, rlim_max: LITTLE };
        // SAFETY: the kernel reads the structure that lives here.
        if unsafe { libc::setrlimit(libc::RLIMIT_MEMLOCK, &raw const limit) } != 0 {
            return Err(std::io::Error::last_os_error());
        }
        // From what the superuser gains by running a program it is gone.
        // SAFETY: numbers only.
        if !may_have_more && unsafe { libc::prctl(libc::PR_CAPBSET_DROP, CAP_SYS_RESOURCE, 0, 0, 0) } != 0 {
            return Err(std::io::Error::last_os_error());
        }
        Ok(())
    };
    // SAFETY: it makes two system calls, and allocates nothing.
    unsafe { command.pre_exec(prepare) };
}

#[test]
fn a_limit_of_locked_memory_is_lifted_or_told() -> Result<()> {
    if !privileged() || !is_supported() {
        return Ok(());
    }
    let Features { multi_buffer, group_memory } = Features::probe()?;
    // What is asked where there is no memory for the other question has the same answer.
    ensure!(knows_multi_buffer() == multi_buffer, "the flag says other than the helper: {multi_buffer}");
    let host = Host::new()?;
    let run = ["--interface", "lo"];
    // Where maps are the control group's memory, such a limit is nobody's concern.
    for may_have_more in if group_memory { vec![true, false] } else { vec![true] } {
        let prepare = |command: &mut Command| with_little_locked_memory(command, may_have_more);
        let checked = host.run_prepared("check", &run, prepare)?;
        ensure!(checked.code == Some(0), "check: {}{}", checked.output, checked.errors);
        let agent = host.start_prepared("limited", &run, prepare)?;
        let (status, _) = agent.stop(Signal::SIGTERM)?;
        ensure!(status.success(), "the agent ended with {status}");
    }
    if group_memory {
        skips("maps are no locked memory here: there is no refusal to see");
        return Ok(());
    }

    let limited = |command: &mut Command| with_little_locked_memory(command, false);
    // The sensor that stays pinned takes more than all that this user may lock.
    let status = host.run_prepared("status", &["--json"], limited)?;
    let told: Value = serde_json::from_str(&status.output).context(status.errors)?;
    ensure!(told["fallbacks"] == serde_json::to_value(expected()?)?, "status tells {}", told["fallbacks"]);
    let checked = host.run_prepared("check", &["--json"], limited)?;
    let lines: Vec<Value> = serde_json::from_str(&checked.output).context(checked.errors)?;
    for check in ["memory of maps", "sensor program"] {
        let line = lines.iter().find(|line| line["check"] == check).with_context(|| format!("no {check}"))?;
        let tells = |what: &str, word: &str| line[what].as_str().is_some_and(|text| text.contains(word));
        ensure!(line["status"] == "fail" && tells("found", "locked memory"), "{line}");
        ensure!(tells("remedy", "LimitMEMLOCK="), "{line}");
    }
    ensure!(checked.code == Some(1), "check ends with {:?}", checked.code);

    ensure!(host.run("detach", &[])?.code == Some(0), "cannot detach");
    let Finished { code, errors, .. } = host.run_prepared("run", &run, limited)?;
    aside(format_args!("with 64 KiB: {}", errors.trim_end()));
    ensure!(code == Some(1) && errors.lines().count() == 1, "run: {code:?}, {errors}");
    ensure!(errors.contains("locked memory") && errors.contains("64 KiB"), "run: {errors}");
    ensure!(!host.pins().exists(), "the refused one left something pinned");
    Ok(())
}
