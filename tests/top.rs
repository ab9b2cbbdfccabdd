//! The live view, in a terminal beside a running agent.

use anyhow::{Result, ensure};
use end_to_end::agent::{Finished, Host};
use end_to_end::privileged;
use end_to_end::terminal::Terminal;
use nix::sys::signal::Signal;
use testbed::frame::{Frame, Ipv4, Tcp};
use testbed::mix::{Expectation, Kind, Mix, Port, Version};
use testbed::{Generator, Link, Namespace, Order};

const PORT: u16 = 44_322;
const SOURCE: [u8; 4] = [203, 0, 113, 77];
const PACKETS: u64 = 1_234;

/// Scans of one port by one source.
fn one_scanner() -> Mix {
    let network = Ipv4 {
        source: SOURCE,
        destination: [198, 18, 0, 1],
        identification: 0x2b01,
        time_to_live: 52,
        fragment: 0,
        options: &[],
    };
    let transport = Tcp {
        source_port: 40_321,
        destination_port: PORT,
        sequence: 0x0102_0304,
        flags: 0x02,
        window: 64_240,
        options: &[2, 4, 5, 180],
    };
    Mix::new(vec![Kind {
        name: "one scanner",
        weight: 1,
        frame: Frame::ethernet().ipv4(&network).tcp(&transport).build(),
        mutations: 0,
        expectation: Expectation::scan(Version::V4, Port::Is(PORT)),
    }])
}

#[test]
fn ports_and_sources_are_shown_while_an_agent_runs_and_the_terminal_is_given_back() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    let (sender, host) = (Namespace::new()?, Host::new()?);
    let link = Link::between(&sender, &host.namespace)?;
    let interface = &link.telescope.interface;
    let agent = host.start("agent", &["--interface", interface, "--interval", "1s"])?;
    let mut command = host.command(&host.pins(), "top")?;
    let mut terminal = Terminal::start(command.args(["--refresh", "200ms"]))?;
    terminal.wait_for("q quit")?;
    let picture = terminal.picture();
    ensure!(picture.contains("agent runs") && picture.contains(interface), "{picture}");

    Generator::new(&one_scanner())?.send(&link, &Order::packets(PACKETS))?;
    terminal.wait_for("44322     1,234 ")?;
    terminal.wait_for("sources: 1, from 100 % of the digests")?;
    terminal.wait_for("203.0.113.77     1,234 scan     44322 ")?;
    terminal.send("q")?;
    let (status, _) = terminal.end()?;
    ensure!(status.code() == Some(0), "it ended with {status}");

    // It has only looked: the agent has counted every packet.
    let (_, intervals) = agent.stop(Signal::SIGTERM)?;
    ensure!(end_to_end::agent::sum(&intervals)["packets"] == PACKETS, "packets are missing");

    // By a signal, and without an agent.
    let terminal = Terminal::start(&mut host.command(&host.pins(), "top")?)?;
    terminal.wait_for("no agent runs")?;
    terminal.signal(Signal::SIGTERM)?;
    let (status, _) = terminal.end()?;
    ensure!(status.code() == Some(0), "it ended with {status}");

    // By the end of the sensor.
    let terminal = Terminal::start(&mut host.command(&host.pins(), "top")?)?;
    terminal.wait_for("q quit")?;
    ensure!(host.run("detach", &[])?.code == Some(0), "cannot detach");
    let (status, written) = terminal.end()?;
    ensure!(status.code() == Some(1) && written.contains("was detached"), "{status}: {written:?}");
    Ok(())
}

#[test]
fn without_a_terminal_it_names_what_needs_none() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    let host = Host::new()?;
    let Finished { code, output, errors } = host.run("top", &[])?;
    ensure!(code == Some(1) && output.is_empty() && errors.lines().count() == 1, "{code:?}: {errors}");
    ensure!(errors.contains("apus-sensor status --json"), "{errors}");
    let Finished { code, errors, .. } = host.run("top", &["--refresh", "1ms"])?;
    ensure!(code == Some(2) && errors.contains("100ms"), "{code:?}: {errors}");
    Ok(())
}
