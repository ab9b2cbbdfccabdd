//! A folder for the length of one run: tshark's profile, and the captures made for second looks.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;
use std::{env, fs, process};

use anyhow::{Context, Result, ensure};

use crate::search_path;

/// The only protocols that tshark may dissect. Without tunnels and applications an inner header
/// cannot be taken for an outer one, no application's bugs reach the packet, and it is quicker.
/// Capture files as files are for [`super::stamps`]: no packet holds any.
const PROTOCOLS: [&str; 21] = [
    "_ws.expert",
    "_ws.malformed",
    "_ws.short",
    "data",
    "eth",
    "ethertype",
    "file-pcap",
    "frame",
    "icmp",
    "icmpv6",
    "ip",
    "ipv6",
    "ipv6.dstopts",
    "ipv6.fraghdr",
    "ipv6.hopopts",
    "ipv6.routing",
    "mime_dlt",
    "sll",
    "tcp",
    "udp",
    "vlan",
];

#[derive(Debug)]
pub struct Workshop {
    folder: PathBuf,
    files: AtomicU64,
}

impl Workshop {
    pub fn open() -> Result<Self> {
        // Unique even after a run that was killed had the same process number.
        let now = SystemTime::UNIX_EPOCH.elapsed().context("the clock is before 1970")?;
        let name = format!("apus-oracle-{}-{}", process::id(), now.as_nanos());
        let folder = env::temp_dir().join(name);
        fs::create_dir(&folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
        let workshop = Self { folder, files: AtomicU64::new(0) };
        workshop.write_profile()?;
        Ok(workshop)
    }

    fn write_profile(&self) -> Result<()> {
        let output = self
            .tool("tshark")
            .args(["-G", "protocols"])
            .output()
            .context("cannot start tshark: `cargo xtask setup --for oracle` installs it")?;
        let known = String::from_utf8(output.stdout).context("tshark's list of protocols")?;
        // Name, short name, and the name that the list of disabled protocols goes by.
        let known: BTreeSet<&str> = known.lines().filter_map(|line| line.split('\t').nth(2)).collect();
        for needed in PROTOCOLS {
            ensure!(known.contains(needed), "this tshark does not know the protocol {needed}");
        }
        let disabled: Vec<&str> = known.into_iter().filter(|name| !PROTOCOLS.contains(name)).collect();
        let list = self.folder.join("disabled_protos");
        fs::write(&list, disabled.join("\n") + "\n")
            .with_context(|| format!("cannot write {}", list.display()))
    }

    /// One of Wireshark's programs, with the run's own profile: the user's cannot change what it says.
    pub fn tool(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env("PATH", search_path::joined())
            .env("WIRESHARK_CONFIG_DIR", &self.folder)
            .env("LC_ALL", "C")
            .stdin(Stdio::null());
        command
    }

    /// Which tshark it is, in its own words.
    pub fn judge(&self) -> Result<String> {
        let output = self.tool("tshark").arg("--version").output().context("cannot start tshark")?;
        let words = String::from_utf8_lossy(&output.stdout);
        Ok(words.lines().next().unwrap_or("an unknown tshark").trim_end_matches('.').to_owned())
    }

    /// A name for a file that is removed when it is no longer needed.
    pub fn file(&self) -> WorkFile {
        self.file_ending("")
    }

    /// The same, for programs that go by the ending.
    pub fn file_ending(&self, ending: &str) -> WorkFile {
        let number = self.files.fetch_add(1, Ordering::Relaxed);
        WorkFile { path: self.folder.join(format!("work-{number}{ending}")) }
    }
}

impl Drop for Workshop {
    fn drop(&mut self) {
        // A leftover in the temporary folder is no reason to fail a run that has its result.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

#[derive(Debug)]
pub struct WorkFile {
    path: PathBuf,
}

impl WorkFile {
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for WorkFile {
    fn drop(&mut self) {
        // As above; and it may never have been written.
        let _ = fs::remove_file(&self.path);
    }
}
