//! Evidence: what matches is handed over byte for byte, what is not is counted, and files keep to their limits.

use std::fs;
use std::net::Ipv4Addr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use aya::maps::{Map, MapData, RingBuf};
use end_to_end::agent::{Host, sum, wait_until};
use end_to_end::frame_text;
use end_to_end::kernel::Kernel;
use end_to_end::privileged;
use nix::sys::signal::Signal;
use sensor_ebpf::abi::{Control, EVIDENCE_SNAP, TrafficClass, maps};
use sensor_ebpf::digest::marks;
use sensor_ebpf::evidence::EvidenceRecord;
use sensor_user::config::{Options, Settings};
use sensor_user::mapping::MappedArray;
use serde_json::Value;
use tempfile::TempDir;
use testbed::{Generator, Link, Namespace, Order, Pace, mix};

const MIRAI: &str = "ethernet  020000000002 020000000001 0800
     ipv4      45 00 0028 0001 0000 40 06 0000 c6336401 cb007107
     tcp       9c40 0017 cb007107 00000000 50 02 1618 0000 0000";
/// The same from a neighbour, to another port, and behind a VLAN tag.
const OTHER_SCAN: &str = "ethernet  020000000002 020000000001 8100
     vlan      0001 0800
     ipv4      45 00 0028 0002 0000 40 06 0000 c6336501 cb007107
     tcp       9c40 0050 00000001 00000000 50 02 1618 0000 0000";
const ANSWER: &str = "ethernet  020000000002 020000000001 0800
     ipv4      45 00 0028 0003 0000 40 06 0000 c6336401 cb007107
     tcp       0050 9c40 00000001 00000000 50 12 1618 0000 0000";
const IPV6: &str = "ethernet  020000000002 020000000001 86dd
     ipv6      60000000 000c 11 40 20010db8000000010000000000000001 20010db8000000000000000000000007
     udp       9c40 0035 000c 0000
     payload   00*4";
const ARP: &str = "ethernet  020000000002 020000000001 0806
     payload   00*28";

fn settings(table: &str) -> Result<Settings> {
    let text = format!("digests = false\n[evidence]\nfolder = \"/nowhere\"\n{table}");
    Ok(toml::from_str::<Options>(&text)?.resolve()?)
}

/// The program, and the far end of its ring buffer.
struct Sensor {
    kernel: Kernel,
    ring: RingBuf<MapData>,
}

impl Sensor {
    fn load(table: &str) -> Result<Self> {
        let mut kernel = Kernel::load(&settings(table)?)?;
        let map: Map = kernel.ebpf.take_map(maps::EVIDENCE_RECORDS).context("no ring buffer")?;
        Ok(Self { kernel, ring: RingBuf::try_from(map)? })
    }

    fn records(&mut self) -> Result<Vec<EvidenceRecord>> {
        let mut records = Vec::new();
        while let Some(item) = self.ring.next() {
            ensure!(item.len() == size_of::<EvidenceRecord>(), "a record of {} bytes", item.len());
            // SAFETY: enough bytes, and any are a record.
            records.push(unsafe { item.as_ptr().cast::<EvidenceRecord>().read_unaligned() });
        }
        Ok(records)
    }

    /// Written, and skipped for want of room and by the gate.
    fn counted(&self) -> [u64; 3] {
        let totals = self.kernel.totals();
        let [ring, gate, _] = totals.evidence_skipped;
        [totals.evidence_written, ring, gate]
    }
}

#[test]
fn what_matches_is_handed_over_and_nothing_else() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    let cases: [(&str, &[&str]); 13] = [
        ("", &[MIRAI, OTHER_SCAN, ANSWER, IPV6]),
        ("signatures = [\"mirai\"]", &[MIRAI]),
        ("signatures = [\"zmap\", \"masscan\"]", &[]),
        ("signatures = [\"any\"]", &[MIRAI]),
        ("classes = [\"backscatter_syn_ack\", \"fragment\"]", &[ANSWER]),
        ("classes = [\"scan\"]\nports = [80]", &[OTHER_SCAN]),
        ("ports = [1, 80]", &[OTHER_SCAN, ANSWER]),
        ("ports = [53]", &[IPV6]),
        ("sources = [\"198.51.100.0/24\"]", &[MIRAI, ANSWER]),
        ("sources = [\"198.51.101.0/24\", \"10.0.0.0/8\"]", &[OTHER_SCAN]),
        ("sources = [\"2001:db8:0:1::/64\", \"10.0.0.0/8\"]", &[IPV6]),
        ("sources = [\"2001:db8:0:2::/64\"]", &[]),
        (
            "sources = [\"198.51.0.0/16\"]\nclasses = [\"scan\"]\nports = [23]\nsignatures = [\"any\"]",
            &[MIRAI],
        ),
    ];
    for (table, matching) in cases {
        let mut sensor = Sensor::load(table).context(table)?;
        let mut expected = 0;
        for text in [MIRAI, OTHER_SCAN, ANSWER, IPV6, ARP] {
            let frame = frame_text::parse(text)?;
            sensor.kernel.run(&frame)?;
            let records = sensor.records()?;
            let wanted = matching.contains(&text);
            ensure!(records.len() == usize::from(wanted), "{table}: {} records of {text}", records.len());
            expected += u64::from(wanted);
            for record in records {
                let length = record.captured_length as usize;
                ensure!(record.bytes[..length] == frame[..frame.len().min(256)], "{table}: other bytes");
                ensure!(record.original_length as usize == frame.len() && record.nanoseconds > 0);
            }
        }
        ensure!(sensor.counted() == [expected, 0, 0], "{table}: {:?}", sensor.counted());
    }
    Ok(())
}

#[test]
fn packets_of_every_length_are_copied_to_the_last_byte() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    for snap in [74, 75, 256, 511, 512] {
        let mut sensor = Sensor::load(&format!("snap_length = {snap}"))?;
        let head = frame_text::parse(MIRAI)?;
        for length in head.len()..EVIDENCE_SNAP + 40 {
            let frame: Vec<u8> =
                (0..length).map(|place| head.get(place).copied().unwrap_or(place as u8 | 1)).collect();
            sensor.kernel.run(&frame)?;
            let [record] = *sensor.records()?.as_slice() else {
                anyhow::bail!("{length} bytes: not one record");
            };
            let kept = length.min(snap);
            ensure!(record.captured_length as usize == kept, "{length}: {} kept", record.captured_length);
            ensure!(record.original_length as usize == length, "{length}: {}", record.original_length);
            ensure!(record.bytes[..kept] == frame[..kept], "{length}: other bytes");
            ensure!(record.class == TrafficClass::Scan as u8 && record.signatures == marks::MIRAI);
        }
    }
    Ok(())
}

#[test]
fn a_full_ring_and_a_closed_gate_are_counted_to_the_packet() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    let mut sensor = Sensor::load("signatures = [\"mirai\"]")?;
    let frame = frame_text::parse(MIRAI)?;
    let control = MappedArray::<Control>::of(maps::CONTROL, &sensor.kernel.ebpf)?;
    let gate = |closed: u32| {
        // SAFETY: a live entry, which only this test writes.
        unsafe { (&raw mut (*control.entry(0)).evidence_gate).write_volatile(closed) };
    };
    let (mut written, mut ring) = (0, 0);
    for _ in 0..3 {
        sensor.kernel.program()?.run(&frame, 20_000)?;
        let fitted = sensor.records()?.len() as u64;
        ensure!((1_000..20_000).contains(&fitted), "{fitted} records fitted");
        (written, ring) = (written + fitted, ring + 20_000 - fitted);
        ensure!(sensor.counted() == [written, ring, 0], "{:?}, not {written} and {ring}", sensor.counted());
    }
    gate(1);
    sensor.kernel.program()?.run(&frame, 777)?;
    ensure!(
        sensor.counted() == [written, ring, 777] && sensor.records()?.is_empty(),
        "through a closed gate"
    );
    gate(0);
    sensor.kernel.program()?.run(&frame, 5)?;
    ensure!(
        sensor.counted() == [written + 5, ring, 777] && sensor.records()?.len() == 5,
        "an open gate is shut"
    );
    Ok(())
}

#[test]
fn nothing_is_handed_over_where_it_is_not_asked_for() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    let mut kernel = Kernel::load(&Options::default().resolve()?)?;
    let mut ring =
        RingBuf::try_from(kernel.ebpf.take_map(maps::EVIDENCE_RECORDS).context("no ring buffer")?)?;
    kernel.run(&frame_text::parse(MIRAI)?)?;
    ensure!(ring.next().is_none() && kernel.totals().evidence_written == 0, "evidence without being asked");
    Ok(())
}

/// The files in the folder, oldest first.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    paths.sort();
    Ok(paths)
}

/// Destination, sequence number and comment of each packet, as tshark reads them.
fn read_by_tshark(path: &Path) -> Result<Vec<[String; 3]>> {
    let fields = ["-e", "ip.dst", "-e", "tcp.seq_raw", "-e", "frame.comment"];
    let output = Command::new("tshark")
        .arg("-r")
        .arg(path)
        .args(["-T", "fields", "-E", "occurrence=f"])
        .args(fields)
        .output()?;
    let text = String::from_utf8(output.stdout)?;
    let row = |line: &str| {
        let mut words = line.split('\t').map(str::to_owned);
        std::array::from_fn(|_| words.next().unwrap_or_default())
    };
    Ok(text.lines().map(row).collect())
}

/// A configuration file for evidence in `folder`.
fn configuration(folder: &Path, table: &str) -> Result<PathBuf> {
    let path = folder.with_extension("toml");
    fs::write(&path, format!("[evidence]\nfolder = {:?}\nminimum_free_bytes = 0\n{table}", folder))?;
    Ok(path)
}

fn number(document: &Value, pointer: &str) -> u64 {
    document.pointer(pointer).and_then(Value::as_u64).unwrap_or(0)
}

/// Packets that the filter matched, by what became of them.
fn accounted(intervals: &[Value]) -> u64 {
    let reasons = ["ring", "gate", "rate", "disk", "error"];
    let skipped = reasons.map(|reason| evidence(intervals, &format!("skipped/{reason}")));
    println!("{} written, skipped {reasons:?} {skipped:?}", evidence(intervals, "written"));
    evidence(intervals, "written") + skipped.iter().sum::<u64>()
}

/// One of the numbers of evidence, of all intervals together.
fn evidence(intervals: &[Value], name: &str) -> u64 {
    intervals.iter().map(|interval| number(interval, &format!("/evidence/{name}"))).sum()
}

fn order(packets: u64, per_second: u32) -> Order<'static> {
    let pace = NonZeroU32::new(per_second).map_or(Pace::FullSpeed, Pace::PacketsPerSecond);
    Order { pace, ..Order::packets(packets) }
}

#[test]
fn the_files_hold_every_mirai_packet_and_no_other() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    let (sender, host, scratch) = (Namespace::new()?, Host::new()?, TempDir::new()?);
    let link = Link::between(&sender, &host.namespace)?;
    let folder = scratch.path().join("kept");
    let table = "signatures = [\"mirai\"]\npackets_per_second = 1000000\nfile_bytes = 1000000\nfiles = 100";
    let config = configuration(&folder, table)?;
    let interface = link.telescope.interface.as_str();
    let arguments =
        ["--interface", interface, "--interval", "300ms", "--config", config.to_str().context("a path")?];
    let observing = ["--observed", mix::OBSERVED[0], "--observed", mix::OBSERVED[1]];
    let agent = host.start("agent", &[&arguments[..], &observing].concat())?;
    Generator::new(&mix::telescope())?.send(&link, &order(200_000, 100_000))?;
    let (status, intervals) = agent.stop(Signal::SIGTERM)?;
    ensure!(status.success(), "the agent ended with {status}");
    let total = sum(&intervals);
    let (mirai, written) = (number(&total, "/signatures/mirai/packets"), evidence(&intervals, "written"));
    let accounted = accounted(&intervals);
    ensure!(mirai > 10_000 && accounted == mirai, "{mirai} of Mirai, {accounted} accounted for");
    let mut read = 0;
    for path in files(&folder)? {
        ensure!(path.extension().is_some_and(|extension| extension == "pcapng"), "{path:?} is not finished");
        ensure!(path.metadata()?.len() <= 1_000_000, "{path:?} is too long");
        for [destination, sequence, comment] in read_by_tshark(&path)? {
            let destination: Ipv4Addr = destination.parse()?;
            ensure!(sequence.parse() == Ok(destination.to_bits()), "{destination} {sequence} is not Mirai's");
            ensure!(comment.contains("class scan") && comment.contains("mirai"), "comment {comment}");
            read += 1;
        }
    }
    ensure!(read == written, "tshark reads {read} packets of {written}");
    ensure!(host.run("detach", &[])?.code == Some(0) && !host.pins().exists(), "something is still pinned");
    Ok(())
}

#[test]
fn limits_hold_and_a_killed_agent_leaves_a_readable_file() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    let (sender, host, scratch) = (Namespace::new()?, Host::new()?, TempDir::new()?);
    let link = Link::between(&sender, &host.namespace)?;
    let folder = scratch.path().join("kept");
    let config = configuration(&folder, "packets_per_second = 500\nfile_bytes = 65536\nfiles = 2")?;
    let interface = link.telescope.interface.as_str();
    let arguments =
        ["--interface", interface, "--interval", "200ms", "--config", config.to_str().context("a path")?];
    let mut generator = Generator::new(&mix::telescope())?;

    let agent = host.start("limited", &arguments)?;
    let sent = generator.send(&link, &order(90_000, 30_000))?;
    let (_, intervals) = agent.stop(Signal::SIGTERM)?;
    let total = sum(&intervals);
    let observed =
        ["malformed", "non_ip", "unobserved"].iter().fold(number(&total, "/packets"), |packets, outcome| {
            packets - number(&total, &format!("/outcomes/{outcome}"))
        });
    let accounted = accounted(&intervals);
    ensure!(accounted == observed, "{observed} observed, {accounted} accounted for");
    let most = 500 * (sent.elapsed.as_secs() + 2);
    let written = evidence(&intervals, "written");
    ensure!((500..=most).contains(&written), "{written} written, {most} at most");
    ensure!(evidence(&intervals, "skipped/gate") > 0, "the gate was never closed");
    let kept = files(&folder)?;
    ensure!(kept.len() == 2, "{kept:?}");
    for path in &kept {
        ensure!(path.metadata()?.len() <= 65_536, "{path:?} is too long");
    }

    let agent = host.start("killed", &arguments)?;
    generator.send(&link, &order(3_000, 30_000))?;
    wait_until("something is written", || {
        Ok(agent.intervals()?.iter().any(|interval| number(interval, "/evidence/written") > 0))
    })?;
    agent.kill()?;
    let part = files(&folder)?
        .into_iter()
        .find(|path| path.extension().is_some_and(|extension| extension == "part"));
    let part = part.context("no file was being written")?;
    ensure!(!read_by_tshark(&part)?.is_empty(), "tshark reads nothing of {part:?}");
    let agent = host.start("next", &arguments)?;
    ensure!(!part.exists() && part.with_extension("").exists(), "{part:?} was not finished");
    agent.stop(Signal::SIGTERM)?;

    // Without evidence the ring buffer is another one, and the counters go on.
    let before = number(&host.status()?, "/totals/packets");
    let agent = host.start("off", &["--interface", interface])?;
    generator.send(&link, &order(1_000, 30_000))?;
    let (_, intervals) = agent.stop(Signal::SIGTERM)?;
    ensure!(intervals.iter().all(|interval| interval["evidence"].is_null()), "evidence without being asked");
    ensure!(number(&host.status()?, "/totals/packets") == before + 1_000, "the counters did not go on");
    ensure!(host.run("detach", &[])?.code == Some(0) && !host.pins().exists(), "something is still pinned");
    Ok(())
}
