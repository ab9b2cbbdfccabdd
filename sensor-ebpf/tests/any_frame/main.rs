//! Decoding and counting, for any frame at all: properties, each also true of what the fuzzer finds.

use proptest::prelude::*;
use sensor_ebpf::abi::Outcome;
use sensor_ebpf::count::{Exclusive, Raise, Shared, WatchedWindows, count};
use sensor_ebpf::headers::Frame;
use sensor_ebpf::observed::Everything;
use sensor_ebpf::packet::decode;

mod frames;
mod property;

const CASES: u32 = if cfg!(miri) { 8 } else { 2048 };

fn config() -> ProptestConfig {
    let standard = ProptestConfig::default();
    // The standard ones have read PROPTEST_CASES.
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { standard.cases } else { CASES };
    ProptestConfig { cases, failure_persistence: None, ..standard }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_bytes_are_counted_as_the_model_says(bytes in proptest::collection::vec(any::<u8>(), 0..160)) {
        property::holds(&bytes);
    }

    #[test]
    fn any_packet_is_counted_as_the_model_says(frame in frames::frame()) {
        property::holds(&frame);
    }

    /// What lies behind the frame's end makes no difference to it.
    #[test]
    fn bytes_behind_the_frame_are_not_read(frame in frames::frame(), behind: [u8; 64]) {
        let longer = [frame.as_slice(), &behind].concat();
        prop_assert_eq!(facts(&frame), facts(&longer[..frame.len()]));
    }

    #[test]
    fn a_longer_prefix_only_adds_to_what_is_known(frame in frames::frame()) {
        facts_only_grow(&frame);
    }

    #[test]
    fn exclusive_and_shared_slots_count_alike(frames in proptest::collection::vec(frames::frame(), 1..8)) {
        prop_assert!(counted::<Exclusive>(&frames) == counted::<Shared>(&frames));
    }
}

/// What decoding finds out, in a form that can be compared.
fn facts(bytes: &[u8]) -> (Outcome, bool, u8) {
    let packet = decode(Frame::new(bytes), &Everything);
    (packet.outcome, packet.observed, packet.protocol)
}

/// A prefix that is decoded at all is decoded as every longer one: bytes that come later can only turn
/// `malformed` into something else, once.
fn facts_only_grow(frame: &[u8]) {
    let mut known = None;
    for length in 0..=frame.len() {
        let now = facts(&frame[..length]);
        let known = known.get_or_insert(now);
        if known.0 != Outcome::Malformed {
            assert_eq!(*known, now, "at {length} bytes");
        }
        // An IP header that was sound stays so.
        assert!(now.1 >= known.1, "at {length} bytes");
        *known = now;
    }
}

struct NoWindows;

impl WatchedWindows for NoWindows {
    fn position(&self, _window: u16) -> Option<usize> {
        None
    }
}

fn counted<R: Raise>(frames: &[Vec<u8>]) -> Vec<u64> {
    let mut counters = property::zero();
    for frame in frames {
        let packet = decode(Frame::new(frame), &Everything);
        // SAFETY: counters of our own.
        unsafe { count::<R>(&raw mut *counters, &packet, frame.len() as u64, &NoWindows) };
    }
    property::words(&mut counters).to_vec()
}

/// Valid frames of every sound outcome, with the most headers that are walked.
fn valid_frames() -> Vec<Vec<u8>> {
    let mut tcp = vec![0; 24];
    tcp[12..14].copy_from_slice(&[0x60, 2]);
    let udp = [0, 53, 0, 53, 0, 8, 0, 0];
    let echo = [8, 0, 0, 0, 0, 1, 0, 1];
    let most_extensions =
        [(0, 1, 0), (60, 0, 0), (43, 2, 0), (44, 0, 1), (60, 0, 0), (60, 0, 0), (60, 0, 0), (60, 3, 0)];
    let mut frames = Vec::new();
    for tags in [&[][..], &[0x8100], &[0x88a8, 0x8100]] {
        for (protocol, payload) in [(6, tcp.as_slice()), (17, &udp), (1, &echo), (58, &echo), (47, &[])] {
            for options in [0_u8, 10] {
                frames.push([frames::link_header(tags, 0x0800), ipv4(options, protocol, payload)].concat());
            }
            for extensions in [&[][..], &[(44, 0, 8)], &most_extensions] {
                let (first, payload) = frames::chain(extensions, protocol, payload);
                frames.push([frames::link_header(tags, 0x86dd), ipv6(first, &payload)].concat());
            }
        }
    }
    frames
}

fn ipv4(options: u8, protocol: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; 20 + 4 * usize::from(options)];
    let total = u16::try_from(bytes.len() + payload.len()).unwrap_or(u16::MAX);
    bytes[0] = 0x45 + options;
    bytes[2..4].copy_from_slice(&total.to_be_bytes());
    bytes[9] = protocol;
    bytes.extend(payload);
    bytes
}

fn ipv6(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; 40];
    bytes[0] = 0x60;
    bytes[4..6].copy_from_slice(&u16::try_from(payload.len()).unwrap_or(u16::MAX).to_be_bytes());
    bytes[6] = first;
    bytes.extend(payload);
    bytes
}

#[test]
fn every_truncation_of_valid_frames_is_counted_as_the_model_says() {
    for frame in valid_frames().iter().step_by(if cfg!(miri) { 24 } else { 1 }) {
        facts_only_grow(frame);
        for length in (0..=frame.len()).step_by(if cfg!(miri) { 7 } else { 1 }) {
            // A copy of its own, so that Miri and the sanitizers see every byte read beyond it.
            property::holds(&frame[..length]);
        }
    }
}

#[test]
fn the_valid_frames_reach_every_sound_outcome() {
    let frames = valid_frames();
    let outcomes: std::collections::BTreeSet<_> = frames.iter().map(|frame| facts(frame).0).collect();
    assert_eq!(outcomes.len(), 9, "{outcomes:?}");
}
