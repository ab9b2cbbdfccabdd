//! The agent's flows: what was sent is what they add up to, whatever happens to rings and agents.

use std::collections::BTreeMap;
use std::fs;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, sleep};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use end_to_end::agent::{Host, OBSERVING, sum};
use end_to_end::csv::{self, Rows};
use end_to_end::privileged;
use nix::sys::signal::Signal;
use sensor_ebpf::digest::Ipv4Digest;
use sensor_user::config::{FlowKey, FlowsFormat};
use sensor_user::flows::folder::FlowsFolder;
use sensor_user::flows::{Flows, Limits};
use sensor_user::prefixes::ObservedRanges;
use serde_json::Value;
use testbed::{Generator, Link, Namespace, Order, Pace, document, machine, mix};

fn number(interval: &Value, path: &str) -> u64 {
    interval.pointer(path).and_then(Value::as_u64).unwrap_or(0)
}

/// The sum of one number over all intervals and both IP versions.
fn both(intervals: &[Value], what: &str) -> u64 {
    let of = |interval: &Value, family: &str| number(interval, &format!("/digests/{what}/{family}"));
    intervals.iter().map(|interval| of(interval, "ipv4") + of(interval, "ipv6")).sum()
}

fn observed(intervals: &[Value]) -> u64 {
    let total = sum(intervals);
    total["ip_protocols"].as_object().into_iter().flat_map(|all| all.values()).filter_map(Value::as_u64).sum()
}

fn are_conserved(intervals: &[Value]) -> Result<()> {
    for interval in intervals {
        ensure!(interval["conservation_breaches"] == Value::Array(vec![]), "{interval}");
    }
    Ok(())
}

/// The rows of every file in a folder of flows.
fn all_rows(folder: &Path) -> Result<Rows> {
    let mut rows = Rows::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        ensure!(path.extension().is_some_and(|extension| extension == "csv"), "{} is left", path.display());
        rows.extend(csv::read(&path)?);
    }
    Ok(rows)
}

fn packets(rows: &Rows, is_meant: impl Fn(&BTreeMap<String, String>) -> bool) -> Result<u64> {
    rows.iter().filter(|row| is_meant(row)).map(|row| Ok(row["packets"].parse::<u64>()?)).sum()
}

#[test]
fn flows_add_up_to_what_was_sent() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    let (sender, host, folder) = (Namespace::new()?, Host::new()?, tempfile::tempdir()?);
    let link = Link::between(&sender, &host.namespace)?;
    let mix = mix::telescope();
    let folder_name = folder.path().to_string_lossy().into_owned();
    let flags = ["--interface", &link.telescope.interface, "--interval", "300ms"];
    let writing = ["--flows", &folder_name, "--flows-format", "csv"];
    let agent = host.start("agent", &[&OBSERVING[..], &flags, &writing].concat())?;
    let sent = Generator::new(&mix)?.send(&link, &Order::packets(machine::packets(400_000)))?;
    let (status, intervals) = agent.stop(Signal::SIGTERM)?;
    ensure!(status.success(), "the agent ended with {status}");
    are_conserved(&intervals)?;
    let expected = mix.expected(&sent.by_kind);
    let differences = document::differences(&expected, &sum(&intervals));
    ensure!(differences.is_empty(), "expected and counted differ: {differences:#?}");
    ensure!(both(&intervals, "lost") == 0 && both(&intervals, "unread") == 0, "digests are missing");
    ensure!(both(&intervals, "written") == observed(&intervals), "not every observed packet has a digest");

    let rows = all_rows(folder.path())?;
    ensure!(packets(&rows, |_| true)? == observed(&intervals), "the rows do not add up");
    let mirai = packets(&rows, |row| row["mirai"] == "true")?;
    ensure!(mirai == number(&expected, "/signatures/mirai/packets"), "{mirai} packets in rows of mirai");
    for port in ["23", "443", "8728"] {
        let scans =
            packets(&rows, |row| row["port"] == port && row["class"] == "scan" && row["protocol"] == "6")?;
        ensure!(scans == number(&expected, &format!("/tcp/scan_dst_ports/{port}")), "port {port}: {scans}");
    }
    Ok(())
}

/// Tiny rings, then usual ones, then none, with an agent killed in between, all under load: every interval's
/// laws hold, and what is missing is said to be.
#[test]
fn what_is_lost_is_counted_whatever_happens_to_rings_and_agents() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    let (sender, host) = (Namespace::new()?, Host::new()?);
    let link = Link::between(&sender, &host.namespace)?;
    let mix = mix::telescope();
    let mut generator = Generator::new(&mix)?;
    let flags = [&OBSERVING[..], &["--interface", &link.telescope.interface, "--interval", "100ms"]].concat();
    let with = |more: &[&'static str]| [&flags[..], more].concat();
    let stop = AtomicBool::new(false);
    let order = Order {
        pace: Pace::PacketsPerSecond(machine::rate(const { NonZeroU32::new(500_000).unwrap() })),
        stop: Some(&stop),
        ..Order::packets(u64::MAX >> 1)
    };
    let tiny = host.start("tiny", &with(&["--ring-records", "64"]))?;
    let (sent, intervals) = thread::scope(|scope| -> Result<_> {
        let sending = scope.spawn(|| generator.send(&link, &order));
        sleep(Duration::from_millis(600));
        let mut intervals = tiny.kill()?;
        sleep(Duration::from_millis(200));
        let rest = (|| -> Result<()> {
            for (name, more) in [
                ("same", &["--ring-records", "64"][..]),
                ("usual", &[]),
                ("none", &["--digests", "false"]),
                ("again", &["--max-flows", "50"]),
            ] {
                let agent = host.start(name, &with(more))?;
                sleep(Duration::from_millis(500));
                let (status, more) = agent.stop(Signal::SIGTERM)?;
                ensure!(status.success(), "{name} ended with {status}");
                if name == "same" {
                    let first = more.first().context("an agent without an interval")?;
                    ensure!(
                        both(std::slice::from_ref(first), "unread") > 0,
                        "the killed agent's digests: {first}"
                    );
                }
                intervals.extend(more);
            }
            Ok(())
        })();
        stop.store(true, Ordering::Relaxed);
        let sent = sending.join().ok().context("the generator panicked")??;
        rest?;
        let last = host.start("last", &flags)?;
        let (_, more) = last.stop(Signal::SIGTERM)?;
        intervals.extend(more);
        Ok((sent, intervals))
    })?;
    are_conserved(&intervals)?;
    ensure!(sum(&intervals)["packets"] == sent.packets, "{} packets sent", sent.packets);
    let total = |path: &str| intervals.iter().map(|interval| number(interval, path)).sum::<u64>();
    let (written, lost, unread) =
        (both(&intervals, "written"), both(&intervals, "lost"), both(&intervals, "unread"));
    let read = total("/flows/packets") + total("/flows/overflow_packets");
    ensure!(written == read + unread, "{written} digests written, {read} read, {unread} not");
    ensure!(lost > 0, "no tiny ring was ever full");
    ensure!(total("/flows/overflow_packets") > 0, "50 flows were enough");
    // Without digests, an interval says nothing of them; the next with them says how many had none.
    let silent: u64 = intervals
        .iter()
        .filter(|interval| interval.get("digests").is_none())
        .map(|interval| observed(std::slice::from_ref(interval)))
        .sum();
    ensure!(silent > 0, "digests were never off");
    let undigested = total("/digests/off");
    ensure!(
        observed(&intervals) == written + lost + undigested + silent,
        "{} observed, {written} written, {lost} lost, {undigested} and {silent} while digests were off",
        observed(&intervals)
    );
    Ok(())
}

/// Ten million sources in one interval, and room for a tenth of a million.
#[test]
fn memory_stays_within_its_bound() -> Result<()> {
    const MOST: u32 = 100_000;
    let limits = Limits::of(FlowKey::Source, MOST, &ObservedRanges::new(&[])?);
    let mut flows = Flows::new(&limits, None);
    let mut batch = vec![Ipv4Digest::default(); 1 << 12];
    for start in (0..10_000_000_u32).step_by(batch.len()) {
        for (source, digest) in (start..).zip(&mut batch) {
            digest.source = source.to_be_bytes();
            // Every source knocks at one address, and at as many ports as it takes to be in the way.
            digest.facts.protocol = 6;
            let [.., port] = (start >> 12).to_be_bytes();
            digest.facts.destination_port = [0, port];
            digest.window = u16::try_from(source & 0xffff)?.to_be_bytes();
        }
        flows.add_ipv4(&batch, 0);
        ensure!(flows.memory() <= limits.most_memory(), "{} bytes", flows.memory());
    }
    // What one expects of so many flows of one target each: 64 bytes and at most three words of the index, in vectors
    // that may have doubled; with a fourth as many overflow rows.
    let expected = 2 * (MOST as usize * 5 / 4) * (64 + 24);
    ensure!(flows.memory() <= expected, "{} bytes, {expected} expected", flows.memory());
    let summary = flows.summary();
    ensure!(summary.rows == u64::from(MOST) && summary.overflow_packets > 9_000_000, "{summary:?}");
    ensure!(summary.packets + summary.overflow_packets == flows.digests[0], "{summary:?}");
    Ok(())
}

/// Each refusal says what to do, and leaves nothing attached or pinned.
#[test]
fn what_cannot_work_is_refused_and_leaves_nothing() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    let (sender, host, folder) = (Namespace::new()?, Host::new()?, tempfile::tempdir()?);
    let link = Link::between(&sender, &host.namespace)?;
    let file = folder.path().join("no_folder");
    fs::write(&file, "")?;
    let (file, taken) = (file.to_string_lossy().into_owned(), folder.path().to_string_lossy().into_owned());
    let _taken = FlowsFolder::open(folder.path(), FlowsFormat::Csv, FlowKey::Source)?;
    let refused: [(&[&str], i32, &str); 7] = [
        (&["--drain-cpu", "4000"], 2, "--drain-cpu"),
        (&["--flows", &file], 1, "no_folder"),
        (&["--flows", &taken], 1, "another apus-sensor writes flows"),
        (&["--digests", "false", "--flows", "/anywhere"], 2, "digests = false"),
        (&["--ring-records", "0"], 2, "ring-records"),
        (&["--max-flows", "4000000000"], 2, "at most 100000000"),
        (&["--flow-key", "tuple"], 2, "flowtuple"),
    ];
    for (flags, code, words) in refused {
        let run = [&["--interface", link.telescope.interface.as_str()], flags].concat();
        let finished = host.run("run", &run)?;
        ensure!(finished.code == Some(code), "{flags:?}: {:?}: {}", finished.code, finished.errors);
        ensure!(finished.errors.contains(words), "{flags:?}: {}", finished.errors);
        ensure!(!host.pins().exists(), "{flags:?} left something pinned");
    }
    Ok(())
}
