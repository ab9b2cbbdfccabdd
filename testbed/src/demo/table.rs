//! What is shown while traffic flows: 80 columns, 23 rows.

mod services;
#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::time::Duration;

use serde_json::Value;

use crate::text::{grouped, left, side_by_side};
use services::service;

/// Everything there is to show at one moment.
pub struct Moment<'a> {
    /// How the agent is attached, in its own words.
    pub attachment: &'a str,
    /// Counts since the beginning.
    pub total: &'a Value,
    /// Counts of the last second.
    pub latest: &'a Value,
    pub sent: u64,
    /// Packets that the collector has stored.
    pub stored: u64,
    pub elapsed: Duration,
    pub length: Duration,
}

/// Columns of one block.
const WIDTH: usize = 38;

impl Moment<'_> {
    pub fn title(&self) -> String {
        format!(
            "Apus sensor on {}, {} s; its collector, over TLS, in another namespace",
            self.attachment,
            self.length.as_secs()
        )
    }

    pub fn table(&self) -> Vec<String> {
        let mut lines = vec![
            format!(
                "Apus sensor on {}, {} of {} s",
                self.attachment,
                self.elapsed.as_secs(),
                self.length.as_secs()
            ),
            format!(
                "sent {}  counted {}  {}/s  stored {}",
                grouped(self.sent),
                grouped(count(self.total, "/packets")),
                grouped(count(self.latest, "/packets")),
                grouped(self.stored),
            ),
        ];
        let mut ports = self.ports("TCP scans to", "/tcp/scan_dst_ports", 9);
        ports.extend(self.ports("UDP to", "/udp/dst_ports", 5));
        ports.extend(self.ports("backscatter from", "/tcp/backscatter_src_ports", 2));
        let mut kinds = self.block(
            "TCP class",
            &[
                ("scan", &["/tcp/classes/scan"]),
                ("SYN-ACK answers", &["/tcp/classes/backscatter_syn_ack"]),
                ("RST answers", &["/tcp/classes/backscatter_rst"]),
                ("other", &["/tcp/classes/other"]),
            ],
        );
        kinds.extend(self.block(
            "signature",
            &[
                ("Mirai", &["/signatures/mirai/packets"]),
                ("ZMap", &["/signatures/zmap/packets"]),
                ("masscan", &["/signatures/masscan/packets"]),
                ("window 5656", &["/signatures/window/5656"]),
            ],
        ));
        kinds.extend(self.block(
            "outcome",
            &[
                ("IPv4 TCP", &["/outcomes/ipv4_tcp"]),
                ("IPv4 UDP", &["/outcomes/ipv4_udp"]),
                ("IPv4, the rest", &["/outcomes/ipv4_icmp", "/outcomes/ipv4_other"]),
                (
                    "IPv6",
                    &[
                        "/outcomes/ipv6_tcp",
                        "/outcomes/ipv6_udp",
                        "/outcomes/ipv6_icmp",
                        "/outcomes/ipv6_other",
                    ],
                ),
                ("fragment", &["/outcomes/fragment"]),
                ("malformed", &["/outcomes/malformed"]),
                ("not IP", &["/outcomes/non_ip"]),
                ("not observed", &["/outcomes/unobserved"]),
            ],
        ));
        lines.extend(side_by_side(&[ports, kinds], WIDTH, "  "));
        lines
    }

    /// One line for a log, under [`line_header`].
    pub fn line(&self) -> String {
        let backscatter =
            sum(&["/tcp/classes/backscatter_syn_ack", "/tcp/classes/backscatter_rst"], self.total);
        let cells = [
            grouped(self.elapsed.as_secs()),
            grouped(count(self.total, "/packets")),
            grouped(count(self.latest, "/packets")),
            grouped(count(self.total, "/tcp/classes/scan")),
            grouped(count(self.total, "/signatures/mirai/packets")),
            grouped(backscatter),
            grouped(count(self.total, "/outcomes/malformed")),
        ];
        columns(&cells)
    }

    fn block(&self, title: &str, rows: &[(&str, &[&str])]) -> Vec<String> {
        let row = |(name, pointers): &(&str, &[&str])| {
            row(name, &grouped(sum(pointers, self.total)), &grouped(sum(pointers, self.latest)))
        };
        std::iter::once(header(title)).chain(rows.iter().map(row)).collect()
    }

    /// The ports with the most packets, and all others in one row where there are more.
    fn ports(&self, title: &str, pointer: &str, rows: usize) -> Vec<String> {
        let mut ports: Vec<(&str, u64)> =
            self.total.pointer(pointer).and_then(Value::as_object).map_or_else(Vec::new, |ports| {
                ports.iter().map(|(port, packets)| (port.as_str(), packets.as_u64().unwrap_or(0))).collect()
            });
        ports.sort_by_key(|(port, packets)| (Reverse(*packets), port.parse::<u16>().unwrap_or(0)));
        let latest = |port: &str| count(self.latest, &format!("{pointer}/{port}"));
        let shown = if ports.len() > rows { rows - 1 } else { rows };
        let mut lines = vec![header(title)];
        for (port, packets) in ports.iter().take(shown) {
            lines.push(row(&service(port), &grouped(*packets), &grouped(latest(port))));
        }
        let others = ports.get(shown..).unwrap_or_default();
        if !others.is_empty() {
            let packets = others.iter().map(|(_, packets)| packets).sum();
            let this_second = others.iter().map(|(port, _)| latest(port)).sum();
            lines.push(row(&format!("{} others", others.len()), &grouped(packets), &grouped(this_second)));
        }
        lines.resize(rows + 1, String::new());
        lines
    }
}

pub fn line_header() -> String {
    columns(
        &["second", "packets", "per second", "scans", "Mirai", "backscatter", "malformed"].map(Into::into),
    )
}

fn columns(cells: &[String; 7]) -> String {
    let [second, packets, rate, scans, mirai, backscatter, malformed] = cells;
    format!("{second:>6} {packets:>12} {rate:>10} {scans:>12} {mirai:>10} {backscatter:>11} {malformed:>9}")
}

fn header(title: &str) -> String {
    row(&title.to_uppercase(), "packets", "/s")
}

fn row(name: &str, packets: &str, this_second: &str) -> String {
    format!("{} {packets:>11} {this_second:>9}", left(name, WIDTH - 22))
}

fn count(document: &Value, pointer: &str) -> u64 {
    document.pointer(pointer).and_then(Value::as_u64).unwrap_or(0)
}

fn sum(pointers: &[&str], document: &Value) -> u64 {
    pointers.iter().map(|pointer| count(document, pointer)).sum()
}
