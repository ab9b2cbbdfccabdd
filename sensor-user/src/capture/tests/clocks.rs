//! Ticks of every resolution, worked out by hand.

use super::super::clock::Clock;

#[test]
fn resolutions_of_both_kinds() {
    let second = 1_000_000_000;
    // (if_tsresol, if_tsoffset, ticks, nanoseconds)
    let cases: [(u8, i64, u64, i128); 16] = [
        (0, 0, 7, 7 * second),
        (3, 0, 7_001, 7_001_000_000),
        (6, 0, 1_700_000_000_123_456, 1_700_000_000_123_456_000),
        (9, 0, 1_700_000_000_123_456_789, 1_700_000_000_123_456_789),
        (12, 0, 1_999, 1),
        (19, 0, u64::MAX, 1_844_674_407),
        (30, 0, u64::MAX, 0),
        (47, 0, u64::MAX, 0),
        (127, 0, u64::MAX, 0),
        (0x80, 0, 7, 7 * second),
        (0x80 | 1, 0, 3, 1_500_000_000),
        (0x80 | 10, 0, 1_025, 1_000_976_562),
        (0x80 | 32, 0, 3 << 31, 1_500_000_000),
        (0xff, 0, u64::MAX, 0),
        (6, -1, 1, -999_999_000),
        (0, i64::MAX, u64::MAX, (i128::from(i64::MAX) + i128::from(u64::MAX)) * second),
    ];
    for (resolution, offset_s, ticks, expected) in cases {
        let clock = Clock { resolution, offset_s };
        assert_eq!(clock.unix_ns(ticks), expected, "{clock:?}, {ticks} ticks");
    }
}

#[test]
fn no_resolution_overflows() {
    for resolution in 0..=u8::MAX {
        for offset_s in [i64::MIN, 0, i64::MAX] {
            let clock = Clock { resolution, offset_s };
            assert!(clock.unix_ns(u64::MAX) >= clock.unix_ns(0), "{clock:?}");
        }
    }
}
