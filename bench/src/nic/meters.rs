//! What the machine says of itself: where its CPUs spend their time, and which of them take packets in.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};

use super::port::Port;

/// The kernel shows processor time in hundredths of a second, whatever its own tick is (`USER_HZ`).
pub const TICK: Duration = Duration::from_millis(10);

/// Since the machine was started, and of all of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meters {
    /// In interrupts and softirqs, in ticks, of all CPUs.
    pub interrupt_ticks: u64,
    /// Receiving softirqs by CPU, of those that have run any.
    pub receiving: BTreeMap<String, u64>,
}

impl Meters {
    pub fn read() -> Result<Self> {
        let read = |path| fs::read_to_string(path).with_context(|| format!("cannot read {path}"));
        let interrupt_ticks =
            interrupt_ticks(&read("/proc/stat")?).context("/proc/stat has no times of all CPUs")?;
        let receiving = receiving(&read("/proc/softirqs")?).context("/proc/softirqs has no NET_RX")?;
        Ok(Self { interrupt_ticks, receiving })
    }
}

/// `cpu  user nice system idle iowait irq softirq steal guest guest_nice`.
fn interrupt_ticks(stat: &str) -> Option<u64> {
    let line = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
    let times: Vec<u64> = line.split_whitespace().map(str::parse).collect::<Result<_, _>>().ok()?;
    Some(times.get(5)? + times.get(6)?)
}

/// A column for each CPU, which the first line names.
fn receiving(softirqs: &str) -> Option<BTreeMap<String, u64>> {
    let mut lines = softirqs.lines();
    let names = lines.next()?.split_whitespace();
    let numbers = lines.find_map(|line| line.trim().strip_prefix("NET_RX:"))?.split_whitespace();
    names.zip(numbers).map(|(name, number)| Some((name.to_owned(), number.parse().ok()?))).collect()
}

/// Counters of the driver's own that tell of packets which it took no further, by name.
///
/// # Errors
/// Where `ethtool` is absent, or the driver has none.
pub fn driver_drops(port: &Port) -> Result<BTreeMap<String, u64>, testbed::Error> {
    testbed::run(Command::new("ethtool").args(["-S", port.name()])).map(|text| drops(&text))
}

fn drops(statistics: &str) -> BTreeMap<String, u64> {
    const WORDS: [&str; 7] = ["drop", "discard", "miss", "no_buf", "nobuf", "out_of_buf", "overflow"];
    let counters = statistics.lines().filter_map(|line| line.trim().rsplit_once(": "));
    counters
        .filter(|(name, _)| !name.starts_with("tx") && WORDS.iter().any(|word| name.contains(word)))
        .filter_map(|(name, number)| Some((name.trim().to_owned(), number.trim().parse().ok()?)))
        .collect()
}

/// What has grown, and by how much.
pub fn growth(before: &BTreeMap<String, u64>, after: &BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    let grown = after
        .iter()
        .map(|(name, now)| (name.clone(), now.saturating_sub(before.get(name).copied().unwrap_or(0))));
    grown.filter(|(_, by)| *by > 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interrupts_are_the_sixth_and_seventh_time_of_all_cpus() {
        let stat = "cpu  10 20 30 40 50 6 7 8 9 10\ncpu0 1 1 1 1 1 1 1 1 1 1\nintr 5\n";
        assert_eq!(interrupt_ticks(stat), Some(13));
        assert_eq!(interrupt_ticks("cpu0 1 1 1 1 1 1 1\n"), None);
        assert_eq!(interrupt_ticks("cpu  1 2 3\n"), None);
    }

    #[test]
    fn receiving_softirqs_are_those_of_each_cpu() {
        let text = "                    CPU0       CPU2       \n          HI:          1          2\n      \
                    NET_RX:     123456          7\n";
        let expected = [("CPU0".to_owned(), 123_456), ("CPU2".to_owned(), 7)];
        assert_eq!(receiving(text), Some(BTreeMap::from(expected)));
        assert_eq!(receiving("CPU0\n HI: 1\n"), None);
    }

    #[test]
    fn drops_are_told_by_their_names_and_never_those_of_sending() {
        let text = "NIC statistics:\n     rx_packets: 5\n     rx_queue_0_drops: 3\n     tx_dropped: 9\n     \
                    rx_missed_errors: 0\n     port.rx_discards: 2\n     rx_out_of_buffer: 1\n";
        let drops = drops(text);
        let names: Vec<&str> = drops.keys().map(String::as_str).collect();
        assert_eq!(names, ["port.rx_discards", "rx_missed_errors", "rx_out_of_buffer", "rx_queue_0_drops"]);
        let before = BTreeMap::from([("rx_queue_0_drops".to_owned(), 1)]);
        let grown = growth(&before, &drops);
        assert_eq!(grown.get("rx_queue_0_drops"), Some(&2));
        assert_eq!((grown.len(), grown.get("rx_missed_errors")), (3, None));
    }

    #[test]
    fn this_machine_tells() {
        let meters = Meters::read().unwrap();
        assert!(!meters.receiving.is_empty());
    }
}
