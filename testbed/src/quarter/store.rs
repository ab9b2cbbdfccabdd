//! The store against the plan: each sum by day, to the packet.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::chain::Chain;
use crate::description::{Class, Signature, Traffic};
use crate::difference::Checked;
use crate::plan::{Packet, Plan, is_up};
use crate::published::text;

/// The window that sensors watch unless configured otherwise.
const WATCHED: u16 = 5_656;
/// Seconds of a day.
const DAY: u64 = 86_400;

type Counts = BTreeMap<String, u64>;

/// One question, and what has to be answered: a number in the last column, by all others in words.
struct Question {
    what: &'static str,
    sql: &'static str,
    expected: Counts,
}

/// # Errors
/// Where the store cannot be asked.
pub fn check(chain: &Chain, plan: &Plan) -> Result<Checked> {
    let mut checked = Checked::default();
    for Question { what, sql, expected } in questions(plan) {
        let stored = counts(&chain.sql(sql)?.rows)?;
        checked.counts(what, &expected, &stored);
    }
    Ok(checked)
}

fn questions(plan: &Plan) -> Vec<Question> {
    vec![
        Question {
            what: "packets by sensor, port, region",
            sql: "SELECT day, sensor, port, protocol, class, region, signatures, SUM(packets) AS packets
                FROM port_day GROUP BY 1, 2, 3, 4, 5, 6, 7",
            expected: plan.count(|packet| Some(format!("{} {}", at(plan, packet), of(plan, packet)))),
        },
        Question {
            what: "packets by source",
            sql: "SELECT day, port, protocol, class, region, signatures, watched_window, SUM(packets) AS packets
                FROM source_day GROUP BY 1, 2, 3, 4, 5, 6, 7",
            expected: plan.count(|packet| Some(of_source(plan, packet))),
        },
        Question {
            what: "sources",
            sql: "SELECT day, port, protocol, class, region, signatures, watched_window,
                COUNT(DISTINCT src_ip) AS packets FROM source_day GROUP BY 1, 2, 3, 4, 5, 6, 7",
            expected: numbers(plan.sources(|packet| Some(of_source(plan, packet)))),
        },
        Question {
            what: "counted in the kernel",
            sql: "SELECT day, sensor, dimension, key, SUM(packets) AS packets FROM counter_day
                WHERE dimension IN ('packets', 'tcp_scan_dst_port', 'tcp_backscatter_src_port', 'udp_dst_port',
                    'mirai_dst_port', 'signature', 'window') GROUP BY 1, 2, 3, 4",
            expected: kernel(plan),
        },
        Question {
            what: "seconds of up-time",
            sql: "SELECT day, sensor, CAST(round(SUM(seconds)) AS INTEGER) AS packets
                FROM uptime_day GROUP BY 1, 2",
            expected: uptime(plan),
        },
        Question {
            what: "packets without region or flow",
            sql: "SELECT 'without a table of regions' AS lacking, SUM(packets) AS packets FROM port_day
                WHERE regions_version = 0
                UNION ALL SELECT 'in no flow', SUM(flow_packets_missing) FROM intervals",
            expected: Counts::new(),
        },
    ]
}

/// Day and sensor of a packet.
fn at(plan: &Plan, packet: &Packet) -> String {
    format!("{} {}", plan.day(packet), plan.sensor(packet))
}

/// Port, protocol, class, region, signatures.
fn of(plan: &Plan, packet: &Packet) -> String {
    let Traffic { class, signature, .. } = plan.stream(packet);
    let port = packet.port;
    let name = if signature.name().is_empty() { "-" } else { signature.name() };
    format!("{} {} {} {} {name}", port.port, port.protocol, class.name(), text(packet.region))
}

fn of_source(plan: &Plan, packet: &Packet) -> String {
    let window = plan.stream(packet).window.filter(|window| *window == WATCHED);
    let window = window.map_or_else(|| "-".to_owned(), |window| window.to_string());
    format!("{} {} {window}", plan.day(packet), of(plan, packet))
}

fn numbers<T>(of: BTreeMap<String, std::collections::BTreeSet<T>>) -> Counts {
    of.into_iter().map(|(key, members)| (key, members.len() as u64)).collect()
}

/// The program's own counters, of which each packet raises several.
fn kernel(plan: &Plan) -> Counts {
    let mut counts = Counts::new();
    for packet in &plan.packets {
        let Traffic { class, signature, window, .. } = plan.stream(packet);
        let port = packet.port;
        let table = match (port.is_tcp(), class) {
            (false, _) => "udp_dst_port",
            (true, Class::Scan) => "tcp_scan_dst_port",
            (true, _) => "tcp_backscatter_src_port",
        };
        let signature_number = match signature {
            Signature::None => None,
            Signature::Mirai => Some(0),
            Signature::Zmap => Some(1),
            Signature::Masscan => Some(2),
        };
        let raised = [
            Some(("packets", 0)),
            Some((table, port.port)),
            (*signature == Signature::Mirai).then_some(("mirai_dst_port", port.port)),
            signature_number.map(|number| ("signature", number)),
            window.filter(|window| *window == WATCHED).map(|window| ("window", window)),
        ];
        for (dimension, key) in raised.into_iter().flatten() {
            *counts.entry(format!("{} {dimension} {key}", at(plan, packet))).or_default() += 1;
        }
    }
    counts
}

fn uptime(plan: &Plan) -> Counts {
    let sensors = plan.description.sensors.iter().enumerate();
    sensors
        .flat_map(|(number, sensor)| {
            let days = plan.days.iter().filter(move |day| is_up(&plan.description, number, **day));
            days.map(move |day| (format!("{day} {}", sensor.get_ref().name), DAY))
        })
        .collect()
}

/// Rows as the questions ask for them: what is told apart, in words, and a number last.
fn counts(rows: &[Vec<Value>]) -> Result<Counts> {
    let mut counts = Counts::new();
    for row in rows {
        let (number, key) = row.split_last().context("a row without columns")?;
        let number = match number {
            // The sum of no rows.
            Value::Null => 0,
            number => number.as_u64().with_context(|| format!("no number of packets: {row:?}"))?,
        };
        *counts.entry(key.iter().map(word).collect::<Vec<_>>().join(" ")).or_default() += number;
    }
    // No packets are no difference, whether there is a row that says so or not.
    counts.retain(|_, count| *count > 0);
    Ok(counts)
}

fn word(value: &Value) -> String {
    match value {
        Value::Null => "-".into(),
        Value::String(text) if text.is_empty() => "-".into(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
