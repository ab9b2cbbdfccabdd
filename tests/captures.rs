//! The captures of real scans in `captures/`, each against the document beside it: through the kernel by
//! way of `replay`, and through the same rules on the host.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use end_to_end::{fixture, host, privileged};
use ipnet::IpNet;
use sensor_ebpf::count::{Exclusive, WatchedWindows, count};
use sensor_user::capture::Capture;
use sensor_user::config::{CountingFlags, Options};
use sensor_user::counters::Totals;
use sensor_user::document::Document;
use sensor_user::replay;
use serde_json::Value;
use testbed::document::differences;

/// What every clone of the repository has to carry of them.
const MOST_BYTES: u64 = 150_000;

fn captures() -> Result<Vec<PathBuf>> {
    let folder = fixture::package().join("captures");
    let entries = fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "pcap"));
    paths.sort();
    ensure!(!paths.is_empty(), "no captures in {}", folder.display());
    Ok(paths)
}

/// Counts every capture, and tells of all that come out wrong at once.
fn check(counted: impl Fn(&Path) -> Result<Value>) -> Result<()> {
    let mut wrong = Vec::new();
    for capture in captures()? {
        let path = capture.with_extension("json");
        let text = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let expected: Value = serde_json::from_slice(&text).with_context(|| path.display().to_string())?;
        let counted = counted(&capture).with_context(|| capture.display().to_string())?;
        for difference in differences(&expected, &counted) {
            wrong.push(format!("{}: {difference:?}", capture.display()));
        }
    }
    ensure!(wrong.is_empty(), "captures are not what they were:\n{}", wrong.join("\n"));
    Ok(())
}

fn through_the_kernel(capture: &Path, counting: &CountingFlags) -> Result<Value> {
    let arguments = replay::Arguments {
        files: vec![capture.to_owned()],
        json: true,
        batches: None,
        flows: None,
        counting: counting.clone(),
    };
    let mut output = Vec::new();
    replay::run(&arguments, &mut output)?;
    Ok(serde_json::from_slice(&output)?)
}

fn through_the_host(capture: &Path) -> Result<Value> {
    struct Watched<'a>(&'a [u16]);
    impl WatchedWindows for Watched<'_> {
        fn position(&self, window: u16) -> Option<usize> {
            self.0.iter().position(|watched| *watched == window)
        }
    }
    let settings = Options::default().resolve()?;
    let windows = Watched(&settings.watched_windows);
    let (mut totals, mut capture) = (Totals::default(), Capture::open(capture)?);
    while let Some(packet) = capture.next_packet()? {
        let decoded = host::decoded(&settings, packet.frame);
        let bytes = packet.original_length.into();
        // SAFETY: counters of our own, with no other writer.
        unsafe { count::<Exclusive>(totals.counters_mut(), &decoded, bytes, &windows) };
    }
    Ok(serde_json::to_value(Document::new(&totals, &settings.watched_windows))?)
}

#[test]
fn every_capture_through_the_kernel() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    check(|capture| through_the_kernel(capture, &CountingFlags::default()))
}

#[test]
fn every_capture_through_the_host() -> Result<()> {
    check(through_the_host)
}

/// A sensor on a host that answers must not take the answers for backscatter: they go to the scanner,
/// which is not observed.
#[test]
fn answers_are_unobserved() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    let capture = fixture::package().join("captures/nmap-answered.pcap");
    let observed: IpNet = "192.0.2.16/28".parse()?;
    let all = through_the_kernel(&capture, &CountingFlags::default())?;
    let counting = CountingFlags { observed: Some(vec![observed]), ..CountingFlags::default() };
    let restricted = through_the_kernel(&capture, &counting)?;

    let (scans, synacks) = ("/tcp/classes/scan", "/tcp/classes/backscatter_syn_ack");
    ensure!(all.pointer(synacks) != Some(&0.into()), "there are no answers in this capture");
    ensure!(restricted.pointer(synacks) == Some(&0.into()), "an answer counts as backscatter");
    ensure!(restricted.pointer(scans) == all.pointer(scans), "a scan is not counted");
    // Three SYN-ACKs, six RST-ACKs of closed ports, and four port unreachables.
    ensure!(restricted.pointer("/outcomes/unobserved") == Some(&13.into()), "{restricted:#}");
    Ok(())
}

#[test]
fn captures_are_small() -> Result<()> {
    let sizes = captures()?.iter().map(|path| Ok(fs::metadata(path)?.len())).collect::<Result<Vec<_>>>()?;
    let bytes: u64 = sizes.iter().sum();
    ensure!(bytes <= MOST_BYTES, "{bytes} bytes of captures, {MOST_BYTES} are enough");
    Ok(())
}
