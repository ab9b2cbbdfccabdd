//! Totals as tables that a person can read in a terminal.

use std::fmt::Write as _;

use comfy_table::presets::UTF8_BORDERS_ONLY;
use comfy_table::{CellAlignment, Table};
use sensor_ebpf::abi::{CpuCounters, Outcome, Signature, TcpClass};

use crate::flows::Summary;
use crate::flows::law::Digests;
use crate::interval::RingFill;

/// Rows of a table of ports.
const TOP: usize = 8;

/// The counts of one interval, or of all time, over `seconds` where a rate makes sense.
#[must_use]
pub fn render(counters: &CpuCounters, watched_windows: &[u16], seconds: Option<f64>) -> String {
    let columns = [
        block(
            "outcome",
            Outcome::ALL.map(|outcome| (outcome.name().into(), counters.outcomes[outcome as usize])),
        ),
        block("TCP class, signature", classes_and_signatures(counters, watched_windows)),
        block("TCP scan port", top(&counters.tcp_scan_destination_ports)),
        block("UDP port", top(&counters.udp_destination_ports)),
        block("backscatter from", top(&counters.tcp_backscatter_source_ports)),
    ];
    let mut text = String::new();
    let rate = seconds.filter(|seconds| *seconds > 0.0).map(|seconds| rate(counters.packets, seconds));
    // Writing to a String cannot fail.
    let _infallible = writeln!(
        text,
        "{} packets, {} bytes{}",
        grouped(counters.packets),
        grouped(counters.bytes),
        rate.map_or_else(String::new, |rate| format!(", {rate} packets/s")),
    );
    text.push_str(&side_by_side(&columns));
    text
}

/// What became of digests, and the flows made of them, on a line.
#[must_use]
pub fn flows(digests: &Digests, flows: &Summary, rings: Option<RingFill>) -> String {
    let Digests { written, lost, unread, off } = digests;
    let mut text = format!("{} flows of {} digests", grouped(flows.rows), grouped(written.sum()));
    let more = [
        (lost.sum(), "lost for want of room in a ring"),
        (unread.sum(), "lost with an earlier agent"),
        (*off, "packets while digests were off"),
        (flows.overflow_packets, "packets of sources beyond the limit of flows"),
    ];
    for (number, what) in more.into_iter().filter(|(number, _)| *number > 0) {
        text += &format!(", {} {what}", grouped(number));
    }
    if let Some(RingFill { most_waiting, records }) = rings.filter(|rings| rings.records > 0) {
        text += &format!("; rings at most {} of {} full", grouped(most_waiting), grouped(records));
    }
    text
}

/// A number with its thousands apart.
#[must_use]
pub fn grouped(number: u64) -> String {
    wire::grouped(&number.to_string())
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a rate for people, of which only the first digits matter"
)]
fn rate(packets: u64, seconds: f64) -> String {
    grouped((packets as f64 / seconds).round() as u64)
}

fn classes_and_signatures(counters: &CpuCounters, watched_windows: &[u16]) -> Vec<(String, u64)> {
    let classes =
        TcpClass::ALL.into_iter().map(|class| (class.name().into(), counters.tcp_classes[class as usize]));
    let signatures = Signature::ALL
        .into_iter()
        .map(|signature| (signature.name().into(), counters.signatures[signature as usize]));
    let windows = watched_windows
        .iter()
        .zip(counters.windows)
        .map(|(window, packets)| (format!("window {window}"), packets));
    classes.chain(signatures).chain(windows).collect()
}

/// The ports with the most packets, and the rest in one row: nothing is left out of the sum.
fn top(table: &[u64]) -> Vec<(String, u64)> {
    let mut ports: Vec<(usize, u64)> =
        table.iter().copied().enumerate().filter(|(_, packets)| *packets > 0).collect();
    ports.sort_by_key(|(port, packets)| (std::cmp::Reverse(*packets), *port));
    let rest: u64 = ports.iter().skip(TOP).map(|(_, packets)| packets).sum();
    let others = ports.len().saturating_sub(TOP);
    let mut rows: Vec<_> =
        ports.into_iter().take(TOP).map(|(port, packets)| (port.to_string(), packets)).collect();
    if others > 0 {
        rows.push((format!("{others} others"), rest));
    }
    rows
}

fn block(title: &str, rows: impl IntoIterator<Item = (String, u64)>) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_BORDERS_ONLY).set_header([title, "packets"]);
    for (name, packets) in rows {
        table.add_row([name, grouped(packets)]);
    }
    if let Some(column) = table.column_mut(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// Tables next to each other, as many as fit the terminal's width; the rest below.
fn side_by_side(tables: &[Table]) -> String {
    let blocks: Vec<Vec<String>> =
        tables.iter().map(|table| table.to_string().lines().map(str::to_owned).collect()).collect();
    let width = terminal_width();
    let mut text = String::new();
    let mut row: Vec<&Vec<String>> = Vec::new();
    for block in &blocks {
        let used: usize = row.iter().map(|block| block_width(block) + 2).sum();
        if !row.is_empty() && used + block_width(block) > width {
            write_row(&mut text, &row);
            row.clear();
        }
        row.push(block);
    }
    write_row(&mut text, &row);
    text
}

fn write_row(text: &mut String, row: &[&Vec<String>]) {
    let height = row.iter().map(|block| block.len()).max().unwrap_or(0);
    for line in 0..height {
        let mut whole = String::new();
        for block in row {
            let part = block.get(line).map_or("", String::as_str);
            let padding = block_width(block) + 2 - part.chars().count();
            whole.push_str(part);
            whole.extend(std::iter::repeat_n(' ', padding));
        }
        text.push_str(whole.trim_end());
        text.push('\n');
    }
}

fn block_width(block: &[String]) -> usize {
    block.iter().map(|line| line.chars().count()).max().unwrap_or(0)
}

fn terminal_width() -> usize {
    std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok()).unwrap_or(120)
}
