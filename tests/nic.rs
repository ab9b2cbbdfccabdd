//! `bench nic`, where the ends of veth pairs stand for NICs: what it refuses, what it counts, and what it leaves behind.

use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use aya::Ebpf;
use aya::programs::{Xdp, XdpMode};
use end_to_end::agent::{Finished, wait_until};
use end_to_end::privileged;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use testbed::{End, Link, Namespace, Process, find_bench};

/// `bench nic` at one end, in its namespace.
fn nic(end: &End<'_>, arguments: &[&str]) -> Result<Command> {
    let mut command = end.namespace.command(find_bench()?);
    command.args(["nic", "--json", "--interface", &end.interface]).args(arguments);
    Ok(command)
}

fn run(end: &End<'_>, arguments: &[&str]) -> Result<Finished> {
    let output = nic(end, arguments)?.output()?;
    Ok(Finished {
        code: output.status.code(),
        output: String::from_utf8(output.stdout)?,
        errors: String::from_utf8(output.stderr)?,
    })
}

/// The program that is attached, by `ip`'s word.
fn attached_program(end: &End<'_>) -> Result<Option<u64>> {
    let text = end.namespace.run("ip", &["-j", "-d", "link", "show", "dev", &end.interface])?;
    let links: Value = serde_json::from_str(&text)?;
    Ok(links[0]["xdp"]["prog"]["id"].as_u64())
}

/// It fails, says so in one line with these words, and has attached and sent nothing.
fn refuses(link: &Link<'_>, arguments: &[&str], words: &[&str]) -> Result<()> {
    let before = (attached_program(&link.telescope)?, link.generator.statistics()?.sent);
    let Finished { code, output, errors } = run(&link.telescope, arguments)?;
    ensure!(code == Some(1) && output.is_empty() && errors.lines().count() == 1, "{code:?}: {errors}");
    ensure!(words.iter().all(|word| errors.contains(word)), "{errors}");
    let after = (attached_program(&link.telescope)?, link.generator.statistics()?.sent);
    ensure!(before == after, "{before:?} became {after:?}");
    Ok(())
}

#[test]
fn it_sends_nothing_unasked_and_shares_no_interface() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    let host = Namespace::new()?;
    let link = Link::between(&host, &host)?;
    let (telescope, generator) = (link.telescope.interface.as_str(), link.generator.interface.as_str());
    refuses(&link, &["--from", generator], &[generator, "--yes-send", "198.18.0.0/24"])?;
    refuses(&link, &["--yes-send"], &["--from"])?;
    refuses(&link, &["--from", telescope, "--yes-send"], &["itself"])?;
    refuses(&link, &["--from", "apus-none", "--yes-send"], &["there is no interface apus-none"])?;

    // A bridge would pass them on to its other ports.
    host.run("ip", &["link", "add", "apus-bridge", "type", "bridge"])?;
    for port in [generator, telescope] {
        host.run("ip", &["link", "set", "dev", port, "master", "apus-bridge"])?;
        refuses(&link, &["--from", generator, "--yes-send"], &[port, "is a port of apus-bridge"])?;
        host.run("ip", &["link", "set", "dev", port, "nomaster"])?;
    }

    // As its own, a host that forwards would pass the packets on.
    host.within(|| std::fs::write(format!("/proc/sys/net/ipv4/conf/{telescope}/forwarding"), "1"))??;
    let own = ["--from", generator, "--yes-send", "--destination-mac", "02:00:00:00:00:02"];
    refuses(&link, &own, &["forwarding"])?;

    // Somebody else's program stays.
    let mut ebpf = Ebpf::load(sensor_objects::BASELINE)?;
    let program: &mut Xdp = ebpf.program_mut("bare_pass").context("no bare_pass")?.try_into()?;
    program.load()?;
    let index = link.telescope.index;
    let attached = host.within(|| program.attach_to_if_index(index, XdpMode::Driver))??;
    ensure!(attached_program(&link.telescope)?.is_some(), "nothing is attached");
    refuses(&link, &[], &[telescope, "has an XDP program already", "stays as it is"])?;
    program.detach(attached)?;

    host.run("ip", &["link", "set", "dev", generator, "down"])?;
    refuses(&link, &["--from", generator, "--yes-send"], &["carrier"])?;
    host.run("ip", &["link", "set", "dev", telescope, "down"])?;
    refuses(&link, &[], &[telescope, "is down"])
}

#[test]
fn what_is_sent_is_received_counted_and_passed() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    let host = Namespace::new()?;
    let link = Link::between(&host, &host)?;
    let sending = ["--from", &link.generator.interface, "--yes-send", "--rate", "50000"];
    let short = ["--rounds", "2", "--seconds", "0.1"];
    for mode in ["native", "generic"] {
        // A veth end takes frames from a program only where somebody takes them in in the driver, or with GRO.
        link.receive_without_xdp()?;
        let Finished { code, output, errors } =
            run(&link.telescope, &[&sending[..], &short, &["--mode", mode]].concat())?;
        ensure!(code == Some(0), "{errors}");
        ensure!(attached_program(&link.telescope)?.is_none(), "a program is still attached");
        let measurement: Value = serde_json::from_str(&output)?;
        let checked: Vec<&str> =
            measurement["checked"].as_array().context("no list")?.iter().filter_map(Value::as_str).collect();
        let all = checked.join("\n");
        ensure!(all.contains("driver veth") && all.contains(&format!("{mode} mode")), "{all}");
        // Each sensor's, and the whole: no packet is missing, though all go on into the stack.
        for label in ["sensor ", "sensor+digest "] {
            let line = checked.iter().find(|line| line.starts_with(label)).context("no such line")?;
            let numbers = numbers(line);
            ensure!(numbers.len() == 2 && numbers[0] == numbers[1] && numbers[0] > 0, "{line}");
        }
        let sent = checked.iter().find(|line| line.starts_with("sent from ")).context("nothing sent")?;
        let numbers = numbers(sent.split_once("made ").context("nothing made")?.1);
        ensure!(numbers.len() == 3 && numbers.iter().all(|number| *number == numbers[0]), "{sent}");
        let bars = measurement["figures"][0]["plot"]["bars"].as_array().context("no bars")?;
        ensure!(bars.len() == 4, "{measurement}");
        for bar in bars {
            ensure!(bar["measured"]["spread"]["min"].as_f64() > Some(0.0), "no rate: {bar}");
        }
    }
    Ok(())
}

/// The numbers of a sentence, thousands and all.
fn numbers(sentence: &str) -> Vec<u64> {
    let words = sentence.split([' ', ':']).map(|word| word.trim_end_matches(',').replace(',', ""));
    words.filter_map(|word| word.parse().ok()).collect()
}

#[test]
fn however_it_ends_nothing_is_left_attached() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    let host = Namespace::new()?;
    let link = Link::between(&host, &host)?;
    let sending = ["--from", &link.generator.interface, "--yes-send", "--rate", "1000"];
    for (signal, arguments) in [
        (Signal::SIGINT, &[][..]),
        (Signal::SIGTERM, &sending),
        (Signal::SIGKILL, &[]),
        (Signal::SIGKILL, &sending),
    ] {
        let mut command = nic(&link.telescope, &[arguments, &["--seconds", "30"]].concat())?;
        let mut process = Process::spawn(command.stdout(Stdio::null()).stderr(Stdio::piped()))?;
        wait_until("a program is attached", || {
            ensure!(process.try_wait()?.is_none(), "it has ended by itself");
            Ok(attached_program(&link.telescope)?.is_some())
        })?;
        kill(Pid::from_raw(process.id().cast_signed()), signal)?;
        let mut status = None;
        wait_until("it ends", || {
            status = process.try_wait()?;
            Ok(status.is_some())
        })?;
        wait_until("the program is detached", || Ok(attached_program(&link.telescope)?.is_none()))?;
        if signal != Signal::SIGKILL {
            let errors = std::io::read_to_string(process.stderr.take().context("no standard error")?)?;
            let code = status.and_then(|status| status.code());
            ensure!(code == Some(1) && errors.contains("nothing is left attached"), "{code:?}: {errors}");
        }
    }
    Ok(())
}
