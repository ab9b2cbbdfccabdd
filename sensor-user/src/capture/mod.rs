//! Capture files, read as a stream of Ethernet frames.
//!
//! `apus-sensor replay` feeds every packet of a capture through the sensor's XDP program, and an XDP
//! program expects Ethernet. So whatever the capture's link layer, each packet comes out as an
//! Ethernet frame: as it was captured, or behind an Ethernet header of our own ([`Packet::synthetic`]).
//!
//! Read here: classic pcap (µs and ns) and pcapng (any number of sections and interfaces), of either
//! byte order. Link layers: Ethernet, raw IP and Linux cooked; see [`link::SUPPORTED`]. Nothing seeks,
//! so a pipe is as good as a file, and the memory is that of one packet, however long the capture
//! (pcapng adds one small record for each interface).
//!
//! Sources: draft-ietf-opsawg-pcap (classic pcap), draft-ietf-opsawg-pcapng,
//! <https://www.tcpdump.org/linktypes.html>.

mod block;
mod classic;
mod clock;
mod error;
mod frame;
mod input;
mod interface;
mod link;
mod order;
mod pcapng;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use self::classic::Classic;
pub use self::error::{CaptureError, Place};
use self::frame::{Frame, FrameBuffer};
use self::input::Input;
use self::link::LinkLayer;
use self::pcapng::PcapNg;

/// The longest packet that is read, in captured bytes.
///
/// It is the limit of libpcap (`MAXIMUM_SNAPLEN`) and Wireshark (`WTAP_MAX_PACKET_SIZE_STANDARD`) for
/// these link types: a longer record is damage, not a packet.
pub const MAX_CAPTURED_LENGTH: u32 = 262_144;

/// One packet of a capture, as an Ethernet frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// Position in the capture, from 1, counting packets and nothing else.
    pub number: u64,
    /// The capture's clock, in nanoseconds since 1970-01-01T00:00:00Z, rounded down. `None` for a
    /// pcapng Simple Packet Block, which carries no time.
    pub time_unix_ns: Option<i128>,
    /// The Ethernet frame, from the destination address on. As in the capture it may be cut short by
    /// the snap length, or end in a frame check sequence, which is not told apart from padding.
    /// Shorter than an Ethernet header (14 bytes) if so much was captured, and empty if the capture
    /// has too little of a raw or cooked packet to know its protocol.
    pub frame: &'a [u8],
    /// How many bytes at the start of `frame` are not in the capture: 0 for Ethernet, 14 for the rest.
    pub synthetic: usize,
    /// Bytes of this packet in the capture, with its own link-layer header (tshark's `frame.cap_len`).
    pub captured_length: u32,
    /// Bytes on the wire, as the capture says and measured as it measures them: with the link-layer
    /// header, and with the frame check sequence if the capture has it (tshark's `frame.len`).
    pub original_length: u32,
}

/// An open capture. [`Capture::next_packet`] walks through it once.
#[derive(Debug)]
pub struct Capture {
    input: Input,
    format: Format,
    buffer: FrameBuffer,
    ended: bool,
}

#[derive(Debug)]
enum Format {
    Classic(Classic),
    PcapNg(PcapNg),
}

/// What a format says of one packet; its bytes are in the [`FrameBuffer`].
struct Record {
    time_unix_ns: Option<i128>,
    link: LinkLayer,
    captured_length: u32,
    original_length: u32,
}

impl Capture {
    /// Opens the capture at `path` and reads its file header.
    ///
    /// # Errors
    /// [`CaptureError::Open`], [`CaptureError::Directory`], and those of [`Capture::from_reader`].
    pub fn open(path: &Path) -> Result<Self, CaptureError> {
        let open = |source| CaptureError::Open { path: path.into(), source };
        let file = File::open(path).map_err(open)?;
        // Linux opens a directory for reading, and only its first read fails.
        if file.metadata().map_err(open)?.is_dir() {
            return Err(CaptureError::Directory { path: path.into() });
        }
        Self::from_reader(path, file)
    }

    /// Reads the file header of the capture that `source` yields. `name` stands for it in errors.
    ///
    /// # Errors
    /// [`CaptureError::Empty`], [`CaptureError::Compressed`], [`CaptureError::NotACapture`],
    /// [`CaptureError::Version`], or damage in the file header.
    pub fn from_reader(
        name: impl Into<PathBuf>,
        source: impl Read + Send + 'static,
    ) -> Result<Self, CaptureError> {
        let mut input = Input::new(name.into(), Box::new(source));
        let format = match input.magic()? {
            pcapng::MAGIC => Format::PcapNg(PcapNg::open(&mut input)?),
            magic => match Classic::open(&mut input, magic)? {
                Some(classic) => Format::Classic(classic),
                None => return Err(CaptureError::unknown_format(input.into_path(), &magic)),
            },
        };
        Ok(Self { input, format, buffer: FrameBuffer::new(), ended: false })
    }

    /// The next packet, or `None` at the end.
    ///
    /// Every packet before a fault comes first. A fault ends the capture: after an error, as after
    /// the end, every call gives `None`.
    ///
    /// # Errors
    /// [`CaptureError::Truncated`], [`CaptureError::LinkType`] (at the first packet of such a type;
    /// an interface that saw no packet is no fault), [`CaptureError::TooLong`],
    /// [`CaptureError::Block`], [`CaptureError::Interface`], [`CaptureError::Version`] of a later
    /// section, and [`CaptureError::Read`].
    pub fn next_packet(&mut self) -> Result<Option<Packet<'_>>, CaptureError> {
        let Self { input, format, buffer, ended } = self;
        if *ended {
            return Ok(None);
        }
        // Stays set if the read fails: what follows a fault has no known beginning.
        *ended = true;
        let record = match format {
            Format::Classic(classic) => classic.next_record(input, buffer)?,
            Format::PcapNg(pcapng) => pcapng.next_record(input, buffer)?,
        };
        let Some(Record { time_unix_ns, link, captured_length, original_length }) = record else {
            return Ok(None);
        };
        *ended = false;
        let number = input.count_packet();
        let Frame { bytes: frame, synthetic } = buffer.ethernet(link);
        Ok(Some(Packet { number, time_unix_ns, frame, synthetic, captured_length, original_length }))
    }
}
