use std::sync::atomic::AtomicBool;
use std::thread;

use sensor_ebpf::digest::Ipv4Digest;
use sensor_ebpf::ring::RingPositions;

use super::*;

const WORDS: usize = size_of::<Ipv4Digest>() / size_of::<u64>();

/// A ring in plain memory. Its writer never waits for a reader, as where the agent drains at once.
struct Memory {
    positions: Box<RingPositions>,
    records: Vec<Ipv4Digest>,
}

#[derive(Clone, Copy)]
struct Writer {
    head: *const AtomicU64,
    records: *const [AtomicU64; WORDS],
    capacity: u64,
}

// SAFETY: both are memory of atomics, which outlives the threads of a scope.
unsafe impl Send for Writer {}

impl Memory {
    fn new(capacity: usize) -> Self {
        let positions =
            RingPositions { heads: [0; 2], spare: [0; 6], tails: [0; 2], spare_of_consumer: [0; 6] };
        Self { positions: Box::new(positions), records: vec![Ipv4Digest::default(); capacity] }
    }

    fn both_ends(&mut self) -> (Ring<'_, Ipv4Digest>, Writer) {
        let (records, capacity) = (self.records.as_mut_ptr(), self.records.len() as u64);
        let positions = &raw mut *self.positions;
        // SAFETY: the boxed positions, which live as long as this memory.
        let head = unsafe { (&raw const (*positions).heads).cast() };
        // SAFETY: both live as long as this memory.
        let ring = unsafe { Ring::in_memory(positions, records, capacity) };
        (ring, Writer { head, records: records.cast(), capacity })
    }
}

impl Writer {
    /// Writes the next record, every word of which tells its position, as the program on a machine does whose
    /// stores have no order: with an exchange for the head.
    fn write(self) {
        // SAFETY: live memory of atomics, and a place within the ring.
        unsafe {
            let head = (*self.head).load(Ordering::Relaxed);
            let record = &*self.records.add(usize::try_from(head & (self.capacity - 1)).unwrap());
            record.iter().for_each(|word| word.store(head, Ordering::Relaxed));
            (*self.head).swap(head + 1, Ordering::AcqRel);
        }
    }

    fn write_many(self, records: u64) {
        (0..records).for_each(|_| self.write());
    }
}

/// The position that a record tells, where it is whole.
fn position(record: &Ipv4Digest) -> Option<u64> {
    // SAFETY: a digest is as many words, all of them integers.
    let words: [u64; WORDS] = unsafe { std::mem::transmute(*record) };
    words.iter().all(|word| *word == words[0]).then_some(words[0])
}

fn positions(copies: &[Ipv4Digest]) -> Vec<u64> {
    copies.iter().map(|copy| position(copy).unwrap()).collect()
}

#[test]
fn what_came_since_the_last_look_is_seen_once_and_stays_for_the_agent() {
    let mut memory = Memory::new(64);
    let (mut ring, writer) = memory.both_ends();
    let mut copies = Vec::new();
    writer.write_many(10);
    assert_eq!(ring.peek(0, 1_000, &mut copies), Peeked { next: 10, missed: 0 });
    assert_eq!(positions(&copies), (0..10).collect::<Vec<_>>());
    assert_eq!((ring.waiting(), ring.newest()), (10, 10));
    // The agent's reading hides nothing.
    writer.write_many(5);
    assert_eq!(ring.drain(100, |_| ()), 15);
    assert_eq!(ring.peek(10, 1_000, &mut copies), Peeked { next: 15, missed: 0 });
    assert_eq!(positions(&copies), (10..15).collect::<Vec<_>>());
    assert_eq!(ring.peek(15, 1_000, &mut copies), Peeked { next: 15, missed: 0 });
    assert!(copies.is_empty());
}

#[test]
fn of_too_many_the_newest_are_seen_and_the_others_are_missed() {
    let mut memory = Memory::new(64);
    let (ring, writer) = memory.both_ends();
    let mut copies = Vec::new();
    writer.write_many(50);
    assert_eq!(ring.peek(0, 20, &mut copies), Peeked { next: 50, missed: 30 });
    assert_eq!(positions(&copies), (30..50).collect::<Vec<_>>());
    // All but an eighth of the ring at most.
    writer.write_many(1_000);
    assert_eq!(ring.peek(50, u64::MAX, &mut copies), Peeked { next: 1_050, missed: 944 });
    assert_eq!(positions(&copies), (994..1_050).collect::<Vec<_>>());
}

#[test]
fn copies_that_are_written_over_meanwhile_are_missed() {
    for (meanwhile, good) in [(0, 994), (8, 995), (20, 1_007), (63, 1_050), (1_000, 1_050)] {
        let mut memory = Memory::new(64);
        let (ring, writer) = memory.both_ends();
        let mut copies = Vec::new();
        writer.write_many(1_050);
        let peeked = ring.peek_meanwhile(900, u64::MAX, &mut copies, || writer.write_many(meanwhile));
        assert_eq!(peeked, Peeked { next: 1_050, missed: good - 900 }, "{meanwhile}");
        assert_eq!(positions(&copies), (good..1_050).collect::<Vec<_>>(), "{meanwhile}");
    }
}

#[test]
fn a_ring_that_began_anew_is_looked_at_from_where_it_is() {
    let mut memory = Memory::new(64);
    let (ring, writer) = memory.both_ends();
    writer.write_many(3);
    assert_eq!(ring.peek(500, 10, &mut Vec::new()), Peeked { next: 3, missed: 0 });
}

/// The writer is as fast as it can be, in a ring that it goes round thousands of times.
#[test]
fn no_torn_record_is_ever_given_while_another_thread_writes() {
    const RECORDS: u64 = if cfg!(miri) { 2_000 } else { 4_000_000 };
    let mut memory = Memory::new(256);
    let (ring, writer) = memory.both_ends();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let done = &done;
        scope.spawn(move || {
            // The whole of it, and not its pointers, which are not `Send`.
            let writer: Writer = writer;
            for record in 0..RECORDS {
                writer.write();
                // So that on a single CPU, too, a look falls into the midst.
                if record % 1_024 == 0 {
                    thread::yield_now();
                }
            }
            done.store(true, Ordering::Release);
        });
        let (mut next, mut seen, mut missed) = (0, 0, 0);
        let mut copies = Vec::new();
        loop {
            let last = done.load(Ordering::Acquire);
            let peeked = ring.peek(next, u64::MAX, &mut copies);
            for (copy, expected) in copies.iter().zip(peeked.next - copies.len() as u64..) {
                assert_eq!(position(copy), Some(expected), "torn, or another record's");
            }
            assert_eq!(peeked.missed + copies.len() as u64, peeked.next - next, "not each seen or missed");
            (next, seen, missed) = (peeked.next, seen + copies.len() as u64, missed + peeked.missed);
            if last {
                break;
            }
        }
        assert_eq!(seen + missed, RECORDS);
        assert!(seen > 0, "nothing was ever seen");
    });
}
