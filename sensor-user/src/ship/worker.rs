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
use super::label::{self, WrongName};
use super::options::ShipSettings;
use super::pause;
use super::queue::{Queue, Why};
use super::refusals::Refusals;
use super::source::{Source, SourceError};
use super::status::StatusHandle;
use super::supply::Supply;
use crate::attach::unix_nanoseconds;

/// How long nothing at all may happen.
const LONGEST_SLEEP: Duration = Duration::from_secs(3_600);

pub struct Worker {
    settings: ShipSettings,
    source: Arc<dyn Source>,
    connector: Connector,
    endpoints: Endpoints,
    queue: Queue,
    supply: Supply,
    refusals: Refusals,
    status: StatusHandle,
    random: fastrand::Rng,
    tasks: JoinSet<Outcome>,
    /// What each task is about, should it end without saying so.
    names: HashMap<Id, (Name, usize)>,
}

/// What became of an interval that was to be begun.
enum Begun {
    OnItsWay,
    /// It is not here any more; what has taken its place may be next.
    Gone,
    /// It is not as it should be, and rests.
    Unfit,
    /// What gives the intervals does not do its part, and rests.
    Nothing,
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
            refusals: Refusals::new(settings.pace.sum),
            settings,
            source,
            connector,
            queue: Queue::default(),
            supply: Supply::default(),
            status,
            random: fastrand::Rng::new(),
            tasks: JoinSet::new(),
            names: HashMap::new(),
        }
    }

    /// Ships until it is told to stop, and then what it still can before that deadline.
    pub async fn run(mut self, wake: Arc<Notify>, stop: watch::Receiver<Option<Instant>>) {
        self.ship(wake, stop).await;
        self.refusals.end().iter().for_each(|line| self.status.say(line));
    }

    async fn ship(&mut self, wake: Arc<Notify>, mut stop: watch::Receiver<Option<Instant>>) {
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
            self.refusals.sum(now).iter().for_each(|line| self.status.say(line));
            let sleep = now + LONGEST_SLEEP.min(self.settings.pace.reload);
            let sleep =
                [next, deadline, self.refusals.sum_due()].into_iter().flatten().fold(sleep, Instant::min);
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
        if let Some(until) = self.supply.rests_until(now) {
            return sooner(until);
        }
        let mut next = due;
        let mut names = self.source.oldest(room, &|name| self.queue.passes_over(name, now));
        names.extend(self.queue.last(room.saturating_sub(names.len()), now));
        for name in names {
            let endpoint = match self.endpoints.choose(now, &self.settings.pace) {
                Choice::Try(endpoint) => endpoint,
                Choice::RestUntil(until) => return sooner(until),
            };
            let is_tried = self.names.values().any(|(_, other)| *other == endpoint);
            if self.endpoints.get(endpoint).is_in_doubt() && is_tried {
                // How that goes is waited for.
                return due;
            }
            match self.begin(name, endpoint) {
                Begun::OnItsWay => {}
                Begun::Gone | Begun::Unfit => next = Some(now),
                Begun::Nothing => return sooner(self.supply.rests_until(now).unwrap_or(now)),
            }
        }
        next
    }

    /// Reads an interval, notes that it may be sent, and begins to send it: in this order.
    fn begin(&mut self, name: Name, endpoint: usize) -> Begun {
        let parts = match self.source.read(&name) {
            Ok(Some(parts)) => parts,
            Ok(None) => {
                self.queue.forget(&name);
                return Begun::Gone;
            }
            Err(error) => {
                self.unreadable(name, &error);
                return Begun::Nothing;
            }
        };
        let label = match parts.first().map(|counts| label::read(&name, counts)).transpose() {
            Ok(label) => label.flatten(),
            Err(error) => {
                self.unfit(name, &error);
                return Begun::Unfit;
            }
        };
        if let Err(error) = self.source.mark_attempted(&name) {
            // It may have been merged a moment ago: then another interval has taken its place.
            if self.source.read(&name).is_ok_and(|parts| parts.is_none()) {
                self.queue.forget(&name);
                return Begun::Gone;
            }
            self.supply_failed(name, false, &error);
            return Begun::Nothing;
        }
        if self.supply.works() {
            self.status.say("intervals can be had from the spool again");
        }
        let url = self.endpoints.get(endpoint).url.clone();
        let bytes = parts.iter().map(|part| part.len() as u64).sum();
        let longest = self.settings.pace.request(bytes);
        let attempt = Attempt { name, parts, label, endpoint, url, longest };
        let task = self.tasks.spawn(attempt.make(self.connector.client.clone()));
        self.names.insert(task.id(), (name, endpoint));
        self.queue.begin(name);
        self.status.begun(self.queue.in_flight());
        Begun::OnItsWay
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
                let now = Instant::now();
                let pause = pause::about(self.settings.pace.refused_pause, &mut self.random);
                if self.queue.rest(name, now + pause, Why::Refused) {
                    let address = self.endpoints.get(endpoint).address();
                    let line = self.refusals.add(now, address, name, reason);
                    line.iter().for_each(|line| self.status.say(line));
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
            self.queue.rest(name, until, Why::Failed);
        }
        let tools = (&self.settings.pace, &mut self.random);
        let is_news = self.endpoints.failed(endpoint, *kind, *asked, (begun, now), tools);
        let state = format!("cannot ship to {}: {words}", self.endpoints.get(endpoint).address());
        if is_news {
            self.status.say(&format!("warning: {state}; intervals stay in the spool, and it is tried again"));
        }
        self.status.failed(*kind, Some(state));
    }

    /// The spool does not give an interval, or does not let go of it. It may be this one alone, so that it comes last
    /// from now on; or it may be all of them, so that none is asked for in a while.
    fn unreadable(&mut self, name: Name, error: &SourceError) {
        let until = Instant::now() + self.pause(&name);
        let is_known = !self.queue.rest(name, until, Why::Unreadable);
        self.supply_failed(name, is_known, error);
    }

    /// The spool does not do its part: it is left alone for a while.
    fn supply_failed(&mut self, name: Name, is_known: bool, error: &SourceError) {
        let words = format!("cannot ship {name}: {}", crate::one_line(&**error));
        if self.supply.failed(is_known, Instant::now(), &self.settings.pace, &mut self.random) {
            self.status.say(&format!("warning: {words}; it is tried again, as are those after it"));
        }
        self.status.failed(FailureKind::Spool, Some(words));
    }

    /// An interval is not what it should be: the others are none the worse for it.
    fn unfit(&mut self, name: Name, error: &WrongName) {
        let until = Instant::now() + self.pause(&name);
        if self.queue.rest(name, until, Why::Unreadable) {
            self.status.say(&format!("warning: {error}"));
        }
        self.status.failed(FailureKind::Spool, Some(error.to_string()));
    }

    fn pause(&mut self, name: &Name) -> Duration {
        let pace = &self.settings.pace;
        let failures = self.queue.failures(name).saturating_add(1);
        pause::after(failures, pace.first_pause, pace.longest_pause, &mut self.random)
    }
}
