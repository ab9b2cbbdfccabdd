//! A peer's configuration, as data: `bench/peers/`.

use anyhow::{Context as _, Result};
use serde::Deserialize;

/// Every peer, and the files that some of them read.
const CONFIGURATIONS: &[(&str, &str)] = &[
    ("af_packet.toml", include_str!("../../../peers/af_packet.toml")),
    ("af_packet-fanout.toml", include_str!("../../../peers/af_packet-fanout.toml")),
    ("tcpdump.toml", include_str!("../../../peers/tcpdump.toml")),
    ("tcpdump-filter.toml", include_str!("../../../peers/tcpdump-filter.toml")),
    ("pmacctd.toml", include_str!("../../../peers/pmacctd.toml")),
    ("softflowd.toml", include_str!("../../../peers/softflowd.toml")),
    ("nfpcapd.toml", include_str!("../../../peers/nfpcapd.toml")),
    ("argus.toml", include_str!("../../../peers/argus.toml")),
    ("darkstat.toml", include_str!("../../../peers/darkstat.toml")),
    ("testpmd-af_packet.toml", include_str!("../../../peers/testpmd-af_packet.toml")),
    ("testpmd-af_xdp.toml", include_str!("../../../peers/testpmd-af_xdp.toml")),
];
const FILES: &[(&str, &str)] = &[
    ("argus.conf", include_str!("../../../peers/argus.conf")),
    ("pmacctd.conf", include_str!("../../../peers/pmacctd.conf")),
];

/// How a system gets at packets.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
pub enum Reads {
    Nothing,
    Xdp,
    Libpcap,
    AfPacket,
    Dpdk,
}

/// A program, and how to deal with it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    pub name: String,
    /// Debian's, for who has to install it.
    pub package: Option<String>,
    pub reads: Reads,
    /// It tells by destination port, or by more, what it has counted.
    #[serde(default)]
    pub by_port: bool,
    /// It counts TCP alone.
    #[serde(default)]
    pub only_tcp: bool,
    /// It polls: it is never idle.
    #[serde(default)]
    pub polls: bool,
    /// It is for every CPU, also the one that sends.
    #[serde(default)]
    pub every_cpu: bool,
    /// Name of a file of [`FILES`], to be put into its folder.
    pub file: Option<String>,
    /// `NAME=VALUE` each.
    #[serde(default)]
    pub environment: Vec<String>,
    pub command: Vec<String>,
    /// What it says when it counts.
    pub ready: Option<String>,
    /// And how long after that it does.
    #[serde(default)]
    pub ready_milliseconds: u64,
    /// Or the port on 127.0.0.1 that it listens on when it does.
    pub ready_port: Option<u16>,
    pub stop: Stop,
    pub settle_milliseconds: u64,
    pub count: Count,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    /// SIGINT
    Interrupt,
    /// SIGTERM
    Terminate,
    /// An empty line on its standard input.
    Newline,
}

/// Where a program's own count is, and how to find it there.
#[derive(Debug, Deserialize)]
pub struct Count {
    #[serde(flatten)]
    pub source: Source,
    /// What comes right before the number; of several the last counts.
    pub after: Option<String>,
    /// What comes right before another number, which is to be taken off.
    pub less: Option<String>,
    /// What comes right behind it.
    pub before: Option<String>,
    /// Or the heading of the column whose numbers are to be summed up.
    pub column: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "from", rename_all = "snake_case")]
pub enum Source {
    /// Its standard output, when it has ended.
    Output,
    /// Its standard error, when it has ended.
    Messages,
    /// A file of its folder, when it has ended.
    File { file: String },
    /// What a command says before it ends.
    Answer { command: Vec<String> },
    /// What a command says when it has ended.
    Afterwards { command: Vec<String> },
    /// Its page on 127.0.0.1, before it ends.
    Page { port: u16 },
}

impl Program {
    pub fn all() -> Result<Vec<Self>> {
        CONFIGURATIONS
            .iter()
            .map(|(file, text)| toml::from_str(text).with_context(|| format!("bench/peers/{file}")))
            .collect()
    }

    /// The text of the file that it reads, with its name.
    pub fn file(&self) -> Result<Option<(&'static str, &'static str)>> {
        let Some(wanted) = &self.file else {
            return Ok(None);
        };
        let found = FILES.iter().find(|(name, _)| name == wanted);
        found.copied().map(Some).with_context(|| format!("there is no bench/peers/{wanted}"))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_configuration_can_be_read_and_says_when_it_is_ready_and_where_its_count_is() {
        let all = Program::all().unwrap();
        assert_eq!(all.iter().map(|program| &program.name).collect::<BTreeSet<_>>().len(), all.len());
        for program in all {
            let Program { name, count, .. } = &program;
            program.file().unwrap();
            assert!(program.ready.is_some() != program.ready_port.is_some(), "{name}");
            let ways = [count.after.is_some(), count.before.is_some(), count.column.is_some()];
            assert_eq!(ways.iter().filter(|way| **way).count(), 1, "{name}");
        }
    }
}
