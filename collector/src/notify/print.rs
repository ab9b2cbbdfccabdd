//! Addresses as rows.

use std::io::{self, Write};

use jiff::Timestamp;
use serde_json::json;

use super::{Format, Scanner};
use crate::report::section::region_code;

const HEADER: [&str; 9] = [
    "address",
    "region",
    "first_seen",
    "last_seen",
    "packets",
    "ports",
    "ports_seen",
    "signatures",
    "sensors",
];

/// Prints one address after the other.
pub struct Printer<'a, W> {
    format: Format,
    output: &'a mut W,
    printed: usize,
    /// Of a table, which has to be known as a whole.
    table: comfy_table::Table,
    most: usize,
}

/// A time to the millisecond, UTC, with its offset.
pub fn time(nanoseconds: u64) -> String {
    match Timestamp::from_nanosecond(i128::from(nanoseconds)) {
        Ok(time) => time.strftime("%Y-%m-%dT%H:%M:%S.%3f+00:00").to_string(),
        Err(_) => nanoseconds.to_string(),
    }
}

impl<'a, W: Write> Printer<'a, W> {
    pub fn new(format: Format, most: usize, output: &'a mut W) -> io::Result<Self> {
        let mut table = comfy_table::Table::new();
        table.load_style(comfy_table::presets::NOTHING);
        table.set_header(HEADER.map(|name| name.to_uppercase().replace('_', " ")));
        match format {
            Format::Csv => writeln!(output, "{}", HEADER.join(","))?,
            Format::Json => write!(output, "[")?,
            Format::Table => {}
        }
        Ok(Self { format, output, printed: 0, table, most })
    }

    pub fn print(&mut self, scanner: &Scanner) -> io::Result<()> {
        self.printed += 1;
        match self.format {
            // No value has a comma or a quote in it.
            Format::Csv => writeln!(self.output, "{}", row(scanner).join(",")),
            Format::Json => {
                let separator = if self.printed == 1 { "\n" } else { ",\n" };
                write!(self.output, "{separator}")?;
                serde_json::to_writer(&mut *self.output, &object(scanner))?;
                Ok(())
            }
            Format::Table => {
                if self.printed <= self.most {
                    self.table.add_row(row(scanner));
                }
                Ok(())
            }
        }
    }

    pub fn finish(self) -> io::Result<()> {
        match self.format {
            Format::Csv => {}
            Format::Json => writeln!(self.output, "{}]", if self.printed == 0 { "" } else { "\n" })?,
            Format::Table => {
                for line in self.table.lines() {
                    writeln!(self.output, "{}", line.trim_end())?;
                }
                if self.printed > self.most {
                    log::warn!(
                        "{} of {} addresses are shown: ask for more with --rows, or for all as CSV or JSON",
                        self.most,
                        self.printed
                    );
                }
            }
        }
        Ok(())
    }
}

fn row(scanner: &Scanner) -> [String; 9] {
    let ports: Vec<String> = scanner.top_ports().iter().map(|(port, _)| port.to_string()).collect();
    let signatures: Vec<&str> = scanner.signatures.iter().map(String::as_str).collect();
    [
        scanner.address.to_string(),
        region_code(scanner.region),
        time(scanner.first_seen),
        time(scanner.last_seen),
        scanner.packets.to_string(),
        ports.join(" "),
        scanner.ports.len().to_string(),
        signatures.join(" "),
        scanner.sensors.len().to_string(),
    ]
}

fn object(scanner: &Scanner) -> serde_json::Value {
    let ports = scanner.top_ports().into_iter().map(
        |(port, packets)| json!({ "port": port.port(), "transport": port.transport(), "packets": packets }),
    );
    json!({
        "address": scanner.address,
        "region": region_code(scanner.region),
        "first_seen": time(scanner.first_seen),
        "last_seen": time(scanner.last_seen),
        "packets": scanner.packets,
        "ports": ports.collect::<Vec<_>>(),
        "ports_seen": scanner.ports.len(),
        "signatures": scanner.signatures,
        "sensors": scanner.sensors.len(),
    })
}
