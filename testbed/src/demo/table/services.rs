//! Names for the ports of the demonstration's traffic.

/// What people know a port by.
const SERVICES: [(&str, &str); 19] = [
    ("22", "ssh"),
    ("23", "telnet"),
    ("53", "DNS"),
    ("80", "http"),
    ("123", "NTP"),
    ("161", "SNMP"),
    ("443", "https"),
    ("445", "SMB"),
    ("1433", "MS SQL"),
    ("1900", "SSDP"),
    ("2323", "telnet"),
    ("3389", "RDP"),
    ("5060", "SIP"),
    ("5555", "Android"),
    ("6379", "redis"),
    ("8080", "http"),
    ("8728", "MikroTik"),
    ("11211", "memcached"),
    ("37215", "router"),
];

/// A port, with its name where it has one.
pub fn service(port: &str) -> String {
    let name = SERVICES.iter().find(|(known, _)| *known == port).map_or("", |(_, name)| name);
    format!("{port:>5} {name}")
}
