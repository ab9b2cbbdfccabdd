use proptest::prelude::*;
use sensor_ebpf::abi::TrafficClass;
use wire::Name;

use super::*;
use crate::intake::unix_nanoseconds;
use crate::testing::{MINUTE, SECOND, Sample};

fn validator() -> Validator {
    let rules = crate::config::Options::default().resolve().unwrap().rules;
    Validator::new(rules, Arc::new(InMemory::default()))
}

fn read(sample: &Sample) -> Result<Batch, Refusal> {
    validator().read(&sample.bytes(), Some("tokyo-1"), unix_nanoseconds())
}

/// The word of a refusal that this change brings about.
fn refused(change: impl FnOnce(&mut Sample)) -> Word {
    let mut sample = Sample::new("tokyo-1", 5);
    assert!(read(&sample).is_ok());
    change(&mut sample);
    let refusal = read(&sample).unwrap_err();
    let text = crate::one_line(&refusal);
    assert!(text.contains("sensor") && text.len() > 40, "{text}");
    refusal.fault.word()
}

#[test]
fn a_good_batch_passes_with_its_flows_and_without() {
    let sample = Sample::new("tokyo-1", 1);
    let batch = read(&sample).unwrap();
    assert_eq!(batch.header, sample.header);
    let without = validator().read(&sample.counts().into(), Some("tokyo-1"), unix_nanoseconds()).unwrap();
    assert!(!without.has_flows());
}

#[test]
fn names() {
    assert_eq!(refused(|sample| sample.header.sensor = "osaka-1".into()), Word::Foreign);
    assert_eq!(refused(|sample| sample.header.sensor = "tokyo/1".into()), Word::Sensor);
    assert_eq!(refused(|sample| sample.header.sensor = String::new()), Word::Sensor);
}

#[test]
fn headers_that_contradict_themselves() {
    assert_eq!(refused(|sample| sample.header.first = 0), Word::Header);
    assert_eq!(refused(|sample| sample.header.last = 4), Word::Header);
    assert_eq!(refused(|sample| sample.header.digests = None), Word::Header);
    assert_eq!(refused(|sample| sample.header.flows = None), Word::Header);
    assert_eq!(refused(|sample| sample.header.program_version = "x".repeat(1000)), Word::Header);
}

#[test]
fn words_that_move_a_cursor() {
    assert_eq!(refused(|sample| sample.header.program_version = "0.1\u{1b}[2J".into()), Word::Header);
    assert_eq!(refused(|sample| sample.header.breaches = vec!["a".into(), "b\nc".into()]), Word::Header);
    assert_eq!(refused(|sample| sample.header.breaches = vec!["\u{202e}".into()]), Word::Header);
    assert_eq!(refused(|sample| sample.header.sensor = "tokyo\u{7}1".into()), Word::Sensor);
}

#[test]
fn figures_that_no_sensor_can_have_seen() {
    const MOST: u64 = 1 << 53;
    assert_eq!(refused(|sample| sample.header.observed_ipv4 = MOST + 1), Word::Header);
    assert_eq!(refused(|sample| sample.header.ring_records = u64::MAX), Word::Header);
    assert_eq!(refused(|sample| sample.totals.counters_mut().bytes = MOST + 1), Word::Header);
    assert_eq!(
        refused(|sample| sample.header.flows.as_mut().unwrap().overflow_packets = MOST + 1),
        Word::Header
    );
    assert_eq!(refused(|sample| sample.header.digests.as_mut().unwrap().off = MOST + 1), Word::Header);
    let mut most = Sample::new("tokyo-1", 5);
    most.header.observed_ipv4 = MOST;
    most.totals.counters_mut().bytes = MOST;
    assert!(read(&most).is_ok());
}

#[test]
fn flows_of_more_than_their_packets_have() {
    assert_eq!(refused(|sample| sample.rows[0].bytes = 3 * 65_575 + 1), Word::Flows);
    assert_eq!(refused(|sample| sample.rows[0].bytes = u64::MAX), Word::Flows);
    assert_eq!(refused(|sample| sample.rows[0].targets = 4), Word::Flows);
    let at_least = |sample: &mut Sample| {
        (sample.rows[0].targets, sample.rows[0].targets_counted) = (4, wire::Counted::AtLeast);
    };
    assert_eq!(refused(at_least), Word::Flows);
    let estimated = |targets: u64| {
        move |sample: &mut Sample| {
            (sample.rows[0].targets, sample.rows[0].targets_counted) = (targets, wire::Counted::Estimated);
        }
    };
    assert_eq!(refused(estimated(u64::MAX)), Word::Flows);
    let mut most = Sample::new("tokyo-1", 5);
    (most.rows[0].bytes, most.rows[0].targets) = (3 * 65_575, 3);
    estimated(4)(&mut most);
    assert!(read(&most).is_ok(), "an estimate may be too high");
}

/// Who has stored one thing.
struct Has(&'static str, Name, [u8; 32]);

impl KnownIntervals for Has {
    fn neighbours(&self, _sensor: &str, _name: Name) -> Neighbours {
        Neighbours::default()
    }

    fn is_stored(&self, sensor: &str, name: Name, counts_hash: &[u8; 32]) -> bool {
        (sensor, name, counts_hash) == (self.0, self.1, &self.2)
    }
}

#[test]
fn what_is_stored_is_so_whatever_is_wrong_with_it_but_not_for_another_sensor() {
    let mut old = Sample::new("tokyo-1", 5);
    (old.header.start, old.header.end) = (SECOND, 2 * SECOND);
    let has = Has("tokyo-1", old.header.name(), counts_hash(&old.counts()));
    let rules = crate::config::Options::default().resolve().unwrap().rules;
    let validator = Validator::new(rules, Arc::new(has));
    let is_stored = |bytes: Bytes, certified: &str| {
        let refusal = validator.read(&bytes, Some(certified), unix_nanoseconds()).unwrap_err();
        validator.is_stored(&bytes, &refusal)
    };
    assert!(is_stored(old.bytes(), "tokyo-1"));
    assert!(is_stored(old.counts().into(), "tokyo-1"), "its flows are gone by now");
    assert!(!is_stored(old.bytes(), "osaka-1"), "the certificate is another's");
    assert!(!is_stored(Bytes::from_static(b"garbage"), "tokyo-1"));
    old.header.program_version = "0.2.0".into();
    assert!(!is_stored(old.bytes(), "tokyo-1"), "another batch of the same name");
}

#[test]
fn broken_laws_are_refused_unless_the_interval_says_so() {
    let break_one = |sample: &mut Sample| sample.totals.counters_mut().packets += 1;
    assert_eq!(refused(break_one), Word::Conservation);
    let mut sample = Sample::new("tokyo-1", 5);
    break_one(&mut sample);
    sample.header.breaches = vec!["packets is 31, but the sum of outcomes is 30".into()];
    assert!(read(&sample).is_ok());
}

#[test]
fn flows_that_are_not_what_is_said_of_them() {
    assert_eq!(refused(|sample| sample.rows.truncate(9)), Word::Flows);
    assert_eq!(refused(|sample| sample.rows[0].packets += 1), Word::Flows);
    // As many packets in as many flows, and to another port than was counted.
    assert_eq!(refused(|sample| sample.rows[0].port = Some(24)), Word::Flows);
    assert_eq!(refused(|sample| sample.rows[0].class = TrafficClass::Other), Word::Flows);
    assert_eq!(refused(|sample| sample.header.flows.as_mut().unwrap().packets -= 1), Word::Flows);
    assert_eq!(refused(|sample| sample.totals.counters_mut().digests[1] += 1), Word::Flows);
    assert_eq!(refused(|sample| sample.header.digests.as_mut().unwrap().unread.ipv4 = 1), Word::Flows);
    assert_eq!(refused(|sample| sample.header.digests.as_mut().unwrap().off = 1), Word::Flows);
    assert_eq!(refused(|sample| sample.rows[0].packets = u64::MAX), Word::Flows);
}

#[test]
fn missing_flows_may_be_missing() {
    let mut sample = Sample::new("tokyo-1", 5);
    // One digest of thirty was lost, that of a packet of the first source.
    sample.rows[0].packets -= 1;
    sample.header.flows.as_mut().unwrap().packets -= 1;
    let digests = sample.header.digests.as_mut().unwrap();
    (digests.written.ipv4, digests.lost.ipv4) = (29, 1);
    let counters = sample.totals.counters_mut();
    (counters.digests[0], counters.digests_lost[0]) = (29, 1);
    assert!(read(&sample).is_ok());
}

#[test]
fn times_that_cannot_be() {
    const DAY: u64 = 24 * 60 * MINUTE;
    let shift = |nanoseconds: i64| {
        move |sample: &mut Sample| {
            let header = &mut sample.header;
            for time in [&mut header.epoch, &mut header.start, &mut header.end] {
                *time = time.saturating_add_signed(nanoseconds);
            }
            for row in &mut sample.rows {
                row.first_seen = row.first_seen.saturating_add_signed(nanoseconds);
                row.last_seen = row.last_seen.saturating_add_signed(nanoseconds);
            }
        }
    };
    assert_eq!(refused(shift(3650 * DAY.cast_signed())), Word::Time);
    assert_eq!(refused(shift(-3650 * DAY.cast_signed())), Word::Time);
    assert_eq!(refused(shift(i64::MIN)), Word::Time, "a clock at zero");
    assert_eq!(refused(|sample| sample.header.start = sample.header.end + 1), Word::Time);
    assert_eq!(refused(|sample| sample.rows[3].last_seen += 2 * DAY), Word::Time);
    assert_eq!(refused(|sample| sample.rows[3].first_seen -= 2 * DAY), Word::Time);
    let mut and_back = Sample::new("tokyo-1", 5);
    and_back.rows[3].last_seen += 23 * 60 * MINUTE;
    and_back.rows[4].first_seen -= 23 * 60 * MINUTE;
    assert!(read(&and_back).is_ok(), "a clock that was set forward and back within the interval");
    let longer = |sample: &mut Sample| {
        sample.header.start -= 367 * DAY;
        sample.header.epoch = sample.header.start;
    };
    assert_eq!(refused(longer), Word::Time);
    let mut merged = Sample::new("tokyo-1", 5);
    longer(&mut merged);
    (merged.header.first, merged.header.last) = (5, 6);
    assert!(read(&merged).is_ok(), "of two intervals it is not too long");
    let mut set_back = Sample::new("tokyo-1", 5);
    set_back.header.epoch = set_back.header.start + DAY;
    assert!(read(&set_back).is_ok(), "an epoch is a name, by a clock that was set back since");
}

#[test]
fn times_are_taken_as_they_are_where_a_person_says_so() {
    let mut rules = crate::config::Options::default().resolve().unwrap().rules;
    rules.trust_times = true;
    let validator = Validator::new(rules, Arc::new(InMemory::default()));
    let mut sample = Sample::new("tokyo-1", 5);
    (sample.header.start, sample.header.end) = (SECOND, 2 * SECOND);
    assert!(validator.read(&sample.bytes(), None, unix_nanoseconds()).is_ok());
    sample.totals.counters_mut().packets += 1;
    let refusal = validator.read(&sample.bytes(), None, unix_nanoseconds()).unwrap_err();
    assert_eq!(refusal.fault.word(), Word::Conservation, "times alone are trusted");
}

#[test]
fn neighbours_come_in_any_order_but_not_at_each_others_times() {
    let validator = validator();
    let read = |sample: &Sample| {
        let read = validator.read(&sample.bytes(), Some("tokyo-1"), unix_nanoseconds());
        read.inspect(|batch| validator.known().note("tokyo-1", Span::from(&batch.header)))
    };
    let [first, second, mut third] = [1, 2, 3].map(|sequence| Sample::new("tokyo-1", sequence));
    assert!(read(&second).is_ok());
    assert!(read(&first).is_ok());
    // The clock was set back by ten minutes.
    for time in [&mut third.header.start, &mut third.header.end] {
        *time -= 10 * MINUTE;
    }
    third.rows.clear();
    let said = third.header.flows.take();
    let refusal = validator.read(&third.counts().into(), Some("tokyo-1"), unix_nanoseconds());
    assert_eq!(refusal.unwrap_err().fault.word(), Word::Header);
    third.header.flows = said;
    let refusal = validator.read(&third.counts().into(), Some("tokyo-1"), unix_nanoseconds()).unwrap_err();
    assert_eq!(refusal.fault.word(), Word::Order);
    third.header.clock_step = -10 * (MINUTE.cast_signed());
    let read = validator.read(&third.counts().into(), Some("tokyo-1"), unix_nanoseconds());
    assert!(read.is_ok(), "where it says so, it may");
}

#[test]
fn a_bomb_is_not_lit() {
    let bomb = Sample::new("tokyo-1", 1).bomb();
    let refusal = validator().read(&bomb, Some("tokyo-1"), unix_nanoseconds()).unwrap_err();
    assert!(matches!(refusal.fault, Fault::Malformed(WireError::Bomb { .. })), "{refusal}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_are_refused(bytes: Vec<u8>) {
        let refusal = validator().read_unguarded(&bytes.into(), None, unix_nanoseconds()).unwrap_err();
        prop_assert_eq!(refusal.fault.word(), Word::Malformed);
    }

    /// Not by way of the guard: there is nothing for it to catch.
    #[test]
    fn a_good_batch_with_faults_is_read_or_refused_without_a_panic(
        faults in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = Sample::new("tokyo-1", 1).bytes().to_vec();
        for (place, value) in faults {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        drop(validator().read_unguarded(&bytes.into(), Some("tokyo-1"), unix_nanoseconds()));
    }

    #[test]
    fn any_figures_are_judged_without_a_panic(
        times: [u64; 3], sequences: [u64; 2], step: i64, figures: [u64; 7], flows: [u64; 4], counts: [u64; 8],
        packets: u64,
    ) {
        let mut sample = Sample::new("tokyo-1", 1);
        let header = &mut sample.header;
        let times = times.map(|time| time >> 1);
        (header.epoch, header.start, header.end) = (times[0], times[1], times[2]);
        (header.first, header.last, header.clock_step) = (sequences[0], sequences[1], step);
        header.digests = Some(wire::law::Digests::from_figures(figures));
        let [rows, of_rows, overflow_rows, overflow_packets] = flows;
        header.flows = Some(wire::FlowsHeader {
            rows, packets: of_rows, overflow_rows, overflow_packets, ..wire::FlowsHeader::default()
        });
        sample.rows[0].packets = packets.max(1);
        let counters = sample.totals.counters_mut();
        counters.outcomes[..4].copy_from_slice(&counts[..4]);
        counters.ip_protocols[..4].copy_from_slice(&counts[4..]);
        for trust_times in [false, true] {
            let mut validator = validator();
            validator.rules.trust_times = trust_times;
            drop(validator.read_unguarded(&sample.bytes(), None, unix_nanoseconds()));
            sample.header.breaches = vec!["all of them".into()];
        }
    }
}
