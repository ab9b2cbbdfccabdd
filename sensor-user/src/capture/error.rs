//! What can be wrong with a capture: what it is, where, and what to do about it.

use std::fmt;
use std::io;
use std::path::PathBuf;

use super::{MAX_CAPTURED_LENGTH, link};

/// The record of a capture that an error speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The capture.
    pub path: PathBuf,
    /// The packet that the record is, or that would have followed it; from 1.
    pub packet: u64,
    /// Where the record begins, in bytes from the start of the file.
    pub offset: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, packet, offset } = self;
        write!(formatter, "{}, packet {packet}, byte {offset}", path.display())
    }
}

/// Why a capture cannot be read, or not to its end.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    #[error("cannot open the capture {path}: check its name and permissions")]
    Open { path: PathBuf, source: io::Error },

    #[error("{path} is a directory: name the capture files in it")]
    Directory { path: PathBuf },

    #[error("{path} is empty, without even a file header: was the capture started and stopped properly?")]
    Empty { path: PathBuf },

    #[error("{path} is compressed with {method}: decompress it first (`{command}`)")]
    Compressed { path: PathBuf, method: &'static str, command: &'static str },

    #[error(
        "{path} is neither pcap nor pcapng: it begins with {found}, not d4 c3 b2 a1, 4d 3c b2 a1 \
         (or these reversed) or 0a 0d 0d 0a; if Wireshark opens it, `editcap -F pcapng IN OUT` converts it"
    )]
    NotACapture { path: PathBuf, found: String },

    #[error(
        "{at}: {format} version {major}.{minor} is not supported, only {supported}: \
         `editcap -F pcapng IN OUT` may convert it"
    )]
    Version { at: Place, format: &'static str, major: u16, minor: u16, supported: &'static str },

    #[error(
        "{at}: link type {number} ({name}) is not supported, only {supported}: capture on an \
         Ethernet interface, or convert the file",
        supported = link::SUPPORTED
    )]
    LinkType { at: Place, number: u32, name: &'static str },

    #[error(
        "{at}: the file ends at byte {end}, inside this {what}: the packets before it are whole; fetch \
         the file again if it was cut in transit"
    )]
    Truncated { at: Place, what: &'static str, end: u64 },

    #[error(
        "{at}: a captured length of {captured_length} bytes, beyond the {MAX_CAPTURED_LENGTH} of any \
         packet: the file is damaged here; `editcap IN OUT` keeps what precedes it"
    )]
    TooLong { at: Place, captured_length: u32 },

    #[error("{at}: damaged pcapng block: {reason}; `editcap IN OUT` keeps what precedes it")]
    Block { at: Place, reason: String },

    #[error(
        "{at}: a packet of interface {interface} in a section that describes {described}, counted from 0: \
         the file is damaged here; `editcap IN OUT` keeps what precedes it"
    )]
    Interface { at: Place, interface: u32, described: usize },

    #[error("{at}: cannot read on: check the disk or the pipe that it comes from")]
    Read { at: Place, source: io::Error },
}

/// What compressed files begin with, the method's name, and what undoes it.
const COMPRESSED: [(&[u8], &str, &str); 5] = [
    (&[0x1f, 0x8b], "gzip", "gunzip FILE"),
    (&[0x28, 0xb5, 0x2f, 0xfd], "zstd", "unzstd FILE"),
    (&[0xfd, 0x37, 0x7a, 0x58], "xz", "unxz FILE"),
    (b"BZh", "bzip2", "bunzip2 FILE"),
    (&[0x04, 0x22, 0x4d, 0x18], "lz4", "unlz4 FILE"),
];

impl CaptureError {
    /// For a file that begins with `magic` (at most four bytes) and is no capture.
    pub(super) fn unknown_format(path: PathBuf, magic: &[u8]) -> Self {
        for (prefix, method, command) in COMPRESSED {
            if magic.starts_with(prefix) {
                return Self::Compressed { path, method, command };
            }
        }
        let found: Vec<String> = magic.iter().map(|byte| format!("{byte:02x}")).collect();
        Self::NotACapture { path, found: found.join(" ") }
    }
}
