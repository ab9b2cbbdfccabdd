//! The table of sources.

use std::fmt::Write as _;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::Line;
use ratatui::widgets::Paragraph;
use sensor_ebpf::abi::{Signature, TrafficClass};
use sensor_ebpf::packet::{PROTOCOL_ICMP, PROTOCOL_ICMPV6, PROTOCOL_TCP, PROTOCOL_UDP};

use super::{TITLE, percent, ruled, short};
use crate::table::grouped;
use crate::top::model::Model;
use crate::top::sources::{List, Listed, Service};

/// From this width on there is room for all digits and for whole words.
const WIDE: u16 = 110;

/// How wide each column is.
struct Columns {
    address: usize,
    packets: usize,
    class: usize,
    ports: usize,
    signatures: usize,
    wide: bool,
}

impl Columns {
    /// The smallest widths fill 80 columns where an address takes all 39 that it may.
    fn new(width: u16, sources: &[Listed]) -> Self {
        let address = sources.iter().map(|source| source.address.to_string().len()).max().unwrap_or(0);
        let address = address.max(15);
        let wide = width >= WIDE;
        let (packets, class) = if wide { (14, 20) } else { (7, 8) };
        // `SEEN` has four, and each column but the first a space before it.
        let rest = usize::from(width).saturating_sub(address + packets + class + 4 + 4);
        let signatures = (rest * 4 / 9).clamp(8, 28);
        Self { address, packets, class, ports: rest.saturating_sub(signatures), signatures, wide }
    }

    fn line(&self, cells: [&str; 6]) -> String {
        let [address, packets, class, ports, signatures, seen] = cells;
        let Self { address: a, packets: p, class: c, ports: o, signatures: s, .. } = self;
        format!("{address:<a$}{packets:>p$} {class:<c$} {ports:<o$} {signatures:<s$} {seen:>4}")
    }
}

pub fn draw(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let [rule, table] = Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(area);
    let listed = &model.sources.listed;
    let shown = &listed[..listed.len().min(usize::from(table.height).saturating_sub(1))];
    frame.render_widget(ruled(&heading(model), rule.width), rule);
    let columns = Columns::new(table.width, shown);
    let title = columns.line(["SOURCE", "PACKETS", "CLASS", "PORTS", "TOOL", "SEEN"]);
    let mut lines = vec![Line::styled(title, TITLE)];
    lines.extend(shown.iter().map(|source| Line::from(line(source, &columns))));
    frame.render_widget(Paragraph::new(lines), table);
}

/// Says of how much this is, and of what nothing is known.
fn heading(model: &Model) -> String {
    let List { known, forgotten, seen, missed, .. } = model.sources;
    if !model.digests.on {
        return "sources: none, as digests are off".into();
    }
    let seconds = model.minute.seconds;
    if seen + missed == 0 {
        return format!("sources: no digest in the last {seconds:.0} s");
    }
    // All of it, or at most 99 %.
    let share = if missed == 0 { 100 } else { percent(seen, seen + missed).min(99) };
    let at_least = if forgotten { "more than " } else { "" };
    format!(
        "sources: {at_least}{}, from {share} % of the digests of the last {seconds:.0} s",
        grouped(known as u64)
    )
}

fn line(source: &Listed, columns: &Columns) -> String {
    let Listed { address, packets, seconds_ago, service, .. } = source;
    let packets = if columns.wide { grouped(*packets) } else { short(*packets) };
    columns.line([
        &address.to_string(),
        &packets,
        if columns.wide { service.class.name() } else { short_name(service.class) },
        &fitted(ports(source), source.more, columns.ports),
        &fitted(signatures(source), false, columns.signatures),
        &if *seconds_ago == 0 { "now".into() } else { format!("{}s", (*seconds_ago).min(999)) },
    ])
}

const fn short_name(class: TrafficClass) -> &'static str {
    match class {
        TrafficClass::Scan => "scan",
        TrafficClass::BackscatterSynAck => "SYN-ACK",
        TrafficClass::BackscatterRst => "RST",
        TrafficClass::Backscatter => "answer",
        TrafficClass::Other => "other",
        TrafficClass::Fragment => "fragment",
    }
}

fn ports(source: &Listed) -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    for service in std::iter::once(&source.service).chain(&source.others) {
        let text = port(service);
        // The same of another class.
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    texts
}

/// TCP's are bare numbers.
fn port(service: &Service) -> String {
    let Service { class, protocol, port } = service;
    match *protocol {
        _ if *class == TrafficClass::Fragment => "-".into(),
        PROTOCOL_TCP => port.to_string(),
        PROTOCOL_UDP => format!("udp {port}"),
        // Without its code: the type is what tells.
        PROTOCOL_ICMP | PROTOCOL_ICMPV6 => format!("icmp {}", port >> 8),
        protocol => format!("proto {protocol}"),
    }
}

fn signatures(source: &Listed) -> Vec<String> {
    let known = Signature::ALL.into_iter().filter(|signature| source.signatures >> *signature as u8 & 1 != 0);
    let windows = source.windows.iter().map(|window| format!("w{window}"));
    known.map(|signature| signature.name().into()).chain(windows).collect()
}

/// As many as there is room for, and a plus where there are more.
fn fitted(texts: Vec<String>, more: bool, room: usize) -> String {
    let mut fitted = String::new();
    let count = texts.len();
    for (place, text) in texts.into_iter().enumerate() {
        let separator = if place == 0 { "" } else { " " };
        let is_last = place + 1 == count && !more;
        if fitted.len() + separator.len() + text.len() + usize::from(!is_last) > room {
            return fitted + "+";
        }
        // Writing to a String cannot fail.
        let _infallible = write!(fitted, "{separator}{text}");
    }
    if more { fitted + "+" } else { fitted }
}
