//! What outlives the agent, what `detach` removes, and what is refused.

use anyhow::{Context as _, Result, ensure};
use aya::maps::MapData;
use end_to_end::agent::{Finished, Host, wait_until};
use end_to_end::privileged;
use nix::sys::signal::Signal;
use sensor_ebpf::abi::{Control, maps};
use sensor_user::mapping::MappedArray;
use serde_json::Value;
use testbed::{Link, Namespace};

/// The program that is attached to an interface, by `ip`'s word.
fn attached_program(host: &Host, interface: &str) -> Result<Option<u64>> {
    let text = host.namespace.run("ip", &["-j", "-d", "link", "show", "dev", interface])?;
    let links: Value = serde_json::from_str(&text)?;
    Ok(links[0]["xdp"]["prog"]["id"].as_u64())
}

fn is_loaded(program: u64) -> bool {
    aya::programs::loaded_programs().filter_map(Result::ok).any(|loaded| u64::from(loaded.id()) == program)
}

#[test]
fn detach_leaves_nothing_whether_an_agent_runs_or_not() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    let (sender, host) = (Namespace::new()?, Host::new()?);
    let link = Link::between(&sender, &host.namespace)?;
    let interface = &link.telescope.interface;
    for running in [false, true] {
        let agent = host.start("agent", &["--interface", interface, "--interval", "100ms"])?;
        let program = attached_program(&host, interface)?.context("no program is attached")?;
        let agent = if running {
            Some(agent)
        } else {
            let (status, _) = agent.stop(Signal::SIGTERM)?;
            ensure!(status.success(), "the agent ended with {status}");
            ensure!(attached_program(&host, interface)? == Some(program), "the program left with its agent");
            None
        };
        let Finished { code, output, errors } = host.run("detach", &[])?;
        ensure!(code == Some(0) && output.contains(interface), "detach: {output}{errors}");
        ensure!(!host.pins().exists(), "the pinned set is still there");
        ensure!(attached_program(&host, interface)?.is_none(), "a program is still attached");
        if let Some(mut agent) = agent {
            let status = agent.wait()?;
            let errors = agent.errors()?;
            ensure!(
                status.code() == Some(1) && errors.contains("detached from outside"),
                "{status}: {errors}"
            );
        }
        wait_until("the program is unloaded", || Ok(!is_loaded(program)))?;
        let again = host.run("detach", &[])?;
        ensure!(again.code == Some(0) && again.output.contains("nothing is pinned"), "{}", again.output);
    }
    let agent = host.start("tidy", &["--interface", interface, "--detach-on-exit"])?;
    agent.stop(Signal::SIGINT)?;
    ensure!(
        !host.pins().exists() && attached_program(&host, interface)?.is_none(),
        "it did not detach on exit"
    );
    Ok(())
}

#[test]
fn a_set_of_another_abi_is_refused_and_can_be_detached() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    let (sender, host) = (Namespace::new()?, Host::new()?);
    let link = Link::between(&sender, &host.namespace)?;
    let run = ["--interface", link.telescope.interface.as_str()];
    host.start("agent", &run)?.stop(Signal::SIGTERM)?;

    let control = MapData::from_pin(host.pins().join(maps::CONTROL))?;
    let control = MappedArray::<Control>::new(maps::CONTROL, &control)?;
    // SAFETY: a live entry, and no agent runs on it.
    unsafe { (*control.entry(0)).abi_version = 99 };
    for command in ["run", "status"] {
        let Finished { code, errors, .. } = host.run(command, if command == "run" { &run } else { &[] })?;
        ensure!(
            code == Some(1) && errors.contains("ABI version 99") && errors.contains("detach"),
            "{errors}"
        );
        ensure!(errors.lines().count() == 1, "more than one line: {errors}");
    }
    ensure!(host.run("detach", &[])?.code == Some(0) && !host.pins().exists(), "it cannot be detached");
    Ok(())
}

#[test]
fn what_cannot_be_done_is_said_in_one_line_and_leaves_nothing() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    let (sender, host) = (Namespace::new()?, Host::new()?);
    let link = Link::between(&sender, &host.namespace)?;
    let interface = link.telescope.interface.as_str();
    let cases: [(&[&str], i32, &str); 7] = [
        (&["--interface", "absent0"], 1, "absent0"),
        (&[], 2, "--interface"),
        (&["--interface", interface, "--interval", "9999999h"], 2, "too long"),
        (&["--interface", interface, "--action", "drop"], 2, "observed"),
        (&["--interface", interface, "--action", "drop", "--observed", "0.0.0.0/0"], 2, "cut this host off"),
        (&["--interface", interface, "--interface", interface], 2, "twice"),
        (&["--interface", interface, "--config", "/nowhere/apus.toml"], 2, "/nowhere/apus.toml"),
    ];
    for (arguments, expected, word) in cases {
        let Finished { code, errors, .. } = host.run("run", arguments)?;
        ensure!(code == Some(expected), "{arguments:?}: {code:?}, {errors}");
        ensure!(errors.lines().count() == 1 && errors.contains(word), "{arguments:?}: {errors}");
        ensure!(!host.pins().exists(), "{arguments:?} left something pinned");
    }
    // A second agent on the same set, and a second set on the same interface.
    let agent = host.start("first", &["--interface", interface])?;
    let Finished { code, errors, .. } = host.run("run", &["--interface", interface])?;
    ensure!(code == Some(1) && errors.contains("another apus-sensor already runs"), "{errors}");
    agent.stop(Signal::SIGTERM)?;
    let other = host.pins().with_file_name("other");
    let Finished { code, errors, .. } = host.run_in(&other, "run", &["--interface", interface])?;
    ensure!(code == Some(1) && errors.contains("has another XDP program already"), "{errors}");
    ensure!(!other.exists(), "the refused one left something pinned");
    Ok(())
}

/// The loopback interface has no XDP in its driver.
#[test]
fn native_is_refused_with_its_reason_and_auto_falls_back_with_a_warning() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    let host = Host::new()?;
    let Finished { code, errors, .. } = host.run("run", &["--interface", "lo", "--mode", "native"])?;
    ensure!(code == Some(1) && errors.contains("lo (driver ") && errors.contains("--mode auto"), "{errors}");
    ensure!(!host.pins().exists(), "the refused one left something pinned");
    for (mode, warned) in [("auto", true), ("generic", false)] {
        let agent = host.start(mode, &["--interface", "lo", "--mode", mode])?;
        let errors = agent.errors()?;
        ensure!(errors.contains("attached to lo (generic"), "{mode}: {errors}");
        ensure!(errors.contains("warning: lo does not take XDP natively") == warned, "{mode}: {errors}");
        agent.stop(Signal::SIGTERM)?;
        ensure!(host.status()?["interfaces"][0]["mode"] == "generic", "status tells another mode");
        ensure!(host.run("detach", &[])?.code == Some(0), "cannot detach");
    }
    Ok(())
}

#[test]
fn an_interface_that_went_and_came_back_is_attached_anew() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    let (sender, host) = (Namespace::new()?, Host::new()?);
    let link = Link::between(&sender, &host.namespace)?;
    let interface = link.telescope.interface.as_str();
    let agent = host.start("first", &["--interface", interface, "--interval", "100ms"])?;
    host.namespace.run("ip", &["link", "delete", "dev", interface])?;
    wait_until("the agent warns", || Ok(agent.errors()?.contains("is gone")))?;
    agent.stop(Signal::SIGTERM)?;
    let number = link.telescope.index.to_string();
    let add = ["link", "add", interface, "index", &number, "type", "veth", "peer", "name", "other0"];
    host.namespace.run("ip", &add)?;
    ensure!(
        host.status()?["interfaces"][0]["linked"] == false,
        "status takes the new interface for the old one"
    );
    let agent = host.start("second", &["--interface", interface])?;
    ensure!(
        agent.errors()?.contains("attached to") && attached_program(&host, interface)?.is_some(),
        "not attached"
    );
    agent.stop(Signal::SIGTERM)?;
    // Another mode than the one that is there.
    let agent = host.start("third", &["--interface", interface, "--mode", "generic"])?;
    ensure!(agent.errors()?.contains("(generic"), "the mode was not changed: {}", agent.errors()?);
    agent.stop(Signal::SIGTERM)?;
    ensure!(host.status()?["interfaces"][0]["mode"] == "generic", "status tells another mode");
    Ok(())
}

#[test]
fn a_folder_that_is_on_no_bpf_file_system_is_left_alone() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    let (host, folder) = (Host::new()?, tempfile::TempDir::new()?);
    let file = folder.path().join("program");
    std::fs::write(&file, "somebody's")?;
    for (command, arguments) in [("run", &["--interface", "lo"][..]), ("detach", &[])] {
        let Finished { code, errors, .. } = host.run_in(folder.path(), command, arguments)?;
        ensure!(code == Some(1) && errors.contains("not on a BPF file system"), "{command}: {errors}");
    }
    ensure!(file.exists(), "a file that is not the sensor's was removed");
    Ok(())
}
