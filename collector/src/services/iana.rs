//! IANA's registry of service names and port numbers, as CSV: fields may be quoted and have several lines, a port may be
//! a range, and name, port or protocol may be missing.

use csv::{ByteRecord, ErrorKind, ReaderBuilder};

use super::{Fault, Service, protocol_number};

/// What the file begins with.
const NAME: &str = "Service Name";
const PORT: &str = "Port Number";
const PROTOCOL: &str = "Transport Protocol";
/// What some programs write before the first letter.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The table, if this is one.
pub fn content(content: &[u8]) -> Option<&[u8]> {
    let content = content.strip_prefix(BYTE_ORDER_MARK).unwrap_or(content);
    let header = content.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
    let first = header.split(|byte| *byte == b',').next().unwrap_or_default();
    let first = first.strip_prefix(b"\"").and_then(|field| field.strip_suffix(b"\"")).unwrap_or(first);
    first.eq_ignore_ascii_case(NAME.as_bytes()).then_some(content)
}

/// Hands over each name of a port, in the order of the file.
pub fn parse(content: &[u8], mut take: impl FnMut(Service, &str)) -> Result<(), Fault> {
    let mut reader = ReaderBuilder::new().flexible(true).from_reader(content);
    let header = reader.byte_headers().map_err(|error| fault(&error))?.clone();
    let [name, port, protocol] = [NAME, PORT, PROTOCOL].map(|wanted| {
        let place = header.iter().position(|field| field.eq_ignore_ascii_case(wanted.as_bytes()));
        place.ok_or_else(|| Fault { line: 1, what: format!("there is no column {wanted:?}") })
    });
    let (name, port, protocol) = (name?, port?, protocol?);
    let mut record = ByteRecord::new();
    while reader.read_byte_record(&mut record).map_err(|error| fault(&error))? {
        let line = record.position().map_or(1, csv::Position::line);
        let field = |place: usize| {
            let bytes = record.get(place).unwrap_or_default().trim_ascii();
            std::str::from_utf8(bytes).map_err(|_| Fault { line, what: "it is not UTF-8".into() })
        };
        let (name, ports) = (field(name)?, field(port)?);
        let Some(protocol) = protocol_number(field(protocol)?) else { continue };
        if name.is_empty() || ports.is_empty() {
            continue;
        }
        let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
        let ports = first.trim().parse::<u16>().ok().zip(last.trim().parse::<u16>().ok());
        let ports = ports.filter(|(first, last)| first <= last);
        let what =
            || format!("{:?} is no port, and no range of ports", String::from_utf8_lossy(&record[port]));
        let (first, last) = ports.ok_or_else(|| Fault { line, what: what() })?;
        (first..=last).for_each(|port| take((protocol, port), name));
    }
    Ok(())
}

fn fault(error: &csv::Error) -> Fault {
    let line = error.position().map_or(1, csv::Position::line);
    let what = match error.kind() {
        ErrorKind::Io(error) => error.to_string(),
        _ => error.to_string(),
    };
    Fault { line, what }
}
