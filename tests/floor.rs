//! What this kernel lacks is either done without, and said so, or the reason of a clear refusal. `APUS_FALLBACKS` names
//! fallbacks that whoever prepared the machine has made necessary.

use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use end_to_end::agent::{Finished, Host};
use end_to_end::fixture;
use nix::sys::signal::Signal;
use sensor_user::config::Options;
use sensor_user::features::{Fallback, Features, Missing, has_btf};
use sensor_user::program::Alone;
use serde_json::Value;
use testbed::{find_agent, privileged};

/// Exit code of an agent whose kernel is too old.
const TOO_OLD: i32 = 5;

/// By the kernel's own word, without the agent's.
fn in_force() -> Result<Vec<Fallback>> {
    let features = Features::probe()?;
    let mut alone = Alone::load(&Options::default().resolve()?)?;
    let compiled = alone.program()?.info()?.size_jitted() > 0;
    Ok(Fallback::in_force(features, Some(compiled), has_btf()))
}

#[test]
fn a_kernel_is_supported_or_refused_with_the_reason() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    let host = Host::new()?;
    let Finished { code: checked, output, errors } = host.run("check", &["--interface", "lo"])?;
    let Some(missing) = Missing::probe() else {
        ensure!(checked == Some(0), "check fails: {output}{errors}");
        let agent = host.start("agent", &["--interface", "lo"])?;
        agent.stop(Signal::SIGTERM)?;
        return Ok(());
    };
    println!("this kernel has {missing}");
    ensure!(checked == Some(1) && output.contains("cannot run the sensor"), "check: {output}{errors}");
    let Finished { code, errors, .. } = host.run("run", &["--interface", "lo"])?;
    ensure!(code == Some(TOO_OLD) && errors.lines().count() == 1, "run: {code:?}, {errors}");
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
    if !privileged() || Missing::probe().is_some() {
        return Ok(());
    }
    let host = Host::new()?;
    let agent = host.start("agent", &["--interface", "lo"])?;
    let told = host.status()?["fallbacks"].clone();
    let table = host.run("status", &[])?.output;
    agent.stop(Signal::SIGTERM)?;
    let expected = in_force()?;
    ensure!(told == serde_json::to_value(&expected)?, "status tells {told}, and it is {expected:?}");
    ensure!(expected.iter().all(|fallback| table.contains(fallback.says())), "{expected:?}: {table}");
    for wanted in std::env::var("APUS_FALLBACKS").iter().flat_map(|names| names.split(',')) {
        let names = told.as_array().context("no list of fallbacks")?;
        ensure!(names.iter().any(|name| name == wanted), "{wanted} is not in force: {told}");
    }
    Ok(())
}

#[test]
fn check_says_the_same_as_status() -> Result<()> {
    if !privileged() || Missing::probe().is_some() {
        return Ok(());
    }
    let host = Host::new()?;
    let Finished { output, errors, .. } = host.run("check", &["--json"])?;
    let lines: Vec<Value> = serde_json::from_str(&output).context(errors)?;
    let line = |check: &str| {
        let mut lines = lines.iter().filter(|line| line["check"] == check);
        lines.next().with_context(|| format!("check says nothing of {check}"))
    };
    let expected = in_force()?;
    for (fallback, check, lacking) in [
        (Fallback::SingleBuffer, "multi-buffer XDP", "has none"),
        (Fallback::LockedMemory, "memory of maps", "locked memory"),
        (Fallback::Interpreter, "JIT compiler", "interpreted"),
        (Fallback::NoBtf, "BTF", "does not need it"),
    ] {
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
