//! The writer of these tests, read by somebody else's reader: they might agree with each other alone.
//!
//! `pcap-parser` 0.17 is right about everything written here. It does not read captures for the
//! sensor because it knows no resolution of a power of two, takes `if_tsoffset` for little-endian
//! always, and reports a block that lies about its lengths as one that is not complete yet.

use std::io::Cursor;

use pcap_parser::traits::PcapNGPacketBlock;
use pcap_parser::{Block, PcapBlockOwned, PcapError, create_reader};

use super::super::order::ByteOrder;
use super::writer::{Sample, Written};
use super::{Owned, read_whole};

/// Time in nanoseconds, length on the wire, bytes.
type Seen = (Option<i128>, u32, Vec<u8>);

fn seen_by_pcap_parser(bytes: &[u8]) -> Vec<Seen> {
    let mut reader = create_reader(65_536, Cursor::new(bytes.to_vec())).unwrap();
    let (mut seen, mut unit, mut offset_s) = (Vec::new(), 1_000, 0);
    let time = |high: u32, low: u32, unit: i128, offset_s: i64| {
        let ticks = u64::from(high) << 32 | u64::from(low);
        i128::from(offset_s) * 1_000_000_000 + i128::from(ticks) * unit
    };
    loop {
        let consumed = match reader.next() {
            Ok((consumed, block)) => {
                match block {
                    PcapBlockOwned::LegacyHeader(header) if header.is_nanosecond_precision() => {
                        unit = 1;
                    }
                    PcapBlockOwned::Legacy(packet) => {
                        let seconds = i128::from(packet.ts_sec) * 1_000_000_000;
                        let time = seconds + i128::from(packet.ts_usec) * unit;
                        seen.push((Some(time), packet.origlen, packet.data.to_vec()));
                    }
                    PcapBlockOwned::NG(Block::InterfaceDescription(interface)) => {
                        let per_second = interface.ts_resolution().unwrap();
                        unit = 1_000_000_000 / i128::from(per_second);
                        offset_s = interface.ts_offset();
                    }
                    PcapBlockOwned::NG(Block::EnhancedPacket(packet)) => {
                        let time = time(packet.ts_high, packet.ts_low, unit, offset_s);
                        seen.push((Some(time), packet.origlen, packet.packet_data().to_vec()));
                    }
                    PcapBlockOwned::NG(Block::SimplePacket(packet)) => {
                        seen.push((None, packet.origlen, packet.packet_data().to_vec()));
                    }
                    _ => {}
                }
                consumed
            }
            Err(PcapError::Eof) => return seen,
            Err(PcapError::Incomplete(_)) => {
                reader.refill().unwrap();
                continue;
            }
            Err(error) => panic!("{error:?}"),
        };
        reader.consume(consumed);
    }
}

#[track_caller]
fn assert_agree(bytes: &[u8], packets: usize) {
    let ours = read_whole(bytes).into_iter().map(|packet| {
        let Owned { time_unix_ns, original_length, frame, .. } = packet;
        (time_unix_ns, original_length, frame)
    });
    let ours: Vec<Seen> = ours.collect();
    assert_eq!((ours.len(), &ours), (packets, &seen_by_pcap_parser(bytes)));
}

#[test]
fn agrees_on_classic_captures() {
    for order in [ByteOrder::Little, ByteOrder::Big] {
        for magic in [0xa1b2_c3d4, 0xa1b2_3c4d] {
            let mut written = Written::classic(order, magic, 1);
            for length in 0..70_u8 {
                written.packet(1_700_000_000, 999_999, 1_500, &vec![length; usize::from(length)]);
            }
            assert_agree(&written.bytes, 70);
        }
    }
}

#[test]
fn agrees_on_pcapng() {
    for order in [ByteOrder::Little, ByteOrder::Big] {
        for resolution in [0, 3, 6, 9] {
            let mut written = Written::pcapng(order);
            let mut options = written.option(9, &[resolution]);
            if order == ByteOrder::Little {
                options.extend(written.option(14, &written.i64(-7)));
            }
            written.interface(1, 0, &options);
            for length in 0..70_u8 {
                let bytes = vec![length; usize::from(length)];
                let sample = Sample { ticks: 0x0123_4567_89ab, original_length: 1_500, bytes };
                written.enhanced(0, &sample);
                written.simple(u32::from(length), &sample.bytes);
                written.block(0x0bad_0bad, &[0; 8]);
            }
            assert_agree(&written.bytes, 140);
        }
    }
}
