//! Which benchmarks there are, what each of them takes, and what it is given in a quick run.

use std::time::Duration;

use super::Arguments;

/// One benchmark.
pub struct Entry {
    pub name: &'static str,
    pub title: &'static str,
    /// What packets go through.
    pub mode: &'static str,
    /// What it is given in a quick run.
    quick: &'static [&'static str],
    /// Seconds on 2 cores: quick, and as it is usually.
    expected: [u64; 2],
}

const ALONE: &str = "the kernel alone, without a network (BPF_PROG_TEST_RUN)";
const NATIVE: &str = "a veth pair, the program in the driver (native XDP)";
const USER: &str = "user space alone, on one core";
const CHAIN: &str = "a veth pair (native XDP), then TLS over another one";
const NIC: &str = "nic";
const OUTAGE: &str = "outage";

pub const ENTRIES: [Entry; 12] = [
    Entry {
        name: "kernel",
        title: "what one packet costs in the kernel",
        mode: ALONE,
        quick: &["--rounds", "11", "--packets", "500000"],
        expected: [30, 60],
    },
    Entry {
        name: "live",
        title: "what a path carries",
        mode: NATIVE,
        quick: &["--rounds", "10", "--packets", "3145728"],
        expected: [40, 60],
    },
    Entry {
        name: "drain",
        title: "from digests to flows",
        mode: USER,
        quick: &["--flows", "10000", "--flows", "1000000"],
        expected: [30, 240],
    },
    Entry {
        name: "sustained",
        title: "the whole sensor under load",
        mode: NATIVE,
        quick: &["--seconds", "12"],
        expected: [20, 70],
    },
    Entry {
        name: "ship",
        title: "from an interval's end into the store",
        mode: CHAIN,
        quick: &["--seconds", "15", "--rate", "50000"],
        expected: [30, 80],
    },
    Entry {
        name: "ingest",
        title: "flow rows into the store",
        mode: "loopback, TLS",
        quick: &["--rounds", "3", "--intervals", "4"],
        expected: [40, 600],
    },
    Entry {
        name: "query",
        title: "a quarter's report, and the live page",
        mode: "the collector alone",
        quick: &["--rows", "5000000", "--sources", "500000"],
        expected: [60, 1_200],
    },
    Entry {
        name: "regions",
        title: "regions of addresses",
        mode: USER,
        quick: &["--lookups", "5000000"],
        expected: [20, 90],
    },
    Entry {
        name: "peers",
        title: "the sensor beside others",
        mode: "a veth pair; the sensor in the driver (native XDP), others as each of them works",
        quick: &["--quick"],
        expected: [180, 1_800],
    },
    Entry {
        name: "scale",
        title: "how cost grows",
        mode: "as each figure says",
        quick: &["--quick"],
        expected: [90, 900],
    },
    Entry {
        name: OUTAGE,
        title: "the collector away, the agent killed",
        mode: CHAIN,
        quick: &[],
        expected: [0, 900],
    },
    Entry {
        name: NIC,
        title: "an interface of this machine",
        mode: "native or generic, as the figures say",
        quick: &[],
        expected: [60, 60],
    },
];

impl Entry {
    /// Why it is not run, where it is not.
    pub fn left_out(&self, arguments: &Arguments) -> Option<String> {
        let Arguments { quick, only, interface, .. } = arguments;
        if !only.is_empty() && only.iter().all(|name| name != self.name) {
            return Some("only others were asked for".into());
        }
        match self.name {
            OUTAGE if *quick => {
                Some("it takes a quarter of an hour, so that a quick run is without it".into())
            }
            NIC if interface.is_none() => Some("it is for an interface that --interface names".into()),
            _ => None,
        }
    }

    /// Its command line, without what asks for JSON.
    pub fn words(&self, quick: bool, interface: Option<&str>) -> Vec<String> {
        let quick = if quick { self.quick } else { &[] };
        let mut words: Vec<String> = [self.name].iter().chain(quick).map(|word| (*word).to_owned()).collect();
        if let (NIC, Some(interface)) = (self.name, interface) {
            words.extend(["--interface".to_owned(), interface.to_owned()]);
        }
        words
    }

    pub fn expected(&self, quick: bool) -> Duration {
        Duration::from_secs(self.expected[usize::from(!quick)])
    }

    /// When it is ended: a machine may be slow, and nothing may take for ever.
    pub fn limit(&self, quick: bool) -> Duration {
        let factor = if quick { 2 } else { 4 };
        self.expected(quick) * factor + Duration::from_secs(30)
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::CommandLine;

    #[test]
    fn what_is_run_is_a_command_line_of_ours() {
        for entry in &ENTRIES {
            for quick in [true, false] {
                let words = entry.words(quick, Some("eth0"));
                let line = ["bench".to_owned()].into_iter().chain(words).chain(["--json".to_owned()]);
                if let Err(error) = CommandLine::try_parse_from(line) {
                    panic!("{}: {error}", entry.name);
                }
            }
        }
    }

    #[test]
    fn a_quick_run_takes_less_than_ten_minutes() {
        let of_all = ENTRIES.iter().filter(|entry| entry.name != NIC).map(|entry| entry.expected(true));
        assert!(of_all.sum::<Duration>() < Duration::from_mins(10));
    }
}
