//! `apus-demo`, behind `cargo xtask demo`: the real agent counts generated traffic before your eyes and ships it to a
//! real collector, and what is stored there is compared with what was sent.

mod interruption;
mod live;
mod report;
mod screen;
mod table;
mod text;

use std::io::{self, Write as _};
use std::num::NonZeroU32;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, ensure};
use clap::Parser;
use tempfile::TempDir;
use testbed::{
    Agent, Authority, Bpffs, Collector, Generator, Identity, Link, Namespace, Pace, Uplink, find_agent,
    find_collector, mix,
};

use testbed::collector::PORT;

use interruption::Interruption;
use live::Live;
use report::Report;
use screen::Screen;

/// Shows sensor and collector at work on generated traffic, inside network namespaces of its own
///
/// Three namespaces are made and joined by virtual cables. In the first a generator sends what a telescope
/// sees, of which every counter is known beforehand. In the second the real agent runs, with the XDP
/// program that ships, and keeps every interval in a spool. It ships them by TLS, with certificates made for
/// the occasion, to the real collector in the third, which stores them. At the end all that is stored is
/// compared. Nothing leaves the namespaces, and nothing is left of them afterwards.
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

/// What the sensor is called.
const SENSOR: &str = "demo";

/// The agent's flags for shipping to the collector.
fn shipping(files: &TempDir, address: &str, authority: &Authority, identity: &Identity) -> Vec<String> {
    let path = |path: &Path| path.to_string_lossy().into_owned();
    let flags = [
        ("--sensor", SENSOR.to_owned()),
        ("--interval", "1s".to_owned()),
        ("--spool", path(&files.path().join("spool"))),
        ("--collector", format!("https://{address}:{PORT}")),
        ("--collector-ca", path(&authority.certificate())),
        ("--certificate", path(&identity.certificate)),
        ("--key", path(&identity.key)),
    ];
    flags.into_iter().flat_map(|(flag, value)| [flag.to_owned(), value]).collect()
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
    let (sender, receiver, third) = (Namespace::new()?, Namespace::new()?, Namespace::new()?);
    let link = Link::between(&sender, &receiver)?;
    let uplink = Uplink::between(&receiver, &third, 0)?;
    let bpffs = Bpffs::new()?;
    let files = TempDir::with_prefix("apus-demo-")?;
    let address = uplink.collector_address();
    let authority = Authority::new(&find_collector()?)?;
    let (server, sensor) = (authority.server(&[&address])?, authority.sensor(SENSOR, 1)?);
    let store = files.path().join("store");
    let collector = Collector::start(&find_collector()?, &third, &address, &store, &authority, &server, &[])?;
    let mix = mix::telescope();
    let mut generator = Generator::new(&mix)?;
    let mut agent = Agent::start(
        &program,
        &link.telescope,
        &bpffs.path().join("sensor"),
        &shipping(&files, &address, &authority, &sensor).iter().map(String::as_str).collect::<Vec<_>>(),
        || interruption.has_come(),
    )?;

    let live = Live {
        length: Duration::from_secs(arguments.seconds),
        pace: if arguments.full_speed { Pace::FullSpeed } else { Pace::PacketsPerSecond(arguments.rate) },
        screen: Screen::new(arguments.json, &agent.attachment()),
    };
    let sent = live.run(&mut generator, &link, &mut agent, &collector, &interruption)?;
    // It ships what waits before it ends.
    let intervals = agent.stop()?;
    let stored = collector.counted()?;
    collector.stop()?;
    let detached = agent.detach();

    let report = Report::new(&mix, &sent, &intervals, stored);
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
