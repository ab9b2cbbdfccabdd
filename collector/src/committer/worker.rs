//! What the committer's thread does.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crossbeam_channel::{Receiver, RecvTimeoutError};

use super::{CommitError, CommitSettings, Job};
use crate::retention::Retention;
use crate::store::{Day, Incoming, Store, StoreError};

/// How long the disk is others' between two steps of retention.
const PAUSE: Duration = Duration::from_millis(20);

pub struct Worker {
    store: Box<dyn Store>,
    settings: CommitSettings,
    queue: Receiver<Job>,
    /// Until when a group may wait for others.
    next_commit: Instant,
    next_retention: Instant,
}

impl Worker {
    pub fn new(store: Box<dyn Store>, settings: CommitSettings, queue: Receiver<Job>) -> Self {
        let now = Instant::now();
        Self { store, settings, queue, next_commit: now, next_retention: now }
    }

    pub fn run(mut self) {
        loop {
            let wait = self.next_retention.saturating_duration_since(Instant::now());
            match self.queue.recv_timeout(wait) {
                Ok(first) => {
                    let group = self.group(first);
                    self.commit(group);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            // After each group too: a store that is never idle has to forget all the same.
            if Instant::now() >= self.next_retention {
                self.retain();
            }
        }
    }

    /// The first batch and those that come in time to go with it. One that comes alone, long after the last commit,
    /// would wait for nobody.
    fn group(&mut self, first: Job) -> Vec<Job> {
        let CommitSettings { commit_seconds, group_rows, group_bytes, .. } = self.settings;
        let (mut rows, mut bytes) = (first.incoming.flow_rows(), first.incoming.bytes);
        let mut group = vec![first];
        while rows < group_rows && bytes < group_bytes {
            let Ok(job) = self.queue.recv_deadline(self.next_commit) else { break };
            rows = rows.saturating_add(job.incoming.flow_rows());
            bytes = bytes.saturating_add(job.incoming.bytes);
            group.push(job);
        }
        self.next_commit = Instant::now() + Duration::try_from_secs_f64(commit_seconds).unwrap_or_default();
        group
    }

    fn commit(&mut self, group: Vec<Job>) {
        let (incoming, mut waiting): (Vec<Incoming>, Vec<_>) =
            group.into_iter().map(|job| (job.incoming, (job.reply, job.share))).unzip();
        match self.store.commit(&incoming) {
            Ok(outcomes) => {
                for ((reply, _share), outcome) in waiting.iter_mut().zip(outcomes) {
                    reply.give(Ok(outcome));
                }
            }
            Err(error) => {
                log::error!("{} batches are not stored: {error}", incoming.len());
                let error = commit_error(&error);
                waiting.iter_mut().for_each(|(reply, _share)| reply.give(Err(error.clone())));
            }
        }
    }

    fn retain(&mut self) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let today = Day::of(u64::try_from(now.as_nanos()).unwrap_or(u64::MAX));
        let CommitSettings { retention, retention_rows, retention_every, .. } = self.settings;
        if retention == Retention::FOREVER {
            self.next_retention = Instant::now() + retention_every;
            return;
        }
        let wait = match self.store.retain(&retention, today, retention_rows) {
            Ok(retained) if retained.done => retention_every,
            Ok(_) => PAUSE,
            Err(error) => {
                log::error!("what has outlived its time stays for now: {error}");
                retention_every
            }
        };
        self.next_retention = Instant::now() + wait;
    }
}

fn commit_error(error: &StoreError) -> CommitError {
    let what = error.to_string();
    if error.is_passing() { CommitError::TryAgain { what } } else { CommitError::Failed { what } }
}
