//! Answers that are kept, and worked out anew in the background: whoever asks for one never waits for the store.
//!
//! A lane is a thread with a reader of its own, one for each weight of questions. Nothing is asked that nobody looks at; what
//! is looked at is asked again once something was committed, and no more often than it costs.

use std::collections::{HashMap, HashSet, VecDeque};
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::topics::{Asked, Key, Weight};
use crate::intake::unix_nanoseconds;
use crate::store::sqlite::SqliteReader;
use crate::store::{Reader, Span};

/// Answers that are kept at most: those that were looked at last.
const MOST_KEPT: usize = 256;
/// Questions of one lane that wait at most: whose answers are wanted still, are asked for again.
const MOST_WAITING: usize = 64;
/// Between two looks at the same question, at least.
const LEAST_AGE: Duration = Duration::from_secs(5);
/// A question is asked again after so many times what its answer took: it takes a tenth of one CPU at most.
const TIMES_COST: u32 = 10;
/// Between two looks whether something was committed, and between two of a lane that does not look for that.
const LOOK: Duration = Duration::from_secs(1);
const REST: Duration = Duration::from_secs(60);

/// What became of a topic's questions.
#[derive(Debug)]
pub struct Entry {
    pub asked: Result<Vec<Asked>, String>,
    /// When it was asked, nanoseconds since the Unix epoch, and of which hours or days.
    pub at: u64,
    pub span: Span,
    asked_at: Instant,
    took: Duration,
    generation: u64,
}

impl Entry {
    /// The question with this name, and its answer.
    pub fn find(&self, id: &str) -> Option<&Asked> {
        self.asked.as_ref().ok()?.iter().find(|asked| asked.id == id)
    }

    fn is_stale(&self, generation: u64, span: Span) -> bool {
        let is_old = self.asked_at.elapsed() >= LEAST_AGE.max(self.took * TIMES_COST);
        is_old && (self.generation != generation || self.span != span || self.asked.is_err())
    }
}

#[derive(Default)]
struct Kept {
    entries: HashMap<Key, (Arc<Entry>, u64)>,
    /// Waiting in a lane, or being asked.
    under_way: HashSet<Key>,
    lanes: [VecDeque<Key>; Weight::ALL.len()],
    looks: u64,
}

struct Shared {
    kept: Mutex<Kept>,
    work: Condvar,
    answered: Notify,
    /// Grows with each commit that was seen.
    generation: AtomicU64,
    stopping: AtomicBool,
    path: PathBuf,
}

/// The answers, and the lanes that work them out; these end with it, as soon as the question that is asked is answered.
pub struct Answers(Arc<Shared>);

impl Drop for Answers {
    fn drop(&mut self) {
        self.0.stopping.store(true, Ordering::SeqCst);
        self.0.work.notify_all();
    }
}

impl Answers {
    /// Starts the lanes for the store in this file.
    ///
    /// # Errors
    /// Where there can be no more threads.
    pub fn start(path: PathBuf) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            kept: Mutex::default(),
            work: Condvar::new(),
            answered: Notify::new(),
            generation: AtomicU64::new(0),
            stopping: AtomicBool::new(false),
            path,
        });
        let answers = Self(Arc::clone(&shared));
        for weight in Weight::ALL {
            let shared = Arc::clone(&shared);
            thread::Builder::new()
                .name(format!("page {weight:?}").to_lowercase())
                .spawn(move || shared.lane(weight))?;
        }
        Ok(answers)
    }

    /// What is known of these, in their order. What is not known, or stale, is being worked out from here on; for what is not
    /// known it waits a while.
    pub async fn look(&self, keys: &[Key], patience: Duration) -> Vec<Option<Arc<Entry>>> {
        let deadline = tokio::time::Instant::now() + patience;
        loop {
            let answered = self.0.answered.notified();
            tokio::pin!(answered);
            // From here on nothing that is answered is missed.
            answered.as_mut().enable();
            let found = self.0.look(keys);
            if found.iter().all(Option::is_some) {
                return found;
            }
            if tokio::time::timeout_at(deadline, answered).await.is_err() {
                return found;
            }
        }
    }
}

impl Shared {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look(&self, keys: &[Key]) -> Vec<Option<Arc<Entry>>> {
        let now = unix_nanoseconds();
        let generation = self.generation.load(Ordering::SeqCst);
        let mut kept = self.kept();
        kept.looks += 1;
        let looks = kept.looks;
        let mut found = Vec::with_capacity(keys.len());
        for key in keys {
            let entry = kept.entries.get_mut(key).map(|(entry, looked)| {
                *looked = looks;
                Arc::clone(entry)
            });
            if entry.as_ref().is_none_or(|entry| entry.is_stale(generation, key.view.period.span(now)))
                && kept.under_way.insert(key.clone())
            {
                let lane = &mut kept.lanes[key.weight() as usize];
                lane.push_back(key.clone());
                let dropped = if lane.len() > MOST_WAITING { lane.pop_front() } else { None };
                if let Some(key) = dropped {
                    kept.under_way.remove(&key);
                }
            }
            found.push(entry);
        }
        drop(kept);
        self.work.notify_all();
        found
    }

    /// Answers questions of a weight until it is told to end.
    fn lane(&self, weight: Weight) {
        let mut reader: Option<Box<dyn Reader>> = None;
        let mut version = None;
        while !self.stopping.load(Ordering::SeqCst) {
            let key = self.next(weight);
            if reader.is_none() {
                match SqliteReader::open(&self.path) {
                    Ok(opened) => reader = Some(Box::new(opened)),
                    Err(error) => {
                        key.into_iter().for_each(|key| {
                            self.keep(key, Err(error.to_string()), (Instant::now(), unix_nanoseconds(), 0))
                        });
                        version = None;
                        continue;
                    }
                }
            }
            let Some(open) = &mut reader else { continue };
            if weight == Weight::Light {
                // One of them is enough to see it.
                match open.version() {
                    Ok(seen) if version == Some(seen) => {}
                    Ok(seen) => {
                        self.generation.fetch_add(1, Ordering::SeqCst);
                        version = Some(seen);
                    }
                    Err(error) => log::debug!("the page cannot see whether something was stored: {error}"),
                }
            }
            let Some(key) = key else { continue };
            let generation = self.generation.load(Ordering::SeqCst);
            let (begin, now) = (Instant::now(), unix_nanoseconds());
            let asked = key.ask(&mut **open, now).map_err(|error| {
                log::warn!("the page's question about {} is not answered: {error}", key.topic.name());
                error.to_string()
            });
            if asked.is_err() {
                // Whatever it was, the next one begins anew.
                reader = None;
                version = None;
            }
            self.keep(key, asked, (begin, now, generation));
        }
    }

    /// The next question of a lane, or none after a while.
    fn next(&self, weight: Weight) -> Option<Key> {
        let mut kept = self.kept();
        if let Some(key) = kept.lanes[weight as usize].pop_front() {
            return Some(key);
        }
        if self.stopping.load(Ordering::SeqCst) {
            return None;
        }
        let rest = if weight == Weight::Light { LOOK } else { REST };
        let (mut kept, _) = self.work.wait_timeout(kept, rest).unwrap_or_else(PoisonError::into_inner);
        kept.lanes[weight as usize].pop_front()
    }

    /// Keeps what became of a key that was asked from a moment on, after so many commits.
    fn keep(
        &self,
        key: Key,
        asked: Result<Vec<Asked>, String>,
        (begin, at, generation): (Instant, u64, u64),
    ) {
        let span = key.view.period.span(at);
        let took = begin.elapsed();
        let entry = Entry { asked, at, span, asked_at: Instant::now(), took, generation };
        let mut kept = self.kept();
        kept.under_way.remove(&key);
        let looks = kept.looks;
        kept.entries.insert(key, (Arc::new(entry), looks));
        if kept.entries.len() > MOST_KEPT {
            let oldest =
                kept.entries.iter().min_by_key(|(_, (_, looked))| *looked).map(|(key, _)| key.clone());
            oldest.iter().for_each(|key| drop(kept.entries.remove(key)));
        }
        drop(kept);
        self.answered.notify_waiters();
    }
}
