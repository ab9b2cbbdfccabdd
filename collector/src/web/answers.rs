//! Answers that are kept, and worked out anew in the background: whoever asks for one never waits for the store.
//!
//! A lane is a thread with a reader of its own, one for each weight of questions. Nothing is asked that nobody looks at; what
//! is looked at is asked again once something was committed, and no more often than it costs. Lanes rest after what took
//! long, and all of them together again and again.

mod gate;
mod kept;

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::counters::Counters;
use super::topics::{Asked, Key, Weight};
use crate::intake::unix_nanoseconds;
use crate::store::sqlite::SqliteReader;
use crate::store::{Reader, Span, Value};
use gate::Gate;
use kept::Kept;

/// Between two looks at the same question, at least.
const LEAST_AGE: Duration = Duration::from_secs(5);
/// A question is asked again after so many times what its answer took: it takes a tenth of one CPU at most.
const TIMES_COST: u32 = 10;
/// Between two looks whether something was committed, and between two of a lane that does not look for that.
const LOOK: Duration = Duration::from_secs(1);
const IDLE: Duration = Duration::from_secs(60);
/// A heavy question that took longer than a moment is followed by a rest of this at least.
const MOMENT: Duration = Duration::from_secs(1);
const LEAST_REST: Duration = Duration::from_secs(10);

/// What became of a topic's questions.
#[derive(Debug)]
pub struct Entry {
    pub asked: Result<Arc<[Asked]>, String>,
    /// Why it could not be asked again since.
    pub failed: Option<String>,
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
        let has_failed = self.asked.is_err() || self.failed.is_some();
        is_old && (self.generation != generation || self.span != span || has_failed)
    }

    /// What it takes in memory, about.
    fn bytes(&self) -> usize {
        let value = |value: &Value| {
            let more = match value {
                Value::Text(text) => text.capacity(),
                Value::Bytes(bytes) => bytes.capacity(),
                Value::Nothing | Value::Integer(_) | Value::Real(_) => 0,
            };
            size_of::<Value>() + more
        };
        let row = |row: &Vec<Value>| size_of::<Vec<Value>>() + row.iter().map(value).sum::<usize>();
        let one = |asked: &Asked| {
            let columns: usize =
                asked.answer.columns.iter().map(|column| size_of::<String>() + column.len()).sum();
            asked.sql.len() + columns + asked.answer.rows.iter().map(row).sum::<usize>()
        };
        // With its key, and its places in tables.
        1024 + self.asked.as_ref().map_or_else(String::len, |asked| asked.iter().map(one).sum())
    }
}

struct Shared {
    kept: Mutex<Kept>,
    work: Condvar,
    gate: Gate,
    answered: Notify,
    /// Grows with each commit that was seen.
    generation: AtomicU64,
    stopping: AtomicBool,
    path: PathBuf,
    counters: Arc<Counters>,
}

/// The answers, and the lanes that work them out; these end with it, as soon as the question that is asked is answered.
pub struct Answers(Arc<Shared>);

impl Drop for Answers {
    fn drop(&mut self) {
        self.0.stopping.store(true, Ordering::SeqCst);
        // Who has seen that it goes on, waits by now.
        drop(self.0.kept());
        self.0.work.notify_all();
        self.0.gate.wake();
    }
}

impl Answers {
    /// Starts the lanes for the store in this file. `quiet` is for how long none of them reads, again and again.
    ///
    /// # Errors
    /// Where there can be no more threads.
    pub fn start(path: PathBuf, quiet: Duration, counters: Arc<Counters>) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            kept: Mutex::default(),
            work: Condvar::new(),
            gate: Gate::new(quiet),
            answered: Notify::new(),
            generation: AtomicU64::new(0),
            stopping: AtomicBool::new(false),
            path,
            counters,
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

/// How long a lane rests after a question.
fn rest(weight: Weight, took: Duration) -> Duration {
    match weight {
        Weight::Light => Duration::ZERO,
        Weight::Heavy if took > MOMENT => took.max(LEAST_REST),
        Weight::Middle | Weight::Heavy => took,
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
        let look = |key: &Key| {
            let span = key.view.period.span(now);
            kept.look(key, |entry| entry.is_stale(generation, span), Instant::now())
        };
        let found = keys.iter().map(look).collect();
        drop(kept);
        self.work.notify_all();
        found
    }

    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    /// Answers questions of a weight until it is told to end.
    fn lane(&self, weight: Weight) {
        let mut reader: Option<Box<dyn Reader>> = None;
        let mut version = None;
        while !self.is_stopping() {
            let has_work = self.wait(weight);
            let Some(open) = &mut reader else {
                version = None;
                match SqliteReader::open(&self.path) {
                    Ok(opened) => reader = Some(Box::new(opened)),
                    Err(error) => {
                        let key = self.kept().pop(weight, Instant::now());
                        key.into_iter().for_each(|key| {
                            self.keep(key, Err(error.to_string()), (Instant::now(), unix_nanoseconds(), 0));
                        });
                    }
                }
                continue;
            };
            if weight == Weight::Light {
                // One of them is enough to see it. It is read in no time, and keeps no log from beginning anew.
                match open.version() {
                    Ok(seen) if version == Some(seen) => {}
                    Ok(seen) => {
                        self.generation.fetch_add(1, Ordering::SeqCst);
                        version = Some(seen);
                    }
                    Err(error) => log::debug!("the page cannot see whether something was stored: {error}"),
                }
            }
            if !has_work {
                continue;
            }
            let Some(passed) = self.gate.pass(weight, &self.stopping) else { return };
            let Some(key) = self.kept().pop(weight, Instant::now()) else { continue };
            let generation = self.generation.load(Ordering::SeqCst);
            let (begin, now) = (Instant::now(), unix_nanoseconds());
            let asked = key.ask(&mut **open, now).map_err(|error| {
                log::warn!("the page's question about {} is not answered: {error}", key.topic.name());
                error.to_string()
            });
            drop(passed);
            self.counters.asked(weight, begin.elapsed(), asked.is_ok());
            if asked.is_err() {
                // Whatever it was, the next one begins anew.
                reader = None;
            }
            self.keep(key, asked, (begin, now, generation));
            self.rest(rest(weight, begin.elapsed()));
        }
    }

    /// Whether a lane has a question now, or after a while.
    fn wait(&self, weight: Weight) -> bool {
        let kept = self.kept();
        if kept.has_work(weight) || self.is_stopping() {
            return kept.has_work(weight);
        }
        let idle = if weight == Weight::Light { LOOK } else { IDLE };
        let (kept, _) = self.work.wait_timeout(kept, idle).unwrap_or_else(PoisonError::into_inner);
        kept.has_work(weight)
    }

    /// Lets a while pass, or less where it is told to end.
    fn rest(&self, rest: Duration) {
        let end = Instant::now() + rest;
        let mut kept = self.kept();
        while !self.is_stopping() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            (kept, _) = self.work.wait_timeout(kept, left).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Keeps what became of a key that was asked from a moment on, after so many commits.
    fn keep(
        &self,
        key: Key,
        asked: Result<Vec<Asked>, String>,
        (begin, at, generation): (Instant, u64, u64),
    ) {
        let span = key.view.period.span(at);
        let (asked, took) = (asked.map(Arc::from), begin.elapsed());
        let entry = Entry { asked, failed: None, at, span, asked_at: Instant::now(), took, generation };
        self.kept().keep(key, entry);
        self.answered.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_rest_as_long_as_they_read() {
        let second = Duration::from_secs;
        assert_eq!(rest(Weight::Light, second(9)), Duration::ZERO);
        assert_eq!(rest(Weight::Middle, second(9)), second(9));
        assert_eq!([1, 2, 300].map(|took| rest(Weight::Heavy, second(took))), [1, 10, 300].map(second));
    }
}
