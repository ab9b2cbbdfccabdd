//! pcapng's Interface Description Block: what the packets of one interface have in common.

use super::block::Block;
use super::clock::Clock;
use super::error::CaptureError;

const OPTION_END: u16 = 0;
const OPTION_TIME_RESOLUTION: u16 = 9;
const OPTION_TIME_OFFSET: u16 = 14;

/// An interface. Its position in its section is the number that packets name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Interface {
    pub(super) link_type: u16,
    /// The most bytes kept of a packet; 0 for no limit.
    pub(super) snap_length: u32,
    pub(super) clock: Clock,
}

impl Interface {
    /// Reads the body of an Interface Description Block.
    pub(super) fn read(block: &mut Block<'_>) -> Result<Self, CaptureError> {
        let what = "interface description";
        let link_type = block.u16(what)?;
        let _reserved = block.u16(what)?;
        let snap_length = block.u32(what)?;
        let clock = read_clock(block)?;
        Ok(Self { link_type, snap_length, clock })
    }
}

/// Reads the options as far as they go. Of an option given twice the first holds, as in Wireshark.
fn read_clock(block: &mut Block<'_>) -> Result<Clock, CaptureError> {
    let (mut resolution, mut offset_s) = (None, None);
    while block.unread() > 0 {
        let code = block.u16("options")?;
        let length = block.u16("options")?;
        match (code, length) {
            (OPTION_END, _) => break,
            (OPTION_TIME_RESOLUTION, 1) => {
                let [value, _, _, _] = block.array("options")?;
                resolution.get_or_insert(value);
            }
            (OPTION_TIME_OFFSET, 8) => {
                let value = block.order.i64(block.array("options")?);
                offset_s.get_or_insert(value);
            }
            (OPTION_TIME_RESOLUTION | OPTION_TIME_OFFSET, _) => {
                // Passing over it would stamp every packet with a wrong time.
                return Err(block.damaged(format!("option {code}, a time's, of {length} bytes")));
            }
            _ => block.skip(u64::from(length).next_multiple_of(4), "options")?,
        }
    }
    let default = Clock::default();
    Ok(Clock {
        resolution: resolution.unwrap_or(default.resolution),
        offset_s: offset_s.unwrap_or(default.offset_s),
    })
}
