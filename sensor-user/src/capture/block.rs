//! The frame around everything in pcapng: type, length, body, and the length again.

use super::error::CaptureError;
use super::input::Input;
use super::order::ByteOrder;

/// Type, length and repeated length, in bytes: the least that a block can be.
const FRAMING: u32 = 12;

/// The file ended inside a block; said so in errors.
const BLOCK: &str = "block";

/// A block under way. What it holds is read through it, so that no length in it reaches beyond it.
pub(super) struct Block<'a> {
    pub(super) input: &'a mut Input,
    pub(super) order: ByteOrder,
    total_length: u32,
    unread: u64,
}

impl<'a> Block<'a> {
    /// Begins the block whose type has just been read: reads its length.
    pub(super) fn begin(input: &'a mut Input, order: ByteOrder) -> Result<Self, CaptureError> {
        let total_length = order.u32(input.array(BLOCK)?);
        Self::of_length(input, order, total_length)
    }

    /// Begins the section header whose type has just been read. Its length can be understood only
    /// after what follows it, the byte-order magic, which is also read.
    pub(super) fn begin_section(input: &'a mut Input) -> Result<Self, CaptureError> {
        let total_length = input.array(BLOCK)?;
        let magic: [u8; 4] = input.array(BLOCK)?;
        let order = match magic {
            [0x4d, 0x3c, 0x2b, 0x1a] => ByteOrder::Little,
            [0x1a, 0x2b, 0x3c, 0x4d] => ByteOrder::Big,
            [a, b, c, d] => {
                let reason = format!(
                    "byte-order magic {a:02x} {b:02x} {c:02x} {d:02x}, neither 4d 3c 2b 1a nor \
                     1a 2b 3c 4d"
                );
                return Err(CaptureError::Block { at: input.place(), reason });
            }
        };
        let mut block = Self::of_length(input, order, order.u32(total_length))?;
        block.take(magic.len() as u64, "byte-order magic")?;
        Ok(block)
    }

    fn of_length(input: &'a mut Input, order: ByteOrder, total_length: u32) -> Result<Self, CaptureError> {
        if total_length < FRAMING {
            let reason = format!("a length of {total_length}, less than the {FRAMING} of any block");
            return Err(CaptureError::Block { at: input.place(), reason });
        }
        // Some writers pad the body but leave the padding out of the length. Wireshark reads those.
        let padded = u64::from(total_length).next_multiple_of(4);
        Ok(Self { input, order, total_length, unread: padded - u64::from(FRAMING) })
    }

    /// Bytes of the body not yet read.
    pub(super) fn unread(&self) -> u64 {
        self.unread
    }

    /// An error in this block.
    pub(super) fn damaged(&self, reason: String) -> CaptureError {
        CaptureError::Block { at: self.input.place(), reason }
    }

    /// The next `N` bytes of the body, which are (a part of) `what`.
    pub(super) fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], CaptureError> {
        self.take(N as u64, what)?;
        self.input.array(BLOCK)
    }

    /// The next number of 16 bits.
    pub(super) fn u16(&mut self, what: &'static str) -> Result<u16, CaptureError> {
        Ok(self.order.u16(self.array(what)?))
    }

    /// The next number of 32 bits.
    pub(super) fn u32(&mut self, what: &'static str) -> Result<u32, CaptureError> {
        Ok(self.order.u32(self.array(what)?))
    }

    /// Fills `target` from the body.
    pub(super) fn read(&mut self, target: &mut [u8], what: &'static str) -> Result<(), CaptureError> {
        self.take(target.len() as u64, what)?;
        self.input.read(target, BLOCK)
    }

    /// Passes over `length` bytes of the body.
    pub(super) fn skip(&mut self, length: u64, what: &'static str) -> Result<(), CaptureError> {
        self.take(length, what)?;
        self.input.skip(length, BLOCK)
    }

    /// Passes over the rest of the body and compares the two lengths.
    pub(super) fn finish(mut self) -> Result<(), CaptureError> {
        self.skip(self.unread, "body")?;
        let repeated = self.order.u32(self.input.array(BLOCK)?);
        if repeated != self.total_length {
            let first = self.total_length;
            return Err(self.damaged(format!("a length of {first} before it and {repeated} after")));
        }
        Ok(())
    }

    fn take(&mut self, length: u64, what: &'static str) -> Result<(), CaptureError> {
        match self.unread.checked_sub(length) {
            Some(unread) => {
                self.unread = unread;
                Ok(())
            }
            None => {
                let total = self.total_length;
                Err(self.damaged(format!("its length, {total} bytes, is too short for its {what}")))
            }
        }
    }
}
