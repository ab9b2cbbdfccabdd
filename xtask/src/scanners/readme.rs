//! The description that goes with the captures, made from the same table as they are.

use std::fmt::Write as _;
use std::process::Command;

use anyhow::{Context, Result};

use super::scan::{SCANS, Scan, View};
use crate::search_path;

const HEAD: &str = "\
# Captures of real scans

Every packet here was sent by a real tool, or by a kernel in answer to one, from a network namespace of
ours to another: nothing else was ever scanned, and nothing here was captured anywhere else. Addresses are
those set aside for documentation (192.0.2.0/24, 2001:db8::/32). The scanner is 192.0.2.1, the target is
192.0.2.2, and the observed addresses are 192.0.2.16/28 and 2001:db8::17. hping3 makes up what its ICMP
errors quote (1.2.3.4 and 5.6.7.8).

`NAME.json` is the whole document that `apus-sensor replay --json NAME.pcap` must print; the test
`captures` of the package `end-to-end` asserts it, through the kernel and through the same rules on the
host. `cargo xtask oracle tests/captures` derives the same counts from what tshark says of each packet.

`cargo xtask scanners` runs all of this again, into a new folder, with this description, and fails where
\"must be found\" is not. Tools draw ports, sequence numbers and IP IDs at random, so new captures are
never the same bytes, and their documents differ where that shows. To replace these, compare the new ones
with the oracle first, then copy the whole folder over this one.
";

/// Which version of each tool it was: how to ask, and how the line begins that answers.
const TOOLS: [(&str, &str, &str); 5] = [
    ("nmap", "--version", "Nmap version"),
    ("masscan", "--version", "Masscan version"),
    ("zmap", "--version", "zmap"),
    ("hping3", "--version", "hping3 version"),
    ("tcpdump", "--version", "tcpdump version"),
];

pub fn readme() -> Result<String> {
    let mut text = HEAD.to_owned();
    text.push_str("\n## Tools\n");
    for (tool, question, answer) in TOOLS {
        writeln!(text, "- {}", version(tool, question, answer)?)?;
    }
    writeln!(text, "- Linux {}, which answers", kernel()?)?;
    for scan in &SCANS {
        write!(text, "\n{}", section(scan))?;
    }
    Ok(text)
}

/// What is said of one capture. It does not depend on where or when it was made.
pub fn section(Scan { name, says, view, lines, finds }: &Scan) -> String {
    let view = match view {
        View::Telescope => "What arrives; nobody answers.",
        View::Conversation => "Both directions; the target answers.",
        View::Backscatter => "What arrives at the observed addresses, which the scanner pretends to be.",
    };
    let finds: Vec<String> =
        finds.iter().map(|(pointer, packets)| format!("{packets} in `{pointer}`")).collect();
    format!(
        "## {name}.pcap\n{says} {view}\n```\n{}\n```\nMust be found: {}.\n",
        lines.join("\n"),
        finds.join(", ")
    )
}

fn version(tool: &str, question: &str, answer: &str) -> Result<String> {
    let mut command = Command::new(tool);
    command.arg(question).env("PATH", search_path::joined());
    let output = command.output().with_context(|| format!("cannot start {tool}"))?;
    // Some tell it as an error, and some fail all the same.
    let words = [output.stdout, output.stderr].concat();
    let words = String::from_utf8_lossy(&words);
    let line = words.lines().find(|line| line.starts_with(answer));
    let line = line.with_context(|| format!("{tool} does not say its version"))?;
    Ok(line.split(" (").next().unwrap_or(line).trim().to_owned())
}

/// The kernel's version, without what a distribution puts behind it.
fn kernel() -> Result<String> {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").context("which kernel is this?")?;
    let is_number = |letter: char| letter.is_ascii_digit() || letter == '.';
    Ok(release.split(|letter| !is_number(letter)).next().unwrap_or_default().to_owned())
}
