//! What is known of the intervals is what counting them anew would tell.

use proptest::prelude::*;

use super::super::record::Position;
use super::*;

fn living(sequence: u64, end: u64, length: u32, attempted: bool) -> Living {
    let name = Name::one(1, sequence);
    let head = Head { name, end, flow_rows: 0, flow_packets: 0, flows: None };
    let place = Place { at: Position { segment: 1, offset: 24 }, length, crc: 0 };
    Living { head, place, attempted, released: true }
}

proptest! {
    #[test]
    fn sums_are_those_of_what_is_here(
        steps in prop::collection::vec((0..3_u8, 0..20_u64, 0..9_u64, 0..9_u32, any::<bool>()), 0..80),
        time in 0..10_u64,
    ) {
        let mut intervals = Intervals::default();
        for (step, sequence, end, length, attempted) in steps {
            match step {
                0 => { intervals.take(&Name::one(1, sequence)); }
                1 => intervals.attempt(&Name::one(1, sequence)),
                _ => intervals.insert(living(sequence, end, length, attempted)),
            }
            let all: Vec<Living> = intervals.iter().cloned().collect();
            prop_assert_eq!(intervals.len(), all.len() as u64);
            prop_assert_eq!(intervals.attempted(), all.iter().filter(|living| living.attempted).count() as u64);
            prop_assert_eq!(intervals.oldest_end(), all.iter().map(|living| living.head.end).min());
            prop_assert_eq!(intervals.newest_end(), all.iter().map(|living| living.head.end).max());
            prop_assert_eq!(intervals.longest(), all.iter().map(|living| u64::from(living.place.length)).max().unwrap_or(0));
            let before: Vec<Name> = all.iter().filter(|living| living.head.end < time).map(|living| living.head.name).collect();
            let found: Vec<Name> = intervals.ended_before(time).iter().map(|living| living.head.name).collect();
            prop_assert_eq!(found, before);
        }
    }
}
