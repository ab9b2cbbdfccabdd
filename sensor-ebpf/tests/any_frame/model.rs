//! A second decoder and counter, written from `docs/decoding.md` alone: plain slices, no pointers, no
//! offsets, nothing shared with the one under test but the ABI.

use std::mem::offset_of;

use sensor_ebpf::abi::{CpuCounters, Outcome, Signature, TcpClass};

/// What the operator has configured.
pub struct Configuration {
    pub observed: fn(&[u8]) -> bool,
    pub window: fn(u16) -> Option<usize>,
}

/// The counter `$field[$index]` as its place among all counters.
macro_rules! word {
    ($field:ident) => {
        offset_of!(CpuCounters, $field) / size_of::<u64>()
    };
    ($field:ident, $index:expr) => {
        word!($field) + usize::from($index)
    };
}

/// Counters that one frame raises, each with how much by.
type Raised = Vec<(usize, u64)>;

/// Counters that a frame of these bytes must raise.
pub fn raised(frame: &[u8], configuration: &Configuration) -> Raised {
    let mut raised = Raised::new();
    let outcome = frame_outcome(frame, configuration, &mut raised);
    raised.push((word!(packets), 1));
    raised.push((word!(bytes), frame.len() as u64));
    raised.push((word!(outcomes, outcome as u8), 1));
    raised
}

/// Takes `length` bytes off the front.
fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(length)?;
    *rest = left;
    Some(taken)
}

fn number(bytes: &[u8]) -> usize {
    bytes.iter().fold(0, |number, byte| number << 8 | usize::from(*byte))
}

fn frame_outcome(frame: &[u8], configuration: &Configuration, raised: &mut Raised) -> Outcome {
    let mut rest = frame;
    let Some(ethernet) = take(&mut rest, 14) else {
        return Outcome::Malformed;
    };
    let mut ethertype = number(&ethernet[12..]);
    for _ in 0..2 {
        if [0x8100, 0x88a8, 0x9100].contains(&ethertype) {
            let Some(tag) = take(&mut rest, 4) else {
                return Outcome::Malformed;
            };
            ethertype = number(&tag[2..]);
        }
    }
    match ethertype {
        0x0800 => ipv4(rest, configuration, raised),
        0x86dd => ipv6(rest, configuration, raised),
        _ => Outcome::NonIp,
    }
}

fn ipv4(frame: &[u8], configuration: &Configuration, raised: &mut Raised) -> Outcome {
    if frame.len() < 20 {
        return Outcome::Malformed;
    }
    let (version, header_length) = (frame[0] / 16, usize::from(frame[0] % 16) * 4);
    let total_length = number(&frame[2..4]);
    if version != 4 || header_length < 20 || total_length < header_length || frame.len() < header_length {
        return Outcome::Malformed;
    }
    // What the snap length cut off is not there, and what is padded on is not the packet's.
    let packet = &frame[..total_length.min(frame.len())];
    let (header, payload) = packet.split_at(header_length);
    if !(configuration.observed)(&header[16..20]) {
        return Outcome::Unobserved;
    }
    let protocol = header[9];
    if !number(&header[6..8]).is_multiple_of(0x2000) {
        raised.push((word!(ip_protocols, protocol), 1));
        return Outcome::Fragment;
    }
    let identification = number(&header[4..6]);
    let outcome = match protocol {
        6 => tcp(payload, Some(header), configuration, raised).then_some(Outcome::Ipv4Tcp),
        17 => udp(payload, raised).then_some(Outcome::Ipv4Udp),
        1 => icmp(payload, 8, word!(icmp_v4_types), raised).then_some(Outcome::Ipv4Icmp),
        _ => Some(Outcome::Ipv4Other),
    };
    let Some(outcome) = outcome else {
        return Outcome::Malformed;
    };
    raised.push((word!(ip_protocols, protocol), 1));
    if identification == 54321 {
        raised.push((word!(signatures, Signature::Zmap as u8), 1));
    }
    outcome
}

fn ipv6(frame: &[u8], configuration: &Configuration, raised: &mut Raised) -> Outcome {
    if frame.len() < 40 || frame[0] / 16 != 6 {
        return Outcome::Malformed;
    }
    let (header, rest) = frame.split_at(40);
    if !(configuration.observed)(&header[24..40]) {
        return Outcome::Unobserved;
    }
    let mut payload = match number(&header[4..6]) {
        0 => rest,
        length => &rest[..length.min(rest.len())],
    };
    let mut protocol = header[6];
    for _ in 0..8 {
        let length = match (protocol, payload.get(1)) {
            (0 | 43 | 60, Some(length)) => (usize::from(*length) + 1) * 8,
            (0 | 43 | 60 | 44, _) => 8,
            _ => break,
        };
        let Some(extension) = take(&mut payload, length) else {
            return Outcome::Malformed;
        };
        let is_later_fragment = protocol == 44 && number(&extension[2..4]) / 8 != 0;
        protocol = extension[0];
        if is_later_fragment {
            raised.push((word!(ip_protocols, protocol), 1));
            return Outcome::Fragment;
        }
    }
    let outcome = match protocol {
        6 => tcp(payload, None, configuration, raised).then_some(Outcome::Ipv6Tcp),
        17 => udp(payload, raised).then_some(Outcome::Ipv6Udp),
        58 => icmp(payload, 4, word!(icmp_v6_types), raised).then_some(Outcome::Ipv6Icmp),
        _ => Some(Outcome::Ipv6Other),
    };
    let Some(outcome) = outcome else {
        return Outcome::Malformed;
    };
    raised.push((word!(ip_protocols, protocol), 1));
    outcome
}

fn udp(payload: &[u8], raised: &mut Raised) -> bool {
    if payload.len() < 8 || number(&payload[4..6]) < 8 {
        return false;
    }
    raised.push((word!(udp_destination_ports) + number(&payload[2..4]), 1));
    true
}

fn icmp(payload: &[u8], least: usize, types: usize, raised: &mut Raised) -> bool {
    if payload.len() < least {
        return false;
    }
    raised.push((types + usize::from(payload[0]), 1));
    true
}

fn tcp(payload: &[u8], ipv4: Option<&[u8]>, configuration: &Configuration, raised: &mut Raised) -> bool {
    if payload.len() < 20 || payload[12] / 16 < 5 || payload.len() < usize::from(payload[12] / 16) * 4 {
        return false;
    }
    let (source_port, destination_port) = (number(&payload[..2]), number(&payload[2..4]));
    let flags = payload[13];
    let has = |flag: u8| flags & flag != 0;
    let (fin, syn, rst, ack) = (has(1), has(2), has(4), has(16));
    let class = if syn && !ack && !rst && !fin {
        raised.push((word!(tcp_scan_destination_ports) + destination_port, 1));
        TcpClass::Scan
    } else if syn && ack {
        raised.push((word!(tcp_backscatter_source_ports) + source_port, 1));
        TcpClass::BackscatterSynAck
    } else if rst {
        raised.push((word!(tcp_backscatter_source_ports) + source_port, 1));
        TcpClass::BackscatterRst
    } else {
        raised.push((word!(tcp_other_destination_ports) + destination_port, 1));
        TcpClass::Other
    };
    raised.push((word!(tcp_flags, flags), 1));
    raised.push((word!(tcp_classes, class as u8), 1));
    if class == TcpClass::Scan {
        scan_signatures(payload, ipv4, raised);
        if let Some(position) = window(payload, configuration) {
            raised.push((word!(windows) + position, 1));
        }
    }
    true
}

fn window(tcp: &[u8], configuration: &Configuration) -> Option<usize> {
    (configuration.window)(u16::from_be_bytes([tcp[14], tcp[15]]))
}

fn scan_signatures(tcp: &[u8], ipv4: Option<&[u8]>, raised: &mut Raised) {
    let Some(ipv4) = ipv4 else {
        return;
    };
    let (port, sequence, destination) = (number(&tcp[2..4]), number(&tcp[4..8]), number(&ipv4[16..20]));
    if sequence == destination {
        raised.push((word!(signatures, Signature::Mirai as u8), 1));
        raised.push((word!(mirai_destination_ports) + port, 1));
    }
    if (destination ^ port ^ sequence) % 0x1_0000 == number(&ipv4[4..6]) {
        raised.push((word!(signatures, Signature::Masscan as u8), 1));
    }
}
