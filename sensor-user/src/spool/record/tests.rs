use proptest::prelude::*;

use super::*;

const AT: Position = Position { segment: 3, offset: 24 };

fn head(flows: Option<Place>) -> Head {
    Head { name: Name { epoch: 1, first: 2, last: 3 }, end: 4, flow_rows: 5, flow_packets: 6, flows }
}

/// The documented bytes, so that no change of the format goes unnoticed.
#[test]
fn records_are_as_documented() {
    let place = Place { at: Position { segment: 7, offset: 8 }, length: 9, crc: 10 };
    let head = head(Some(place));
    let (bytes, crc) = Record::Interval(&head, b"counts").encode(AT);
    let mut expected = vec![0xa9, 0x41, 0x50, 0x55, 0x53, 0x9d, 0x0d, 0x0a, 1, 0, 0, 0, 78, 0, 0, 0];
    expected.extend(crc.to_le_bytes());
    (1..=8_u64).for_each(|number| expected.extend(number.to_le_bytes()));
    expected.extend([9, 0, 0, 0, 10, 0, 0, 0]);
    expected.extend(b"counts");
    assert_eq!(bytes, expected);

    let mut summed = 3_u64.to_le_bytes().to_vec();
    summed.extend(24_u64.to_le_bytes());
    summed.extend(&bytes[..16]);
    summed.extend(&bytes[20..]);
    assert_eq!(crc, crc32fast::hash(&summed));

    let (bytes, _) = Record::Mark(Mark::Void(Position { segment: 5, offset: 6 })).encode(AT);
    assert_eq!((bytes[8], bytes.len(), bytes[20], bytes[28]), (4, 36, 5, 6));
    let header = segment_header(Series::Flows, 258);
    assert_eq!(header[..20], *b"APUSSPL\n\x01\x00\x02\x00\x02\x01\x00\x00\x00\x00\x00\x00");
    assert_eq!(header.len() as u64, SEGMENT_HEADER);
}

#[test]
fn file_names_are_ours_only_as_we_write_them() {
    assert_eq!(Series::Counts.file(12), "counts-0000000012.segment");
    assert_eq!(Series::of_file("flows-0000000007.segment"), Some((Series::Flows, 7)));
    assert_eq!(Series::of_file(&Series::Flows.file(u64::MAX)), Some((Series::Flows, u64::MAX)));
    for other in ["counts-12.segment", "counts-+000000012.segment", "counts-0000000012.segment~", "other"] {
        assert_eq!(Series::of_file(other), None, "{other}");
    }
}

#[test]
fn a_version_is_told_from_damage_and_from_another_file() {
    let read = |bytes: &[u8]| read_segment_header(Series::Counts, 5, bytes);
    let whole = segment_header(Series::Counts, 5);
    assert_eq!(read(&whole), Header::Ours);
    (0..24).for_each(|length| assert_eq!(read(&whole[..length]), Header::Torn));
    assert_eq!(read(&segment_header(Series::Counts, 6)), Header::Other);
    assert_eq!(read(&segment_header(Series::Flows, 5)), Header::Other);
    for bit in 0..24 * 8 {
        let mut damaged = whole.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(read(&damaged), Header::Damaged, "bit {bit}");
    }
    let mut newer = whole;
    newer[8] = 2;
    let crc = crc32fast::hash(&newer[..20]);
    newer[20..].copy_from_slice(&crc.to_le_bytes());
    assert_eq!(read(&newer), Header::Version(2));
}

proptest! {
    #[test]
    fn what_is_written_is_read(first in any::<u64>(), width in 0..5_u64, payload in any::<Vec<u8>>(), has_flows: bool, kind in 0..5_usize) {
        let name = Name { epoch: 9, first, last: first.saturating_add(width) };
        let place = Place { at: AT, length: 1, crc: 2 };
        let head = Head { name, ..head(has_flows.then_some(place)) };
        let mark = [Mark::Attempted(name), Mark::Stored(name), Mark::Void(AT)].get(kind).copied();
        let record = match (mark, kind) {
            (Some(mark), _) => Record::Mark(mark),
            (None, 3) => Record::Interval(&head, &payload),
            _ => Record::Flows(name, &payload),
        };
        let (bytes, crc) = record.encode(AT);
        prop_assert_eq!(record.length(), bytes.len() as u64);
        let expected = match record {
            Record::Mark(mark) => Entry::Mark(mark),
            Record::Interval(head, payload) => Entry::Interval(*head, payload),
            Record::Flows(name, payload) => Entry::Flows(name, payload),
        };
        let place = Place { at: AT, length: bytes.len() as u32, crc };
        prop_assert_eq!(decode(AT, &bytes), Ok((expected, place)));
        let elsewhere = Position { offset: 25, ..AT };
        prop_assert_eq!(decode(elsewhere, &bytes), Err(Unread::Damaged));
    }

    #[test]
    fn no_bytes_are_too_strange(bytes in any::<Vec<u8>>(), marked: bool) {
        let mut record = if marked { MARKER.to_vec() } else { Vec::new() };
        record.extend(bytes);
        let _no_panic = decode(AT, &record);
    }
}
