//! The one who writes the store: a thread that commits batches by groups, and answers each once it is on the disk.
//!
//! A transaction costs a wait for the disk however much is in it, so there are at most so many in a time, and batches wait
//! for the next one together. What waits is
//! bounded in bytes, and of one sensor to a part of that and in rows, so that none makes the others wait for long: beyond
//! that a batch is handed back at once, and the sensor's spool keeps it.

mod room;
mod worker;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Sender, TrySendError, bounded};
use wire::Header;

use crate::retention::Retention;
use crate::store::{Incoming, Outcome, Store};
use room::{Room, Share};
use worker::Worker;

/// Batches that wait at most, however small.
const MOST_BATCHES: usize = 4096;

/// How batches are grouped, and what is done between groups.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CommitSettings {
    /// From the beginning of a commit to that of the next one; so the longest that a batch waits for others.
    pub commit_seconds: f64,
    /// A group that has so many rows of flows, or bytes as they came, waits no longer.
    pub group_rows: u64,
    pub group_bytes: u64,
    /// Bytes of batches, as they came, that are not answered yet.
    pub waiting_bytes: u64,
    /// Rows of flows of one sensor's batches that are not answered yet: others' wait behind them.
    pub waiting_rows_of_sensor: u64,
    pub retention: Retention,
    /// How often it is looked for what has outlived its time.
    pub retention_every: Duration,
    /// Rows that are removed between two groups.
    pub retention_rows: u32,
}

impl Default for CommitSettings {
    fn default() -> Self {
        Self {
            commit_seconds: 1.0,
            group_rows: 2_000_000,
            group_bytes: 64 << 20,
            waiting_bytes: 256 << 20,
            waiting_rows_of_sensor: 2_000_000,
            retention: Retention::default(),
            retention_every: Duration::from_secs(600),
            retention_rows: 20_000,
        }
    }
}

/// Why a batch is not known to be stored. It may be sent again: it is counted once.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// Room on the disk, or the disk itself; the store goes on when it can.
    #[error("not stored, try again later: {what}")]
    TryAgain { what: String },
    /// It needs a person.
    #[error("not stored, and it takes a person to see why: {what}")]
    Failed { what: String },
    #[error("not stored: the collector stops")]
    Stopping,
}

/// Called once, from the committer's thread: it must not block.
pub type Reply = Box<dyn FnOnce(Result<Outcome, CommitError>) + Send>;

/// Why a batch was not taken. Its reply is not called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    #[error("as many batches wait as there is room for: try again later")]
    Busy,
    #[error("the collector stops")]
    Stopping,
}

/// A batch on its way, and who waits for what becomes of it.
struct Job {
    incoming: Incoming,
    reply: Answer,
    /// Its share of the room, which is free again when it is answered.
    share: Share,
}

/// Calls the reply in any case: who waits is never forgotten.
struct Answer(Option<Reply>);

impl Answer {
    fn give(&mut self, result: Result<Outcome, CommitError>) {
        if let Some(reply) = self.0.take() {
            reply(result);
        }
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.give(Err(CommitError::Stopping));
    }
}

/// Where batches are handed in: cheap to copy, one for each who does.
#[derive(Clone)]
pub struct Submitter {
    jobs: Sender<Job>,
    room: Room,
    running: Arc<AtomicBool>,
}

impl Submitter {
    /// Hands in a batch, and does not wait.
    ///
    /// # Errors
    /// Where there is no room for it, or the committer has stopped.
    pub fn submit(&self, incoming: Incoming, reply: Reply) -> Result<(), NotTaken> {
        let Header { sensor, .. } = &incoming.batch.header;
        let share = self.room.take(sensor, incoming.bytes, incoming.flow_rows()).ok_or(NotTaken::Busy)?;
        let job = Job { incoming, reply: Answer(Some(reply)), share };
        self.jobs.try_send(job).map_err(|error| {
            let (mut job, why) = match error {
                TrySendError::Full(job) => (job, NotTaken::Busy),
                TrySendError::Disconnected(job) => (job, NotTaken::Stopping),
            };
            // Who hands it in learns it from this error.
            job.reply.0 = None;
            why
        })
    }

    /// Whether the committer is there.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.running.load(Ordering::SeqCst)
    }

    /// Bytes of batches that are not answered yet.
    #[must_use]
    pub fn waiting_bytes(&self) -> u64 {
        self.room.taken()
    }
}

/// For as long as the thread is there.
struct Life<F: FnOnce()> {
    running: Arc<AtomicBool>,
    crashed: Option<F>,
}

impl<F: FnOnce()> Drop for Life<F> {
    fn drop(&mut self) {
        self.running.store(false, Ordering::SeqCst);
        if let Some(crashed) = self.crashed.take().filter(|_| std::thread::panicking()) {
            crashed();
        }
    }
}

/// The thread. It ends, with all that it was handed committed, when it is finished and every [`Submitter`] is gone.
pub struct Committer {
    submitter: Option<Submitter>,
    thread: Option<JoinHandle<()>>,
}

impl Committer {
    /// Starts the thread, which is the store's one writer from here on.
    ///
    /// `crashed` is called from it should it panic: every batch is turned away from then on.
    ///
    /// # Errors
    /// Where there can be no more threads.
    pub fn start(
        store: Box<dyn Store>,
        settings: CommitSettings,
        crashed: impl FnOnce() + Send + 'static,
    ) -> io::Result<Self> {
        let (jobs, queue) = bounded(MOST_BATCHES);
        let worker = Worker::new(store, settings, queue);
        let running = Arc::new(AtomicBool::new(true));
        let life = Life { running: Arc::clone(&running), crashed: Some(crashed) };
        let thread = std::thread::Builder::new().name("committer".into()).spawn(move || {
            let _life = life;
            worker.run();
        })?;
        let room = Room::new(settings.waiting_bytes, settings.waiting_rows_of_sensor);
        let submitter = Submitter { jobs, room, running };
        Ok(Self { submitter: Some(submitter), thread: Some(thread) })
    }

    /// Whether the thread is there. Before it is finished it only ends where it has panicked.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }

    /// Another one to hand batches in with; nothing once it is being finished.
    #[must_use]
    pub fn submitter(&self) -> Option<Submitter> {
        self.submitter.clone()
    }

    /// Commits what has been handed in, and waits until that is done. Every [`Submitter`] has to be gone.
    pub fn finish(mut self) {
        self.stop();
    }

    fn stop(&mut self) {
        self.submitter = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            log::error!("the committer has panicked; what it had not committed is not stored");
        }
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        self.stop();
    }
}

#[cfg(test)]
mod tests;
