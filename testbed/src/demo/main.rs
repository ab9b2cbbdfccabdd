//! `apus-demo`, behind `cargo xtask demo`: the real agent counts generated traffic before your eyes,
//! and what it counted is compared with what was sent.

mod interruption;
mod live;
mod report;
mod screen;
mod table;
mod text;

use std::io::{self, Write as _};
use std::num::NonZeroU32;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, ensure};
use clap::Parser;
use testbed::{Agent, Bpffs, Generator, Link, Namespace, Pace, find_agent, mix};

use interruption::Interruption;
use live::Live;
use report::Report;
use screen::Screen;

/// Shows the sensor at work on generated traffic, inside network namespaces of its own
///
/// Two namespaces are made and joined by a virtual cable. On one end the real agent runs, with the XDP
/// program that ships; on the other a generator sends what a telescope sees, of which every counter is
/// known beforehand. At the end all are compared. Nothing leaves the namespaces, and nothing is left of
/// them afterwards.
#[derive(Parser)]
#[command(name = "cargo xtask demo --", bin_name = "cargo xtask demo --", max_term_width = 100)]
struct Arguments {
    /// How long traffic is sent
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    seconds: u64,
    /// Packets per second
    #[arg(long, default_value = "50000", conflicts_with = "full_speed")]
    rate: NonZeroU32,
    /// As many packets as one CPU can send and count
    #[arg(long)]
    full_speed: bool,
    /// Print the comparison as JSON, and no table
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            // Not `eprintln`: where the terminal is gone there is nobody to tell, and no need to panic.
            let _nobody_listens = writeln!(io::stderr(), "apus-demo: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Everything made here cleans up after itself when it goes out of scope, in the reverse order.
fn run(arguments: &Arguments) -> Result<ExitCode> {
    ensure!(
        nix::unistd::geteuid().is_root(),
        "this needs root, for network namespaces and XDP programs: run it with sudo"
    );
    let interruption = Interruption::watch()?;
    let program = find_agent()?;
    let (sender, receiver) = (Namespace::new()?, Namespace::new()?);
    let link = Link::between(&sender, &receiver)?;
    let bpffs = Bpffs::new()?;
    let mix = mix::telescope();
    let mut generator = Generator::new(&mix)?;
    let mut agent = Agent::start(
        &program,
        &link.telescope,
        &bpffs.path().join("sensor"),
        &["--sensor", "demo", "--interval", "1s"],
        || interruption.has_come(),
    )?;

    let live = Live {
        length: Duration::from_secs(arguments.seconds),
        pace: if arguments.full_speed { Pace::FullSpeed } else { Pace::PacketsPerSecond(arguments.rate) },
        screen: Screen::new(arguments.json, &agent.attachment()),
    };
    let sent = live.run(&mut generator, &link, &mut agent, &interruption)?;
    let intervals = agent.stop()?;
    let detached = agent.detach();

    let report = Report::new(&mix, &sent, &intervals);
    let mut output = io::stdout().lock();
    if arguments.json {
        report.write_json(&mut output)?;
    } else {
        report.write_text(&mut output)?;
    }
    output.flush()?;
    detached?;
    Ok(if report.agrees() { interruption.exit_code() } else { ExitCode::FAILURE })
}
