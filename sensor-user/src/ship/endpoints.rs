//! Which of the collector's addresses is the one to try.

use std::time::{Duration, Instant};

use reqwest::Url;

use super::failure::FailureKind;
use super::options::Pace;
use super::pause;

/// One address, and how it has fared.
#[derive(Debug)]
pub struct Endpoint {
    pub url: Url,
    /// Failures in a row.
    failures: u32,
    /// Until then it is left alone.
    rests_until: Option<Instant>,
    /// The last failure that was told of.
    told: Option<FailureKind>,
}

impl Endpoint {
    /// Host and port, for people.
    #[must_use]
    pub fn address(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        self.url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// Whether it is not known to work, so that one attempt at a time is enough.
    #[must_use]
    pub const fn is_in_doubt(&self) -> bool {
        self.failures > 0
    }
}

/// Where the next attempt goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    Try(usize),
    /// None before then.
    RestUntil(Instant),
}

/// All addresses of the collector, the preferred first.
#[derive(Debug)]
pub struct Endpoints {
    list: Vec<Endpoint>,
    /// The one that works.
    current: usize,
    /// When the first one is due again.
    return_at: Option<Instant>,
}

impl Endpoints {
    #[must_use]
    pub fn new(urls: &[Url]) -> Self {
        let endpoint = |url: &Url| Endpoint { url: url.clone(), failures: 0, rests_until: None, told: None };
        Self { list: urls.iter().map(endpoint).collect(), current: 0, return_at: None }
    }

    #[must_use]
    pub fn get(&self, index: usize) -> &Endpoint {
        &self.list[index]
    }

    /// The address that works, or the next one that is not resting.
    pub fn choose(&mut self, now: Instant, pace: &Pace) -> Choice {
        let rests = |endpoint: &Endpoint| endpoint.rests_until.filter(|until| *until > now);
        if self.return_at.is_some_and(|at| at <= now) && rests(&self.list[0]).is_none() {
            // It is tried; what works goes on being what it falls back to.
            self.return_at = Some(now + pace.return_after);
            return Choice::Try(0);
        }
        let others = (0..self.list.len()).filter(|index| *index != self.current);
        let mut soonest: Option<Instant> = None;
        for index in std::iter::once(self.current).chain(others) {
            match rests(&self.list[index]) {
                None => return Choice::Try(index),
                Some(until) => soonest = Some(soonest.map_or(until, |soonest| soonest.min(until))),
            }
        }
        Choice::RestUntil(soonest.unwrap_or(now))
    }

    /// Notes that an address works. Says whether that is news, after a failure that was told of.
    pub fn worked(&mut self, index: usize, now: Instant, pace: &Pace) -> bool {
        let endpoint = &mut self.list[index];
        endpoint.failures = 0;
        endpoint.rests_until = None;
        // What was begun before an address before it worked again may end after it.
        if index < self.current || self.list[self.current].is_in_doubt() {
            self.current = index;
        }
        self.return_at = (self.current != 0).then(|| self.return_at.unwrap_or(now + pace.return_after));
        self.list[index].told.take().is_some()
    }

    /// Notes that an attempt that began at `begun` has failed; the address rests, as long as it has asked for. Attempts
    /// that were under way together fail together, once. Says whether that is news.
    pub fn failed(
        &mut self,
        index: usize,
        failure: FailureKind,
        asked: Option<Duration>,
        (begun, now): (Instant, Instant),
        (pace, random): (&Pace, &mut fastrand::Rng),
    ) -> bool {
        let endpoint = &mut self.list[index];
        let is_known = endpoint.rests_until.is_some_and(|until| begun < until);
        if !is_known {
            endpoint.failures = endpoint.failures.saturating_add(1);
        }
        if !is_known || asked.is_some() {
            let pause = asked.unwrap_or_else(|| {
                pause::after(endpoint.failures, pace.first_pause, pace.longest_pause, random)
            });
            let until = now + pause;
            endpoint.rests_until = Some(endpoint.rests_until.map_or(until, |before| before.max(until)));
        }
        endpoint.told.replace(failure) != Some(failure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn endpoints(count: usize) -> Endpoints {
        let urls: Vec<Url> =
            (0..count).map(|index| Url::parse(&format!("https://c{index}:8443/")).unwrap()).collect();
        Endpoints::new(&urls)
    }

    fn fail(endpoints: &mut Endpoints, index: usize, begun: Instant, now: Instant) -> bool {
        let mut random = fastrand::Rng::with_seed(1);
        let asked = Some(10 * SECOND);
        let failure = FailureKind::Unreachable;
        endpoints.failed(index, failure, asked, (begun, now), (&Pace::default(), &mut random))
    }

    #[test]
    fn the_next_one_takes_over_and_the_first_is_tried_again_later() {
        let (pace, now) = (Pace::default(), Instant::now());
        let mut all = endpoints(3);
        assert_eq!(all.choose(now, &pace), Choice::Try(0));
        assert!(fail(&mut all, 0, now, now));
        assert_eq!(all.choose(now, &pace), Choice::Try(1));
        assert!(!all.worked(1, now, &pace));
        let later = now + pace.return_after - SECOND;
        assert_eq!(all.choose(later, &pace), Choice::Try(1), "what works is kept");
        let due = now + pace.return_after;
        assert_eq!(all.choose(due, &pace), Choice::Try(0));
        assert_eq!(all.choose(due, &pace), Choice::Try(1), "one attempt tells");
        assert!(!fail(&mut all, 0, due, due), "that is known");
        assert_eq!(all.choose(due + SECOND, &pace), Choice::Try(1));
        let again = due + pace.return_after;
        assert_eq!(all.choose(again, &pace), Choice::Try(0));
        assert!(all.worked(0, again, &pace), "it works again");
        assert!(!all.worked(1, again, &pace), "that was begun before");
        assert_eq!(all.choose(again + 2 * pace.return_after, &pace), Choice::Try(0));
    }

    #[test]
    fn where_all_rest_the_soonest_is_waited_for() {
        let (pace, now) = (Pace::default(), Instant::now());
        let mut all = endpoints(2);
        fail(&mut all, 0, now, now);
        fail(&mut all, 1, now, now + SECOND);
        assert_eq!(all.choose(now + 2 * SECOND, &pace), Choice::RestUntil(now + 10 * SECOND));
        assert_eq!(all.choose(now + 10 * SECOND, &pace), Choice::Try(0));
    }

    #[test]
    fn attempts_that_fail_together_are_one_failure() {
        let now = Instant::now();
        let mut all = endpoints(1);
        for _ in 0..4 {
            fail(&mut all, 0, now, now + SECOND);
        }
        assert_eq!(all.get(0).failures, 1);
        fail(&mut all, 0, now + 20 * SECOND, now + 21 * SECOND);
        assert_eq!(all.get(0).failures, 2);
    }

    #[test]
    fn addresses_are_shown_as_people_write_them() {
        assert_eq!(endpoints(1).get(0).address(), "c0:8443");
        let literal = Endpoints::new(&[Url::parse("https://[::1]:8443/v1/batches").unwrap()]);
        assert_eq!(literal.get(0).address(), "[::1]:8443");
    }
}
