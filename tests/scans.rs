//! Real scanners, all at once, each from an address of its own: every source's rows are right.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Result, ensure};
use end_to_end::agent::{Host, wait_until};
use end_to_end::csv::{self, Rows};
use end_to_end::privileged;
use nix::sys::signal::Signal;
use testbed::{Link, Namespace, Process};

const TARGETS: &str = "198.51.100.16/28";

/// What a scanner is told, `@` being the interface that it sends from and `#` its own address.
struct Scanner {
    address: &'static str,
    line: &'static str,
    /// What its rows must be: packets and targets by protocol, port (or ICMP type), and signature.
    rows: &'static [(&'static str, [u64; 2])],
}

/// 198.51.100.23 is 3325256727 as a sequence number: Mirai's.
const SCANNERS: [Scanner; 5] = [
    Scanner {
        address: "192.0.2.1",
        line: "nmap -n -Pn --send-ip -e @ -sS --max-retries 0 --max-rtt-timeout 100ms -p 21-23,8080 \
               198.51.100.17 198.51.100.20",
        rows: &[("6 21", [2, 2]), ("6 22", [2, 2]), ("6 23", [2, 2]), ("6 8080", [2, 2])],
    },
    Scanner {
        address: "192.0.2.2",
        line: "masscan --interface @ --adapter-ip # --adapter-mac 02:00:00:00:00:01 --router-mac \
               02:00:00:00:00:02 --rate 1000 --wait 0 -p 23,6379 198.51.100.16/28",
        rows: &[("6 23 masscan", [16, 16]), ("6 6379 masscan", [16, 16])],
    },
    Scanner {
        address: "192.0.2.3",
        line: "zmap -q -C /dev/null -b /dev/null -i @ -S # -G 02:00:00:00:00:02 -r 1000 -c 0 -o /dev/null \
               -M tcp_synscan -p 80 198.51.100.16/28",
        rows: &[("6 80 zmap", [16, 16])],
    },
    Scanner {
        address: "192.0.2.4",
        line: "hping3 -n -I @ -i u1000 -c 40 -S -p 2323 -M 3325256727 -w 5656 198.51.100.23",
        rows: &[("6 2323 mirai", [40, 1])],
    },
    Scanner {
        address: "192.0.2.5",
        line: "hping3 -n -I @ -i u1000 -c 30 -1 198.51.100.24",
        rows: &[("1 8/0", [30, 1])],
    },
];

impl Scanner {
    fn start(&self, namespace: &Namespace, interface: &str) -> Result<Process> {
        namespace.run("ip", &["address", "add", &format!("{}/32", self.address), "dev", interface])?;
        namespace.run("ip", &["route", "add", TARGETS, "dev", interface, "src", self.address])?;
        let words = self.line.split_whitespace().map(|word| match word {
            "@" => interface,
            "#" => self.address,
            word => word,
        });
        let words: Vec<&str> = words.collect();
        let mut command = namespace.command(words[0]);
        // zmap and masscan are in /usr/sbin and /usr/bin, and leave files where they are stopped.
        command.args(&words[1..]).current_dir("/tmp").stdin(Stdio::null());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Process::spawn(&mut command)?)
    }

    fn packets(&self) -> u64 {
        self.rows.iter().map(|(_, [packets, _])| packets).sum()
    }
}

/// What identifies a row, in the words of [`Scanner::rows`].
fn name(row: &BTreeMap<String, String>) -> String {
    let port = if row["port"].is_empty() {
        format!("{}/{}", row["icmp_type"], row["icmp_code"])
    } else {
        row["port"].clone()
    };
    let mut name = format!("{} {port}", row["protocol"]);
    for signature in ["mirai", "zmap", "masscan"] {
        if row[signature] == "true" {
            name += &format!(" {signature}");
        }
    }
    name
}

fn check(scanner: &Scanner, rows: &Rows) -> Result<()> {
    let Scanner { address, rows: wanted, line } = scanner;
    let mut found = BTreeMap::<String, [u64; 2]>::new();
    for row in rows.iter().filter(|row| row["src_ip"] == *address) {
        ensure!(row["class"] == "scan" && row["overflow"] == "false", "{line}: {row:?}");
        ensure!(row["first_seen"] <= row["last_seen"], "{line}: {row:?}");
        // hping3 and masscan were told their windows, or have one of their own; nmap 7.93 has 1024.
        let window = match line.split(' ').next() {
            Some("nmap" | "masscan") => "1024",
            Some("zmap") => "65535",
            _ if row["protocol"] == "6" => "5656",
            _ => "",
        };
        ensure!(row["window"] == window, "{line}: {row:?}");
        ensure!(row["targets_counted"] == "exact", "{line}: {row:?}");
        let entry = found.entry(name(row)).or_default();
        entry[0] += row["packets"].parse::<u64>()?;
        entry[1] = entry[1].max(row["targets"].parse()?);
    }
    let wanted: BTreeMap<String, [u64; 2]> =
        wanted.iter().map(|(name, sums)| ((*name).to_owned(), *sums)).collect();
    ensure!(found == wanted, "{line}:\nfound {found:?}\nwanted {wanted:?}");
    Ok(())
}

fn counted(host: &Host) -> Result<u64> {
    Ok(host.status()?["totals"]["packets"].as_u64().unwrap_or(0))
}

fn rows_of(folder: &Path) -> Result<Rows> {
    let mut rows = Rows::new();
    for entry in std::fs::read_dir(folder)? {
        rows.extend(csv::read(&entry?.path())?);
    }
    Ok(rows)
}

#[test]
fn every_scanner_has_its_rows() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    let (host, folder) = (Host::new()?, tempfile::tempdir()?);
    let senders: Vec<Namespace> =
        SCANNERS.iter().map(|_| Namespace::new()).collect::<Result<_, testbed::Error>>()?;
    let links: Vec<Link<'_>> = senders
        .iter()
        .map(|sender| Link::between(sender, &host.namespace))
        .collect::<Result<_, testbed::Error>>()?;
    let folder_name = folder.path().to_string_lossy().into_owned();
    // One interval, so that a source has one row for each thing that it does.
    let mut flags = vec!["--observed", TARGETS, "--interval", "1h", "--flows", &folder_name];
    flags.extend(["--flows-format", "csv", "--action", "drop"]);
    flags.extend(links.iter().flat_map(|link| ["--interface", link.telescope.interface.as_str()]));
    let agent = host.start("agent", &flags)?;
    let _running: Vec<Process> = SCANNERS
        .iter()
        .zip(&senders)
        .zip(&links)
        .map(|((scanner, sender), link)| scanner.start(sender, &link.generator.interface))
        .collect::<Result<_>>()?;
    let all: u64 = SCANNERS.iter().map(Scanner::packets).sum();
    wait_until("all scanners have sent all", || Ok(counted(&host)? >= all))?;
    let (status, _) = agent.stop(Signal::SIGTERM)?;
    ensure!(status.success(), "the agent ended with {status}");
    let rows = rows_of(folder.path())?;
    SCANNERS.iter().try_for_each(|scanner| check(scanner, &rows))?;
    let sources = SCANNERS.map(|scanner| scanner.address);
    ensure!(rows.iter().all(|row| sources.contains(&row["src_ip"].as_str())), "rows of nobody: {rows:?}");
    Ok(())
}
