//! A batch measured before it is unpacked: where its tables lie, and what they would unpack to.
//!
//! Arrow's encapsulated messages (<https://arrow.apache.org/docs/format/Columnar.html>, "Encapsulated message format"):
//! four bytes of ones, the length of the metadata, the metadata as a flatbuffer, and a body. Every compressed
//! buffer begins with the length that it unpacks to, which Arrow's decoder believes when it makes room.

use arrow_ipc::{MessageHeader, root_as_message};
use bytes::Bytes;

use crate::batch::Limits;
use crate::encode::ROWS_AT_ONCE;
use crate::error::WireError;
use crate::schema::Table;

/// Begins each message.
const CONTINUATION: [u8; 4] = [0xff; 4];
/// Bytes of such a beginning, and of the length after it.
const PREFIX: usize = 8;
/// Metadata of one message: our schemas take about two thousand bytes.
const MOST_METADATA: usize = 1 << 16;
/// The length of a buffer that is not compressed.
const UNCOMPRESSED: i64 = -1;

/// The tables of a batch, each a whole Arrow IPC stream, and what all of it would unpack to.
pub struct Frames {
    pub intervals: Bytes,
    pub counters: Bytes,
    pub flows: Option<Bytes>,
}

impl Frames {
    /// Finds the tables.
    ///
    /// # Errors
    /// Where they are not there, or would unpack to more than the limits allow.
    pub fn split(bytes: &Bytes, limits: &Limits) -> Result<Self, WireError> {
        let mut measure = Measure { limits, packed: bytes.len() as u64, unpacked: 0 };
        let mut rest = bytes.clone();
        let intervals = measure.stream(&mut rest, Table::Intervals)?;
        let counters = measure.stream(&mut rest, Table::Counters)?;
        let flows = if rest.is_empty() { None } else { Some(measure.stream(&mut rest, Table::Flows)?) };
        if rest.is_empty() {
            Ok(Self { intervals, counters, flows })
        } else {
            Err(WireError::Long(rest.len()))
        }
    }
}

struct Measure<'a> {
    limits: &'a Limits,
    packed: u64,
    unpacked: u64,
}

impl Measure<'_> {
    /// Takes one stream off the beginning.
    fn stream(&mut self, rest: &mut Bytes, table: Table) -> Result<Bytes, WireError> {
        let mut length = 0_usize;
        let mut rows = 0_u64;
        let before = self.unpacked;
        loop {
            let message = &rest[length..];
            let [prefix, size] = prefix(message, table)?;
            if prefix != CONTINUATION {
                return Err(WireError::Garbage("no Arrow IPC stream where one should begin"));
            }
            let size = usize::try_from(i32::from_le_bytes(size))
                .map_err(|_| WireError::Garbage("a message of less than no length"))?;
            if size == 0 {
                return Ok(rest.split_to(length + PREFIX));
            }
            if size > MOST_METADATA {
                return Err(WireError::Garbage("a message with more metadata than any table has"));
            }
            let metadata = take(message, PREFIX, size as u64, table)?;
            let found = root_as_message(metadata)
                .map_err(|_| WireError::Garbage("a message whose metadata is no Arrow message"))?;
            let body_length = u64::try_from(found.bodyLength())
                .map_err(|_| WireError::Garbage("a body of less than no length"))?;
            let body = take(message, PREFIX + size, body_length, table)?;
            if let Some(record) = found.header_as_record_batch() {
                let count = u64::try_from(record.length()).unwrap_or(u64::MAX);
                if table == Table::Flows && count > ROWS_AT_ONCE as u64 {
                    // Who reads them makes room for one record batch at a time.
                    return Err(WireError::Rows {
                        table: table.name(),
                        rows: count,
                        most: ROWS_AT_ONCE as u64,
                    });
                }
                rows = rows.saturating_add(count);
                let most = self.limits.rows_of(table);
                if rows > most {
                    return Err(WireError::Rows { table: table.name(), rows, most });
                }
                for buffer in record.buffers().into_iter().flatten() {
                    self.add(unpacked(body, buffer, record.compression().is_some())?)?;
                    let (bytes, most) = (self.unpacked - before, self.limits.unpacked_of(table));
                    if bytes > most {
                        return Err(WireError::Bomb { bytes, most });
                    }
                }
            } else if found.header_type() != MessageHeader::Schema {
                return Err(WireError::Garbage("a message that is neither a schema nor a record batch"));
            }
            length += PREFIX + size + body.len();
        }
    }

    fn add(&mut self, bytes: u64) -> Result<(), WireError> {
        self.unpacked = self.unpacked.saturating_add(bytes);
        if self.unpacked > self.limits.unpacked_bytes {
            return Err(WireError::Bomb { bytes: self.unpacked, most: self.limits.unpacked_bytes });
        }
        let ratio = self.unpacked / self.packed.max(1);
        if self.unpacked > self.limits.unpacked_without_question && ratio > self.limits.ratio {
            return Err(WireError::Ratio { ratio, most: self.limits.ratio });
        }
        Ok(())
    }
}

fn prefix(message: &[u8], table: Table) -> Result<[[u8; 4]; 2], WireError> {
    let bytes = take(message, 0, PREFIX as u64, table)?;
    let four = |from: usize| [bytes[from], bytes[from + 1], bytes[from + 2], bytes[from + 3]];
    Ok([four(0), four(4)])
}

fn take(message: &[u8], from: usize, length: u64, table: Table) -> Result<&[u8], WireError> {
    let there = message.len().saturating_sub(from) as u64;
    match usize::try_from(length).ok().and_then(|length| message.get(from..from.checked_add(length)?)) {
        Some(bytes) => Ok(bytes),
        None => Err(WireError::Short { table: table.name(), missing: length.saturating_sub(there) }),
    }
}

/// What a buffer says that it unpacks to.
fn unpacked(body: &[u8], buffer: &arrow_ipc::Buffer, is_compressed: bool) -> Result<u64, WireError> {
    const OUTSIDE: WireError = WireError::Garbage("a buffer outside of its message");
    let from = usize::try_from(buffer.offset()).map_err(|_| OUTSIDE)?;
    let length = usize::try_from(buffer.length()).map_err(|_| OUTSIDE)?;
    let end = from.checked_add(length).ok_or(OUTSIDE)?;
    let bytes = body.get(from..end).ok_or(OUTSIDE)?;
    if !is_compressed || bytes.is_empty() {
        return Ok(length as u64);
    }
    let Some(said) = bytes.first_chunk::<8>() else {
        return Err(WireError::Garbage("a compressed buffer without its length"));
    };
    match i64::from_le_bytes(*said) {
        UNCOMPRESSED => Ok(length as u64),
        said => {
            u64::try_from(said).map_err(|_| WireError::Garbage("a buffer that unpacks to less than nothing"))
        }
    }
}
