//! pcapng as we write it: little-endian blocks of one section, whole ones only
//! (draft-ietf-opsawg-pcapng).
//!
//! Our own, because it is four kinds of bytes in a row, and because a block at a time is what a file that may
//! be cut at any moment wants; readers of others check it in the tests.

const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION: u32 = 1;
const ENHANCED_PACKET: u32 = 6;
const BYTE_ORDER_MAGIC: u32 = 0x1a2b_3c4d;
/// `LINKTYPE_ETHERNET`.
const ETHERNET: u16 = 1;
/// Options: of any block, of section headers, of interface descriptions.
const COMMENT: u16 = 1;
const USER_APPLICATION: u16 = 4;
const NAME: u16 = 2;
const TIME_RESOLUTION: u16 = 9;

/// A packet to be written.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// Place of its interface among those of the file.
    pub interface: u32,
    pub unix_nanoseconds: u64,
    pub original_length: u32,
    pub bytes: &'a [u8],
    pub comment: &'a str,
}

/// Appends the header of a file.
pub fn section(target: &mut Vec<u8>) {
    let mut body = BYTE_ORDER_MAGIC.to_le_bytes().to_vec();
    // Version 1.0, of a length that is not told.
    body.extend([1, 0, 0, 0]);
    body.extend((-1_i64).to_le_bytes());
    option(&mut body, USER_APPLICATION, concat!("apus-sensor ", env!("CARGO_PKG_VERSION")).as_bytes());
    option(&mut body, 0, &[]);
    block(target, SECTION_HEADER, &body);
}

/// Appends the description of an interface, with times in nanoseconds.
pub fn interface(target: &mut Vec<u8>, name: &str, snap_length: u32) {
    let mut body = ETHERNET.to_le_bytes().to_vec();
    body.extend([0, 0]);
    body.extend(snap_length.to_le_bytes());
    option(&mut body, NAME, name.as_bytes());
    option(&mut body, TIME_RESOLUTION, &[9]);
    option(&mut body, 0, &[]);
    block(target, INTERFACE_DESCRIPTION, &body);
}

/// Appends a packet.
pub fn packet(target: &mut Vec<u8>, frame: &Frame<'_>) {
    let Frame { interface, unix_nanoseconds, original_length, bytes, comment } = frame;
    let mut body = interface.to_le_bytes().to_vec();
    // The upper half first, in either byte order.
    let [a, b, c, d, e, f, g, h] = unix_nanoseconds.to_le_bytes();
    body.extend([e, f, g, h, a, b, c, d]);
    body.extend(length(bytes.len()).to_le_bytes());
    body.extend(original_length.to_le_bytes());
    body.extend(*bytes);
    pad(&mut body);
    option(&mut body, COMMENT, comment.as_bytes());
    option(&mut body, 0, &[]);
    block(target, ENHANCED_PACKET, &body);
}

fn block(target: &mut Vec<u8>, kind: u32, body: &[u8]) {
    let total = length(body.len() + 12).to_le_bytes();
    target.extend(kind.to_le_bytes());
    target.extend(total);
    target.extend(body);
    target.extend(total);
}

fn option(body: &mut Vec<u8>, code: u16, value: &[u8]) {
    body.extend(code.to_le_bytes());
    body.extend(u16::try_from(value.len()).unwrap_or(u16::MAX).to_le_bytes());
    body.extend(value);
    pad(body);
}

/// Everything in a block begins at a multiple of four bytes.
fn pad(body: &mut Vec<u8>) {
    body.resize(body.len().next_multiple_of(4), 0);
}

/// Nothing here is longer than a packet and a few names.
fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;
    use crate::capture::Capture;

    const TIME: u64 = 1_790_000_000_123_456_789;

    fn file(frames: &[(u32, Vec<u8>)]) -> Vec<u8> {
        let mut bytes = Vec::new();
        section(&mut bytes);
        interface(&mut bytes, "eth0", 512);
        interface(&mut bytes, "second1", 512);
        for (number, (place, frame)) in (0..).zip(frames) {
            let original_length = u32::try_from(frame.len()).expect("a short frame") + 100;
            let frame = Frame {
                interface: *place,
                unix_nanoseconds: TIME + number,
                original_length,
                bytes: frame,
                comment: "class scan; signatures mirai",
            };
            packet(&mut bytes, &frame);
        }
        bytes
    }

    proptest! {
        /// What is written is what our own reader reads, wherever the file is cut: up to there.
        #[test]
        fn read_back(
            frames in prop::collection::vec((0_u32..2, prop::collection::vec(any::<u8>(), 14..200)), 0..20),
            cut in 0.0..1.0_f64,
        ) {
            let bytes = file(&frames);
            let mut whole = Capture::from_reader("memory", std::io::Cursor::new(bytes.clone())).expect("a capture");
            for (number, (_, frame)) in (0..).zip(&frames) {
                let read = whole.next_packet().expect("a whole file").expect("another packet");
                prop_assert_eq!(read.frame, frame.as_slice());
                prop_assert_eq!(read.original_length as usize, frame.len() + 100);
                prop_assert_eq!(read.time_unix_ns, Some(i128::from(TIME) + number));
            }
            prop_assert!(whole.next_packet().expect("a whole file").is_none());

            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "any place will do")]
            let end = (bytes.len() as f64 * cut) as usize;
            if let Ok(mut part) = Capture::from_reader("memory", std::io::Cursor::new(bytes[..end].to_vec())) {
                let mut read = 0;
                while let Ok(Some(packet)) = part.next_packet() {
                    prop_assert_eq!(packet.frame, frames[read].1.as_slice());
                    read += 1;
                }
            }
        }
    }

    /// The reader that everyone else has. Where it is not installed, this says so and passes.
    #[test]
    fn tshark_reads_names_times_lengths_and_comments() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let path = folder.path().join("evidence.pcapng");
        let frames = [(0, vec![2; 60]), (1, vec![2; 61])];
        std::fs::write(&path, file(&frames)).expect("a file");
        let fields =
            ["frame.interface_name", "frame.time_epoch", "frame.len", "frame.cap_len", "frame.comment"];
        let mut command = Command::new("tshark");
        command.arg("-r").arg(&path).args(["-T", "fields", "-E", "separator=|"]);
        for field in fields {
            command.args(["-e", field]);
        }
        let Ok(output) = command.output() else {
            eprintln!("skipped: tshark is not installed");
            return;
        };
        let text = String::from_utf8_lossy(&output.stdout);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines,
            [
                "eth0|1790000000.123456789|160|60|class scan; signatures mirai",
                "second1|1790000000.123456790|161|61|class scan; signatures mirai"
            ],
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}
