//! pcapng: sections of blocks, of which interfaces and packets matter here.
//!
//! Source: draft-ietf-opsawg-pcapng.

use super::block::Block;
use super::error::CaptureError;
use super::frame::FrameBuffer;
use super::input::Input;
use super::interface::Interface;
use super::link::LinkLayer;
use super::order::ByteOrder;
use super::{MAX_CAPTURED_LENGTH, Record};

/// The type of a Section Header Block, the same in both byte orders, with which every file begins.
pub(super) const MAGIC: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];

const INTERFACE_DESCRIPTION: u32 = 1;
const OBSOLETE_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;

/// The present section. A new one forgets the byte order and the interfaces of the last.
#[derive(Debug)]
pub(super) struct PcapNg {
    order: ByteOrder,
    interfaces: Vec<Interface>,
}

/// What a packet block of any kind says before the packet itself.
struct PacketHeader {
    interface: u32,
    ticks: Option<u64>,
    /// `None` where only the interface's snap length tells.
    captured_length: Option<u32>,
    original_length: u32,
}

impl PcapNg {
    /// Reads the first section header, from behind its type.
    pub(super) fn open(input: &mut Input) -> Result<Self, CaptureError> {
        let mut block = Block::begin_section(input)?;
        let order = block.order;
        let major = block.u16("section header")?;
        let minor = block.u16("section header")?;
        // 1.2 is what some programs call 1.0; the specification has them read alike.
        if !matches!((major, minor), (1, 0 | 2)) {
            let (at, format, supported) = (block.input.place(), "pcapng", "1.0 and 1.2");
            return Err(CaptureError::Version { at, format, major, minor, supported });
        }
        // The section's length and options: nothing here depends on them.
        block.finish()?;
        Ok(Self { order, interfaces: Vec::new() })
    }

    /// Reads up to and with the next packet, into `buffer`; `None` at the end of the file.
    pub(super) fn next_record(
        &mut self,
        input: &mut Input,
        buffer: &mut FrameBuffer,
    ) -> Result<Option<Record>, CaptureError> {
        while input.next_record()? {
            let block_type = input.array("block")?;
            if block_type == MAGIC {
                *self = Self::open(input)?;
                continue;
            }
            let mut block = Block::begin(input, self.order)?;
            let header = match self.order.u32(block_type) {
                ENHANCED_PACKET => enhanced_packet(&mut block)?,
                SIMPLE_PACKET => simple_packet(&mut block)?,
                OBSOLETE_PACKET => obsolete_packet(&mut block)?,
                other => {
                    if other == INTERFACE_DESCRIPTION {
                        self.interfaces.push(Interface::read(&mut block)?);
                    }
                    block.finish()?;
                    continue;
                }
            };
            let record = self.read_packet(&mut block, &header, buffer)?;
            // The packet counts only if the block that holds it is sound to its end.
            block.finish()?;
            return Ok(Some(record));
        }
        Ok(None)
    }

    fn read_packet(
        &self,
        block: &mut Block<'_>,
        header: &PacketHeader,
        buffer: &mut FrameBuffer,
    ) -> Result<Record, CaptureError> {
        let PacketHeader { interface: number, ticks, captured_length, original_length } = *header;
        let Some(interface) = self.interfaces.get(number as usize) else {
            let (at, described) = (block.input.place(), self.interfaces.len());
            return Err(CaptureError::Interface { at, interface: number, described });
        };
        let Interface { link_type, snap_length, clock } = *interface;
        let link = LinkLayer::of(u32::from(link_type), block.input)?;
        let captured_length = captured_length.unwrap_or(match snap_length {
            0 => original_length,
            limit => original_length.min(limit),
        });
        if captured_length > MAX_CAPTURED_LENGTH {
            return Err(CaptureError::TooLong { at: block.input.place(), captured_length });
        }
        block.read(buffer.captured(captured_length), "packet")?;
        let time_unix_ns = ticks.map(|ticks| clock.unix_ns(ticks));
        Ok(Record { time_unix_ns, link, captured_length, original_length })
    }
}

fn enhanced_packet(block: &mut Block<'_>) -> Result<PacketHeader, CaptureError> {
    let interface = block.u32("packet header")?;
    timed_packet(block, interface)
}

fn obsolete_packet(block: &mut Block<'_>) -> Result<PacketHeader, CaptureError> {
    let interface = block.u16("packet header")?;
    let _drops = block.u16("packet header")?;
    timed_packet(block, u32::from(interface))
}

fn timed_packet(block: &mut Block<'_>, interface: u32) -> Result<PacketHeader, CaptureError> {
    let high = block.u32("packet header")?;
    let low = block.u32("packet header")?;
    let captured_length = block.u32("packet header")?;
    let original_length = block.u32("packet header")?;
    Ok(PacketHeader {
        interface,
        ticks: Some(u64::from(high) << 32 | u64::from(low)),
        captured_length: Some(captured_length),
        original_length,
    })
}

fn simple_packet(block: &mut Block<'_>) -> Result<PacketHeader, CaptureError> {
    let original_length = block.u32("packet header")?;
    Ok(PacketHeader { interface: 0, ticks: None, captured_length: None, original_length })
}
