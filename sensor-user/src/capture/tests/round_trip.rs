//! What is written is what is read, in every format and byte order.

use proptest::prelude::*;

use super::super::order::ByteOrder;
use super::writer::{Sample, Written};
use super::{Owned, read_whole};

const MICROSECONDS: u32 = 0xa1b2_c3d4;
const NANOSECONDS: u32 = 0xa1b2_3c4d;

fn orders() -> impl Strategy<Value = ByteOrder> {
    prop_oneof![Just(ByteOrder::Little), Just(ByteOrder::Big)]
}

fn samples() -> impl Strategy<Value = Vec<Sample>> {
    let bytes = prop::collection::vec(any::<u8>(), 0..200);
    let sample = (any::<u64>(), any::<u32>(), bytes).prop_map(|(ticks, original_length, bytes)| Sample {
        ticks,
        original_length,
        bytes,
    });
    prop::collection::vec(sample, 0..20)
}

fn owned(index: usize, time_unix_ns: Option<i128>, sample: &Sample) -> Owned {
    Owned {
        number: index as u64 + 1,
        time_unix_ns,
        frame: sample.bytes.clone(),
        synthetic: 0,
        captured_length: sample.bytes.len() as u32,
        original_length: sample.original_length,
    }
}

proptest! {
    #[test]
    fn classic(order in orders(), nanoseconds: bool, samples in samples()) {
        let (magic, unit) = if nanoseconds { (NANOSECONDS, 1) } else { (MICROSECONDS, 1_000) };
        let per_second = 1_000_000_000 / unit;
        let mut written = Written::classic(order, magic, 1);
        let mut expected = Vec::new();
        for (index, sample) in samples.iter().enumerate() {
            let (seconds, fraction) = ((sample.ticks >> 32) as u32, sample.ticks as u32 % per_second);
            written.packet(seconds, fraction, sample.original_length, &sample.bytes);
            let time = i128::from(seconds) * 1_000_000_000 + i128::from(fraction) * i128::from(unit);
            expected.push(owned(index, Some(time), sample));
        }
        prop_assert_eq!(read_whole(&written.bytes), expected);
    }

    #[test]
    fn pcapng(order in orders(), samples in samples(), digits in 0_u8..=9, offset_s in -9_i64..9) {
        let mut written = Written::pcapng(order);
        let mut options = written.option(2, b"eth0");
        options.extend(written.option(9, &[digits]));
        options.extend(written.option(14, &written.i64(offset_s)));
        options.extend(written.option(0, b""));
        written.interface(1, 0, &options);
        let mut expected = Vec::new();
        for (index, sample) in samples.iter().enumerate() {
            // All three kinds of packet block, by turns, with blocks in between that mean nothing here.
            let unit = 10_i128.pow(9 - u32::from(digits));
            let time = i128::from(offset_s) * 1_000_000_000 + i128::from(sample.ticks) * unit;
            match index % 3 {
                0 => written.enhanced(0, sample),
                1 => written.obsolete(0, sample),
                _ => written.simple(sample.bytes.len() as u32, &sample.bytes),
            }
            written.block(0x0bad_0bad, &[0xff; 8]);
            let mut owned = owned(index, Some(time), sample);
            if index % 3 == 2 {
                owned.time_unix_ns = None;
                owned.original_length = owned.captured_length;
            }
            expected.push(owned);
        }
        prop_assert_eq!(read_whole(&written.bytes), expected);
    }
}
