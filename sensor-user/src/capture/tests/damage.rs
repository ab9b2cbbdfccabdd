//! Captures cut anywhere and damaged everywhere.

use proptest::prelude::*;

use super::super::CaptureError;
use super::super::order::ByteOrder;
use super::writer::{Sample, Written};
use super::{read, read_whole};

/// A capture of each kind, with packets of several lengths.
fn captures() -> Vec<Written> {
    let mut captures = Vec::new();
    for order in [ByteOrder::Little, ByteOrder::Big] {
        for (magic, link_type) in [(0xa1b2_c3d4, 1), (0xa1b2_3c4d, 113), (0xa1b2_c3d4, 276)] {
            let mut written = Written::classic(order, magic, link_type);
            for length in [0, 1, 15, 16, 20, 61] {
                written.packet(1, 2, 60, &vec![0x45; length]);
            }
            captures.push(written);
        }
        let mut written = Written::pcapng(order);
        for link_type in [1, 101, 113, 276] {
            let mut options = written.option(9, &[9]);
            options.extend(written.option(14, &written.i64(3)));
            written.interface(link_type, 0, &options);
        }
        for length in [0_u8, 1, 15, 16, 20, 61] {
            let bytes = vec![0x45; usize::from(length)];
            let sample = Sample { ticks: 1 << 40, original_length: 60, bytes };
            written.enhanced(u32::from(length % 4), &sample);
            written.obsolete(u16::from(length % 4), &sample);
            written.simple(u32::from(length), &sample.bytes);
            written.block(4, &[0; 4]);
        }
        let other = if order == ByteOrder::Big { ByteOrder::Little } else { ByteOrder::Big };
        written.section(other);
        written.interface(1, 0, &[]);
        written.simple(9, &[5; 9]);
        captures.push(written);
    }
    captures
}

#[test]
fn cut_at_every_byte() {
    for Written { bytes, boundaries, packet_ends, .. } in captures() {
        let whole = read_whole(&bytes);
        assert_eq!(whole.len(), packet_ends.len());
        for cut in 0..=bytes.len() {
            let (packets, fault) = read(&bytes[..cut]);
            let expected = packet_ends.iter().filter(|end| **end <= cut).count();
            assert_eq!(packets, whole[..expected], "cut at {cut}");
            match fault {
                None => assert!(boundaries.contains(&cut), "cut at {cut}"),
                Some(CaptureError::Empty { .. }) => assert_eq!(cut, 0),
                Some(CaptureError::NotACapture { .. }) => assert!((1..4).contains(&cut)),
                Some(CaptureError::Truncated { at, end, .. }) => {
                    let begun = boundaries.iter().rfind(|boundary| **boundary < cut);
                    assert_eq!(at.offset, begun.map_or(0, |boundary| *boundary as u64));
                    assert_eq!(at.packet, expected as u64 + 1);
                    assert_eq!(end, cut as u64);
                    assert!(!boundaries.contains(&cut), "cut at {cut}");
                }
                Some(other) => panic!("cut at {cut}: {other:?}"),
            }
        }
    }
}

/// Reads to the end, however it ends. A record has at least 16 bytes, so there cannot be more packets.
fn survive(bytes: &[u8]) {
    let (packets, fault) = read(bytes);
    assert!(packets.len() <= bytes.len() / 16);
    for packet in packets {
        assert!(packet.synthetic <= packet.frame.len());
        assert!(packet.frame.len() <= packet.captured_length as usize + 14);
    }
    if let Some(fault) = fault {
        assert!(!fault.to_string().contains('\n'), "{fault}");
    }
}

#[derive(Clone, Debug)]
enum Damage {
    Set(usize, u8),
    Flip(usize, u8),
    Word(usize, u32),
    Insert(usize, Vec<u8>),
    Remove(usize, usize),
    Cut(usize),
}

fn damage() -> impl Strategy<Value = Damage> {
    let word = prop_oneof![Just(0), Just(u32::MAX), 0_u32..100, any::<u32>()];
    let bytes = prop::collection::vec(any::<u8>(), 1..40);
    prop_oneof![
        (any::<usize>(), any::<u8>()).prop_map(|(at, value)| Damage::Set(at, value)),
        (any::<usize>(), 0_u8..8).prop_map(|(at, bit)| Damage::Flip(at, bit)),
        (any::<usize>(), word).prop_map(|(at, word)| Damage::Word(at, word)),
        (any::<usize>(), bytes).prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
        (any::<usize>(), 1_usize..40).prop_map(|(at, count)| Damage::Remove(at, count)),
        any::<usize>().prop_map(Damage::Cut),
    ]
}

fn apply(bytes: &mut Vec<u8>, damage: &Damage) {
    let length = bytes.len().max(1);
    bytes.resize(length, 0);
    match damage {
        Damage::Set(at, value) => bytes[at % length] = *value,
        Damage::Flip(at, bit) => bytes[at % length] ^= 1 << bit,
        Damage::Word(at, word) => {
            // Lengths lie on multiples of four.
            let at = at % length / 4 * 4;
            bytes.splice(at..(at + 4).min(length), word.to_le_bytes());
        }
        Damage::Insert(at, inserted) => {
            bytes.splice(at % length..at % length, inserted.iter().copied());
        }
        Damage::Remove(at, count) => {
            bytes.drain(at % length..(at % length + count).min(length));
        }
        Damage::Cut(at) => bytes.truncate(at % length),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn damaged_captures(kind in 0..8_usize, damages in prop::collection::vec(damage(), 1..8)) {
        let mut bytes = captures().swap_remove(kind).bytes;
        for damage in &damages {
            apply(&mut bytes, damage);
        }
        survive(&bytes);
    }

    #[test]
    fn noise_behind_a_sound_header(
        kind in 0..8_usize,
        noise in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let Written { mut bytes, boundaries, .. } = captures().swap_remove(kind);
        bytes.truncate(boundaries[0]);
        bytes.extend(noise);
        survive(&bytes);
    }
}
