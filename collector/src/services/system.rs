//! The system's services file: a name, `port/protocol`, aliases, and comments from `#` on; see services(5).

use super::{Fault, Service, parse_service};

/// Hands over each name, in the order of the file. Protocols without ports of ours are left out.
pub fn parse(content: &[u8], mut take: impl FnMut(Service, &str)) -> Result<(), Fault> {
    for (number, bytes) in (1..).zip(content.split(|byte| *byte == b'\n')) {
        // A comment may be in whatever encoding.
        let written = bytes.split(|byte| *byte == b'#').next().unwrap_or_default();
        let fault = |what: String| Fault { line: number, what };
        let written = std::str::from_utf8(written).map_err(|_| fault("it is not text".into()))?;
        let mut words = written.split_whitespace();
        let Some(name) = words.next() else { continue };
        let service = words.next().ok_or_else(|| fault(format!("{name:?} has no port")))?;
        match parse_service(service) {
            Some(service) => take(service, name),
            None if is_of_another_protocol(service) => {}
            None => return Err(fault(format!("{service:?} is not a port and protocol such as 23/tcp"))),
        }
    }
    Ok(())
}

/// Whether it is a service all the same, such as `1/ddp`.
fn is_of_another_protocol(service: &str) -> bool {
    let Some((port, protocol)) = service.split_once('/') else { return false };
    let is_word = |word: &str| word.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-');
    port.parse::<u16>().is_ok()
        && !protocol.is_empty()
        && is_word(protocol)
        && super::protocol_number(protocol).is_none()
}
