//! The loop that ships: whatever waits, to whatever address works, within what may be in flight.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Notify, watch};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::sleep_until;
use wire::Name;

use super::answer::Verdict;
use super::attempt::{Attempt, Outcome};
use super::client::Connector;
use super::endpoints::{Choice, Endpoints};
use super::failure::{Failure, FailureKind};
use super::label;
use super::options::ShipSettings;
use super::pause;
use super::queue::Queue;
use super::source::{Source, SourceError};
use super::status::StatusHandle;
use crate::attach::unix_nanoseconds;

/// How long nothing at all may happen.
const LONGEST_SLEEP: Duration = Duration::from_secs(3_600);

pub struct Worker {
    settings: ShipSettings,
    source: Arc<dyn Source>,
    connector: Connector,
    endpoints: Endpoints,
    queue: Queue,
    status: StatusHandle,
    random: fastrand::Rng,
    tasks: JoinSet<Outcome>,
    /// What each task is about, should it end without saying so.
    names: HashMap<Id, (Name, usize)>,
}

impl Worker {
    pub fn new(
        settings: ShipSettings,
        connector: Connector,
        source: Arc<dyn Source>,
        status: StatusHandle,
    ) -> Self {
        Self {
            endpoints: Endpoints::new(&settings.urls),
            settings,
            source,
            connector,
            queue: Queue::default(),
            status,
            random: fastrand::Rng::new(),
            tasks: JoinSet::new(),
            names: HashMap::new(),
        }
    }

    /// Ships until it is told to stop, and then what it still can before that deadline.
    pub async fn run(mut self, wake: Arc<Notify>, mut stop: watch::Receiver<Option<Instant>>) {
        loop {
            let deadline = *stop.borrow_and_update();
            if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                return;
            }
            let next = self.fill();
            self.status.set_queue(self.queue.in_flight(), self.queue.refused());
            let is_hopeless = |deadline: Instant| next.is_none_or(|next| next >= deadline);
            if self.tasks.is_empty() && deadline.is_some_and(is_hopeless) {
                return;
            }
            let now = Instant::now();
            let sleep = now + LONGEST_SLEEP.min(self.settings.pace.reload);
            let sleep = [next, deadline].into_iter().flatten().fold(sleep, Instant::min);
            tokio::select! {
                () = wake.notified() => {}
                () = sleep_until(sleep.into()) => {}
                Some(ended) = self.tasks.join_next_with_id() => self.ended(ended),
                changed = stop.changed() => if changed.is_err() {
                    // Whoever could have asked for a deadline is gone.
                    return;
                },
            }
        }
    }

    /// Begins attempts for as long as something waits, there is room, and an address to try. Says when there will be
    /// more to do that no wake-up tells of.
    fn fill(&mut self) -> Option<Instant> {
        let in_doubt = (0..self.settings.urls.len()).any(|index| self.endpoints.get(index).is_in_doubt());
        self.connector.refresh(&self.settings, in_doubt && self.tasks.is_empty(), &self.status);
        let now = Instant::now();
        let room = self.settings.concurrency.saturating_sub(self.queue.in_flight());
        let due = self.queue.next_due(now);
        if room == 0 {
            return due;
        }
        let sooner = |at: Instant| Some(due.map_or(at, |due| due.min(at)));
        for name in self.source.oldest(room, &self.queue.without(now)) {
            let endpoint = match self.endpoints.choose(now, &self.settings.pace) {
                Choice::Try(endpoint) => endpoint,
                Choice::RestUntil(until) => return sooner(until),
            };
            let is_tried = self.names.values().any(|(_, other)| *other == endpoint);
            if self.endpoints.get(endpoint).is_in_doubt() && is_tried {
                // How that goes is waited for.
                return due;
            }
            if let Err(error) = self.begin(name, endpoint) {
                self.unreadable(name, &error);
                return Some(now);
            }
        }
        due
    }

    /// Reads an interval, notes that it may be sent, and begins to send it: in this order.
    fn begin(&mut self, name: Name, endpoint: usize) -> Result<(), SourceError> {
        let Some(parts) = self.source.read(&name)? else {
            self.queue.forget(&name);
            return Ok(());
        };
        let label = parts.first().map(|counts| label::read(&name, counts)).transpose()?.flatten();
        if let Err(error) = self.source.mark_attempted(&name) {
            // It may have been merged a moment ago: then another interval has taken its place.
            let is_gone = self.source.read(&name).is_ok_and(|parts| parts.is_none());
            return if is_gone { Ok(()) } else { Err(error) };
        }
        let url = self.endpoints.get(endpoint).url.clone();
        let bytes = parts.iter().map(|part| part.len() as u64).sum();
        let longest = self.settings.pace.request(bytes);
        let attempt = Attempt { name, parts, label, endpoint, url, longest };
        let task = self.tasks.spawn(attempt.make(self.connector.client.clone()));
        self.names.insert(task.id(), (name, endpoint));
        self.queue.begin(name);
        self.status.begun(self.queue.in_flight());
        Ok(())
    }

    fn ended(&mut self, ended: Result<(Id, Outcome), JoinError>) {
        let id = match &ended {
            Ok((id, _)) => *id,
            Err(error) => error.id(),
        };
        let Some((name, endpoint)) = self.names.remove(&id) else {
            return;
        };
        self.queue.end(&name);
        match ended {
            Ok((_, outcome)) => self.judge(outcome),
            Err(error) => {
                let words = format!("the attempt ended by itself, please report this: {error}");
                let failure = Failure { kind: FailureKind::CutOff, words, asked: None };
                self.failed(name, endpoint, &failure, Instant::now());
            }
        }
    }

    fn judge(&mut self, outcome: Outcome) {
        let Outcome { name, label, endpoint, bytes, begun, verdict } = outcome;
        match verdict {
            Verdict::Stored { already } => {
                let stored = label.map(|label| unix_nanoseconds().saturating_sub(label.end));
                let stored = stored.map(Duration::from_nanos);
                self.status.shipped(bytes, already, begun.elapsed(), stored);
                self.works(endpoint);
                self.queue.forget(&name);
                if let Err(error) = self.source.mark_stored(&name) {
                    self.unreadable(name, &error);
                }
            }
            Verdict::Refused(reason) => {
                // That it judges is that it works.
                self.works(endpoint);
                self.status.failed(FailureKind::Refused, None);
                let pause = pause::about(self.settings.pace.refused_pause, &mut self.random);
                if self.queue.rest(name, Instant::now() + pause, true) {
                    let address = self.endpoints.get(endpoint).address();
                    self.status.say(&format!(
                        "warning: {address} refuses {name}: {reason}; it stays in the spool, and is offered again later"
                    ));
                }
            }
            Verdict::Failed(failure) => self.failed(name, endpoint, &failure, begun),
        }
    }

    fn works(&mut self, endpoint: usize) {
        let is_news = self.endpoints.worked(endpoint, Instant::now(), &self.settings.pace);
        let state = format!("ships to {}", self.endpoints.get(endpoint).address());
        if is_news {
            self.status.say(&format!("{state} again"));
        }
        self.status.well(state);
    }

    fn failed(&mut self, name: Name, endpoint: usize, failure: &Failure, begun: Instant) {
        let Failure { kind, words, asked } = failure;
        let now = Instant::now();
        if kind.may_be_the_intervals() {
            let until = now + self.pause(&name);
            self.queue.rest(name, until, false);
        }
        let tools = (&self.settings.pace, &mut self.random);
        let is_news = self.endpoints.failed(endpoint, *kind, *asked, (begun, now), tools);
        let state = format!("cannot ship to {}: {words}", self.endpoints.get(endpoint).address());
        if is_news {
            self.status.say(&format!("warning: {state}; intervals stay in the spool, and it is tried again"));
        }
        self.status.failed(*kind, Some(state));
    }

    /// The spool cannot do its part for an interval: the others are none the worse for it.
    fn unreadable(&mut self, name: Name, error: &SourceError) {
        let until = Instant::now() + self.pause(&name);
        let words = format!("cannot ship {name}: {}", crate::one_line(&**error));
        if self.queue.rest(name, until, false) {
            self.status.say(&format!("warning: {words}; it is tried again"));
        }
        self.status.failed(FailureKind::Spool, Some(words));
    }

    fn pause(&mut self, name: &Name) -> Duration {
        let pace = &self.settings.pace;
        let failures = self.queue.failures(name).saturating_add(1);
        pause::after(failures, pace.first_pause, pace.longest_pause, &mut self.random)
    }
}
