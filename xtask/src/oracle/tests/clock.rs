use crate::oracle::clock::{Clock, Doubts, from_rfc3339};
use crate::oracle::stamps;

const SECOND: u64 = 1_000_000_000;

#[test]
fn times_of_packets_and_of_flows_are_read_alike() {
    for (packet, flow, expected) in [
        ("0.000000000", "1970-01-01T00:00:00Z", 0),
        ("951782400.000000000", "2000-02-29T00:00:00Z", 951_782_400 * SECOND),
        ("1700000000.000005000", "2023-11-14T22:13:20.000005Z", 1_700_000_000 * SECOND + 5_000),
        ("4107542399.999999999", "2100-02-28T23:59:59.999999999Z", 4_107_542_399 * SECOND + 999_999_999),
        ("9223372037.000000000", "2262-04-11T23:47:16.854775807Z", i64::MAX as u64),
    ] {
        assert_eq!(Clock::default().at(1, Some(packet)).unwrap(), expected, "{packet}");
        assert_eq!(from_rfc3339(flow).unwrap(), expected, "{flow}");
    }
    assert_eq!(Clock::default().at(1, Some("-5.500000000")).unwrap(), 0);
    for wrong in ["2023-11-14T22:13:20", "2023-11-14 22:13:20Z", "1969-12-31T23:59:59Z", ""] {
        assert!(from_rfc3339(wrong).is_err(), "{wrong}");
    }
    assert!(Clock::default().at(1, Some("yesterday")).is_err());
}

#[test]
fn a_packet_without_a_time_comes_when_the_latest_came() {
    let mut clock = Clock::default();
    assert_eq!(clock.at(1, None).unwrap(), 0);
    assert_eq!(clock.interval(), [0, 0]);
    for (printed, expected) in [
        (Some("30.000000000"), 30),
        (None, 30),
        (Some("10.000000000"), 10),
        (None, 30),
        (Some("40.000000000"), 40),
    ] {
        assert_eq!(clock.at(1, printed).unwrap(), expected * SECOND);
    }
    assert_eq!(clock.interval(), [30 * SECOND, 40 * SECOND]);
    assert_eq!(clock.doubts, Doubts::default());
}

#[test]
fn fractions_that_no_sound_capture_has_are_in_doubt() {
    let doubts = |printed| {
        let mut clock = Clock::default();
        clock.at(1, Some(printed)).unwrap();
        (clock.doubts.beyond_a_second, clock.doubts.finer_than_microseconds)
    };
    assert_eq!(doubts("5.999999000"), (false, false));
    assert_eq!(doubts("5.000000704"), (false, true));
    assert_eq!(doubts("5.1000000000"), (true, false));
    assert_eq!(doubts("-0.2078753920"), (true, true));
}

#[test]
fn stamps_are_believed_instead() {
    let stamps = stamps::parse("7,0\t5000000,3841916976\n", 1_000).unwrap();
    assert_eq!(stamps, [12 * SECOND, 3_841_916_976_000]);
    let mut clock = Clock::of(stamps);
    assert_eq!(clock.at(1, Some("7.705032704")).unwrap(), 12 * SECOND);
    assert_eq!(clock.at(2, Some("-0.2078753920")).unwrap(), 3_841_916_976_000);
    assert!(clock.at(3, Some("1.000000000")).is_err());
    for wrong in ["", "7\t", "7,8\t1", "7"] {
        assert!(stamps::parse(wrong, 1).is_err(), "{wrong}");
    }
}
