//! The records of a segment, whatever became of its bytes.

use super::record::{Entry, MARKER, Place, Position, SEGMENT_HEADER, Unread, decode};

/// Bytes that are no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    pub offset: u64,
    pub length: u64,
    /// The beginning of a record, at the segment's end: normal after a crash.
    pub torn: bool,
}

/// Reads all records of a segment from its bytes. Behind bytes that are no record it goes on at the next sync marker
/// that begins one.
pub fn scan<'bytes>(
    segment: u64,
    bytes: &'bytes [u8],
    mut found: impl FnMut(Entry<'bytes>, Place),
) -> Vec<Gap> {
    let mut gaps: Vec<Gap> = Vec::new();
    let mut offset = SEGMENT_HEADER as usize;
    // Where the record that cannot be read begins.
    let mut unread: Option<(usize, Unread)> = None;
    let gap = |from: usize, to: usize, torn| Gap { offset: from as u64, length: (to - from) as u64, torn };
    while offset < bytes.len() {
        let rest = &bytes[offset..];
        match decode(Position { segment, offset: offset as u64 }, rest) {
            Ok((entry, place)) => {
                if let Some((from, _)) = unread.take() {
                    gaps.push(gap(from, offset, false));
                }
                found(entry, place);
                offset += place.length as usize;
            }
            Err(why) => {
                unread = unread.or(Some((offset, why)));
                let next = rest[1..].windows(MARKER.len()).position(|window| window == MARKER);
                offset += 1 + next.unwrap_or(rest.len() - 1);
            }
        }
    }
    if let Some((from, why)) = unread {
        gaps.push(gap(from, bytes.len(), why == Unread::Torn));
    }
    gaps
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spool::record::{Mark, Record, Series, segment_header};
    use wire::Name;

    fn segment_of_marks(number: u64, count: u64) -> Vec<u8> {
        let mut bytes = segment_header(Series::Counts, number);
        for sequence in 0..count {
            let at = Position { segment: number, offset: bytes.len() as u64 };
            bytes.extend(Record::Mark(Mark::Stored(Name::one(7, sequence))).encode(at).0);
        }
        bytes
    }

    fn sequences(number: u64, bytes: &[u8]) -> (Vec<u64>, Vec<Gap>) {
        let mut sequences = Vec::new();
        let gaps = scan(number, bytes, |entry, _| match entry {
            Entry::Mark(Mark::Stored(name)) => sequences.push(name.first),
            other => panic!("{other:?}"),
        });
        (sequences, gaps)
    }

    #[test]
    fn every_flipped_bit_costs_one_record_and_no_other() {
        let whole = segment_of_marks(3, 4);
        for bit in SEGMENT_HEADER as usize * 8..whole.len() * 8 {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let hit = (bit / 8 - SEGMENT_HEADER as usize) as u64 / 44;
            let expected: Vec<u64> = (0..4).filter(|sequence| *sequence != hit).collect();
            let (sequences, gaps) = sequences(3, &bytes);
            assert_eq!(sequences, expected, "bit {bit}");
            assert_eq!((gaps.len(), gaps[0].offset, gaps[0].length), (1, SEGMENT_HEADER + hit * 44, 44));
        }
    }

    #[test]
    fn a_torn_tail_is_told_from_damage() {
        let whole = segment_of_marks(3, 2);
        for length in whole.len() - 43..whole.len() {
            let (sequences, gaps) = sequences(3, &whole[..length]);
            assert_eq!(sequences, [0]);
            assert_eq!(gaps, [Gap { offset: 68, length: length as u64 - 68, torn: true }]);
        }
        let mut zeros = whole[..68].to_vec();
        zeros.resize(100, 0);
        assert_eq!(sequences(3, &zeros).1, [Gap { offset: 68, length: 32, torn: false }]);
    }

    #[test]
    fn a_record_somewhere_else_is_none() {
        let other = segment_of_marks(4, 1);
        let mut bytes = segment_of_marks(3, 1);
        bytes.extend(&other[SEGMENT_HEADER as usize..]);
        let (sequences, gaps) = sequences(3, &bytes);
        assert_eq!((sequences.len(), gaps.len()), (1, 1));
    }
}
