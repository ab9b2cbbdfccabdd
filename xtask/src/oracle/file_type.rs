//! Which format a file is in, where the sensor would not read it.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result};

use super::workshop::Workshop;

pub const PCAP: &str = "Wireshark/tcpdump/... - pcap";
pub const NANOSECOND_PCAP: &str = "Wireshark/tcpdump/... - nanosecond pcap";
const PCAPNG: &str = "Wireshark/... - pcapng";
/// The only one whose packet headers have one meaning.
const PCAP_VERSION: [u16; 2] = [2, 4];

/// Whether the sensor has to read files of a type given by [`of`].
pub fn is_supported(file_type: &str) -> bool {
    [PCAPNG, PCAP, NANOSECOND_PCAP].contains(&file_type)
}

/// The file's type in the words of `capinfos`; with its version if that is not the usual one.
pub fn of(workshop: &Workshop, capture: &Path) -> Result<String> {
    if fs::metadata(capture).is_ok_and(|metadata| metadata.len() == 0) {
        return Ok("empty file".to_owned());
    }
    let output =
        workshop.tool("capinfos").arg("-t").arg(capture).output().context("cannot start capinfos")?;
    let output = String::from_utf8_lossy(&output.stdout);
    let found = output.lines().find_map(|line| line.strip_prefix("File type:"));
    let file_type = found.map_or("unknown", str::trim).to_owned();
    if [PCAP, NANOSECOND_PCAP].contains(&file_type.as_str()) {
        let version = pcap_version(capture)?;
        if version != PCAP_VERSION {
            return Ok(format!("{file_type}, version {}.{}", version[0], version[1]));
        }
    }
    Ok(file_type)
}

/// `capinfos` does not tell. The byte order is that of the magic number, which begins or ends in a1.
fn pcap_version(capture: &Path) -> Result<[u16; 2]> {
    let mut header = [0_u8; 8];
    File::open(capture)
        .and_then(|mut file| file.read_exact(&mut header))
        .with_context(|| format!("cannot read {}", capture.display()))?;
    let [first, _, _, _, a, b, c, d] = header;
    let number = if first == 0xa1 { u16::from_be_bytes } else { u16::from_le_bytes };
    Ok([number([a, b]), number([c, d])])
}
