//! Classic pcap: a file header of 24 bytes, then packets, each behind a header of 16.
//!
//! Source: draft-ietf-opsawg-pcap.

use super::error::CaptureError;
use super::frame::FrameBuffer;
use super::input::Input;
use super::link::LinkLayer;
use super::order::ByteOrder;
use super::{MAX_CAPTURED_LENGTH, Record};

const NANOSECONDS_PER_SECOND: i128 = 1_000_000_000;

/// The link type without the upper bits, which say whether and how long a frame check sequence is
/// (libpcap's `LT_LINKTYPE`). It is left on the frame: to the decoder it is padding.
const LINK_TYPE_MASK: u32 = 0x03ff_ffff;

/// What the file header says of all packets.
#[derive(Debug)]
pub(super) struct Classic {
    order: ByteOrder,
    nanoseconds_per_fraction: i128,
    link_type: u32,
}

impl Classic {
    /// Reads the rest of the file header, or gives `None` if `magic` is not of this format.
    pub(super) fn open(input: &mut Input, magic: [u8; 4]) -> Result<Option<Self>, CaptureError> {
        let (order, nanoseconds_per_fraction) = match magic {
            [0xd4, 0xc3, 0xb2, 0xa1] => (ByteOrder::Little, 1_000),
            [0xa1, 0xb2, 0xc3, 0xd4] => (ByteOrder::Big, 1_000),
            [0x4d, 0x3c, 0xb2, 0xa1] => (ByteOrder::Little, 1),
            [0xa1, 0xb2, 0x3c, 0x4d] => (ByteOrder::Big, 1),
            _ => return Ok(None),
        };
        let what = "file header";
        let major = order.u16(input.array(what)?);
        let minor = order.u16(input.array(what)?);
        // Before 2.4 the two lengths of a packet could be the other way round.
        if (major, minor) != (2, 4) {
            let (at, format, supported) = (input.place(), "pcap", "2.4");
            return Err(CaptureError::Version { at, format, major, minor, supported });
        }
        // Time zone and accuracy, which every writer leaves 0, and the snap length, which bounds
        // nothing: captures with longer packets than it says are common.
        input.skip(12, what)?;
        let link_type = order.u32(input.array(what)?) & LINK_TYPE_MASK;
        Ok(Some(Self { order, nanoseconds_per_fraction, link_type }))
    }

    /// Reads the next packet into `buffer`; `None` at the end of the file.
    pub(super) fn next_record(
        &self,
        input: &mut Input,
        buffer: &mut FrameBuffer,
    ) -> Result<Option<Record>, CaptureError> {
        let Self { order, nanoseconds_per_fraction, link_type } = self;
        if !input.next_record()? {
            return Ok(None);
        }
        let seconds = order.u32(input.array("packet header")?);
        let fraction = order.u32(input.array("packet header")?);
        let captured_length = order.u32(input.array("packet header")?);
        let original_length = order.u32(input.array("packet header")?);
        let link = LinkLayer::of(*link_type, input)?;
        if captured_length > MAX_CAPTURED_LENGTH {
            return Err(CaptureError::TooLong { at: input.place(), captured_length });
        }
        input.read(buffer.captured(captured_length), "packet")?;
        // A damaged fraction of a second or more carries over: it is no reason to lose the packet.
        let fraction_ns = i128::from(fraction) * nanoseconds_per_fraction;
        let time_unix_ns = Some(i128::from(seconds) * NANOSECONDS_PER_SECOND + fraction_ns);
        Ok(Some(Record { time_unix_ns, link, captured_length, original_length }))
    }
}
