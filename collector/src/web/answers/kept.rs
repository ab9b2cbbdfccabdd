//! What is kept, and what waits: who looked for it when, and what goes first.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Entry;
use crate::web::topics::{Key, Weight};

/// Bytes of answers that are kept, as far as they can be told: those that were looked at last.
const MOST_BYTES: usize = 64 << 20;
/// Questions of one lane that wait at most: whose answers are wanted still, are asked for again.
const MOST_WAITING: usize = 64;
/// What nobody has looked for since is not asked any more: whoever waits, looks every few seconds.
const ABANDONED: Duration = Duration::from_secs(30);

/// The answers, and the questions that wait.
#[derive(Default)]
pub struct Kept {
    entries: HashMap<Key, Held>,
    bytes: usize,
    /// Waiting in a lane, or being asked: when somebody looked for it last.
    wanted: HashMap<Key, Instant>,
    lanes: [VecDeque<Key>; Weight::ALL.len()],
    looks: u64,
}

struct Held {
    entry: Arc<Entry>,
    bytes: usize,
    looked: u64,
}

impl Kept {
    /// What is known of a key. Where nothing is, or it is stale, it waits in its lane from here on.
    pub fn look(
        &mut self,
        key: &Key,
        is_stale: impl FnOnce(&Entry) -> bool,
        now: Instant,
    ) -> Option<Arc<Entry>> {
        self.looks += 1;
        let looks = self.looks;
        let entry = self.entries.get_mut(key).map(|held| {
            held.looked = looks;
            Arc::clone(&held.entry)
        });
        if let Some(wanted) = self.wanted.get_mut(key) {
            *wanted = now;
        } else if entry.as_deref().is_none_or(is_stale) {
            self.wanted.insert(key.clone(), now);
            let lane = &mut self.lanes[key.weight() as usize];
            lane.push_back(key.clone());
            let dropped = if lane.len() > MOST_WAITING { lane.pop_front() } else { None };
            if let Some(dropped) = dropped {
                self.wanted.remove(&dropped);
            }
        }
        entry
    }

    pub fn has_work(&self, weight: Weight) -> bool {
        !self.lanes[weight as usize].is_empty()
    }

    /// The next question of a lane that somebody still waits for.
    pub fn pop(&mut self, weight: Weight, now: Instant) -> Option<Key> {
        while let Some(key) = self.lanes[weight as usize].pop_front() {
            let looked = self.wanted.get(&key);
            if looked.is_some_and(|looked| now.saturating_duration_since(*looked) < ABANDONED) {
                return Some(key);
            }
            self.wanted.remove(&key);
        }
        None
    }

    /// Keeps what became of a key. Where it could not be answered, what was known of it before stays.
    pub fn keep(&mut self, key: Key, mut entry: Entry) {
        self.wanted.remove(&key);
        let before = self.entries.remove(&key);
        if let Some(before) = &before {
            self.bytes -= before.bytes;
            if let (Err(error), Ok(known)) = (&entry.asked, &before.entry.asked) {
                entry.failed = Some(error.clone());
                entry.asked = Ok(Arc::clone(known));
                (entry.at, entry.span) = (before.entry.at, before.entry.span);
            }
        }
        let bytes = entry.bytes();
        self.bytes += bytes;
        let looked = before.map_or(self.looks, |before| before.looked);
        self.entries.insert(key, Held { entry: Arc::new(entry), bytes, looked });
        while self.bytes > MOST_BYTES && self.entries.len() > 1 {
            let oldest = self.entries.iter().min_by_key(|(_, held)| held.looked).map(|(key, _)| key.clone());
            let Some(held) = oldest.and_then(|key| self.entries.remove(&key)) else { break };
            self.bytes -= held.bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Answer, Day, Facet, Span, Value};
    use crate::web::look::{Period, View};
    use crate::web::topics::{Asked, Topic};

    fn key(sensor: &str) -> Key {
        let view = View { period: Period::Quarter, sensor: Some(sensor.into()), ..View::default() };
        Key::new(Topic::Packets(Facet::Service), &view)
    }

    fn entry(asked: Result<usize, &str>) -> Entry {
        let asked = asked.map_err(str::to_owned).map(|bytes| {
            let row = vec![Value::Text("x".repeat(bytes))];
            let answer = Answer { rows: vec![row], ..Answer::default() };
            Arc::from([Asked { id: "ranking", sql: String::new(), answer }])
        });
        Entry {
            asked,
            failed: None,
            at: 7,
            span: Span::Days(Day(1), Day(2)),
            asked_at: Instant::now(),
            took: Duration::ZERO,
            generation: 0,
        }
    }

    #[test]
    fn what_nobody_looks_for_any_more_is_not_asked() {
        let mut kept = Kept::default();
        let begin = Instant::now();
        let (left, waited_for) = (key("left"), key("waited for"));
        for key in [&left, &waited_for] {
            assert!(kept.look(key, |_| false, begin).is_none());
        }
        // Somebody's page is open still, and looks every ten seconds.
        for seconds in [10, 20, 30] {
            kept.look(&waited_for, |_| false, begin + Duration::from_secs(seconds));
        }
        let later = begin + ABANDONED + Duration::from_secs(5);
        assert_eq!(kept.pop(Weight::Heavy, later).as_ref(), Some(&waited_for));
        assert_eq!(kept.pop(Weight::Heavy, later), None);
        // Who comes back has it asked.
        kept.look(&left, |_| false, later);
        assert_eq!(kept.pop(Weight::Heavy, later), Some(left));
    }

    #[test]
    fn a_question_waits_once_and_those_that_wait_are_few() {
        let mut kept = Kept::default();
        let now = Instant::now();
        for _ in 0..2 {
            kept.look(&key("one"), |_| false, now);
        }
        assert_eq!(kept.pop(Weight::Heavy, now), Some(key("one")));
        // It is being asked.
        kept.look(&key("one"), |_| false, now);
        assert!(!kept.has_work(Weight::Heavy));
        for number in 0..MOST_WAITING + 10 {
            kept.look(&key(&number.to_string()), |_| false, now);
        }
        assert_eq!(kept.pop(Weight::Heavy, now), Some(key("10")));
        assert_eq!(kept.wanted.len(), MOST_WAITING + 1);
    }

    #[test]
    fn an_answer_outlives_a_failure() {
        let mut kept = Kept::default();
        let look = |kept: &mut Kept| kept.look(&key("a"), |_| false, Instant::now()).unwrap();
        kept.keep(key("a"), entry(Err("no disk")));
        assert!(look(&mut kept).asked.is_err());
        kept.keep(key("a"), entry(Ok(3)));
        let later = Entry { at: 9, span: Span::Days(Day(2), Day(3)), ..entry(Err("no disk")) };
        kept.keep(key("a"), later);
        let known = look(&mut kept);
        assert_eq!((known.failed.as_deref(), known.at), (Some("no disk"), 7));
        assert_eq!((known.span, known.asked.as_ref().unwrap().len()), (Span::Days(Day(1), Day(2)), 1));
        kept.keep(key("a"), entry(Ok(3)));
        assert_eq!(look(&mut kept).failed, None);
    }

    #[test]
    fn answers_that_were_looked_at_last_are_kept() {
        let mut kept = Kept::default();
        let now = Instant::now();
        let look = |kept: &mut Kept, name: &str| kept.look(&key(name), |_| false, now).is_some();
        for name in ["a", "b", "c"] {
            look(&mut kept, name);
            kept.keep(key(name), entry(Ok(MOST_BYTES / 3 - 10_000)));
        }
        assert!(look(&mut kept, "a"));
        look(&mut kept, "d");
        kept.keep(key("d"), entry(Ok(1_000_000)));
        assert_eq!(["a", "b", "c", "d"].map(|name| look(&mut kept, name)), [true, false, true, true]);
        let bytes: usize = kept.entries.values().map(|held| held.bytes).sum();
        assert_eq!(kept.bytes, bytes);
    }
}
