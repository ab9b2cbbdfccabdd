//! The sensor: the agent as it ships.

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use testbed::{Agent, find_agent};

use super::{Counted, Place, Running};
use crate::peers::processes;

/// The sensor as it is by default.
pub const WHOLE: &str = "Apus: counters, digests, flows";

/// One way to configure it.
pub struct Sensor {
    pub name: &'static str,
    arguments: &'static [&'static str],
    writes_flows: bool,
}

impl Sensor {
    pub fn all() -> Vec<Self> {
        vec![
            Self { name: WHOLE, arguments: &[], writes_flows: false },
            Self { name: "Apus, flows into files", arguments: &[], writes_flows: true },
            Self { name: "Apus: counters alone", arguments: &["--digests", "false"], writes_flows: false },
            Self {
                name: "Apus, packets pass to the host",
                arguments: &["--action", "pass"],
                writes_flows: false,
            },
        ]
    }

    pub fn start<'a>(&self, place: &'a Place<'a>) -> Result<Watching> {
        let pins = place.bed.bpffs.path().join("sensor");
        let folder = place.folder.join("flows");
        let folder = folder.to_str().context("the temporary folder's name is not text")?;
        let cpu = place.bed.run_cpu.to_string();
        // Longer than any step: the last, partial interval has all of it.
        let mut arguments = vec!["--sensor", "bench", "--interval", "10m", "--drain-cpu", &cpu];
        if self.writes_flows {
            std::fs::create_dir_all(folder).with_context(|| format!("cannot make {folder}"))?;
            arguments.extend(["--flows", folder]);
        }
        arguments.extend(self.arguments);
        let interrupted = || place.bed.interrupted.load(Ordering::Relaxed);
        let agent = Agent::start(&find_agent()?, &place.bed.link.telescope, &pins, &arguments, interrupted)?;
        let watching = Watching { agent, pins, digests: !self.arguments.contains(&"--digests") };
        for process in processes::inside(place.bed.link.telescope.namespace)? {
            processes::keep_on(process, place.bed.run_cpu)?;
        }
        Ok(watching)
    }
}

pub struct Watching {
    agent: Agent,
    pins: PathBuf,
    digests: bool,
}

impl Running for Watching {
    /// It drains its rings many times a second.
    fn settles_in(&self) -> Duration {
        Duration::from_millis(300)
    }

    fn polls(&self) -> bool {
        false
    }

    fn stop(mut self: Box<Self>) -> Result<Counted> {
        let intervals = self.agent.stop()?;
        self.agent.detach()?;
        let mut counted = 0;
        for interval in &intervals {
            let breaches =
                interval["conservation_breaches"].as_array().context("an interval without breaches")?;
            ensure!(breaches.is_empty(), "conservation is broken: {breaches:?}");
            let by_port = by_port(interval);
            // All that these mixes have is TCP scans and UDP, so that what is counted by port is all there is.
            let packets = interval["packets"].as_u64().context("an interval without packets")?;
            ensure!(by_port == packets, "{packets} packets counted, and {by_port} by port");
            counted += by_port;
        }
        let digests_lost = self.digests.then(|| intervals.iter().map(digests_lost).sum());
        if let Some(lost) = digests_lost {
            ensure!(lost <= counted, "{lost} digests lost of {counted} packets");
        }
        Ok(Counted { packets: counted, digests_lost })
    }
}

impl Drop for Watching {
    /// A program that was to outlive its agent would meet the next system's packets.
    fn drop(&mut self) {
        if self.pins.exists() {
            self.agent.kill();
            let _pins_go_with_their_file_system = self.agent.detach();
        }
    }
}

/// What an interval has by destination port, summed up over ports.
fn by_port(interval: &Value) -> u64 {
    let table = |path| {
        let ports = interval.pointer(path).and_then(Value::as_object);
        ports.map_or(0, |ports| ports.values().filter_map(Value::as_u64).sum::<u64>())
    };
    ["/tcp/scan_dst_ports", "/tcp/other_dst_ports", "/udp/dst_ports"].map(table).iter().sum()
}

fn digests_lost(interval: &Value) -> u64 {
    let lost = |path| interval.pointer(path).and_then(Value::as_u64).unwrap_or(0);
    lost("/digests/lost/ipv4") + lost("/digests/lost/ipv6")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ports_of_scans_and_of_udp_are_summed_up() {
        let interval = json!({
            "tcp": {"scan_dst_ports": {"23": 5, "80": 2}, "backscatter_src_ports": {"443": 100}},
            "udp": {"dst_ports": {"53": 1}},
            "digests": {"lost": {"ipv4": 3, "ipv6": 4}},
        });
        assert_eq!((by_port(&interval), digests_lost(&interval)), (8, 7));
    }
}
