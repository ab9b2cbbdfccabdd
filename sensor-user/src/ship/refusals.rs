//! Refusals, told so that a log can take them: the first of a minute one by one, and of all others how many there were.

use std::time::{Duration, Instant};

use wire::Name;

/// So many are told one by one in the time that each sum is of.
const ONE_BY_ONE: u32 = 5;

/// What was told of refusals lately, and what is still to be told.
#[derive(Debug)]
pub struct Refusals {
    /// What each sum is of.
    span: Duration,
    ends: Option<Instant>,
    told: u32,
    others: u64,
    /// Of the last one of the others: by which address, which one, and why.
    last: Option<(String, Name, String)>,
}

impl Refusals {
    #[must_use]
    pub const fn new(span: Duration) -> Self {
        Self { span, ends: None, told: 0, others: 0, last: None }
    }

    /// Notes one. Gives the line to say now, unless it is to be one of many.
    pub fn add(&mut self, now: Instant, address: String, name: Name, reason: String) -> Option<String> {
        self.ends.get_or_insert(now + self.span);
        if self.told < ONE_BY_ONE {
            self.told += 1;
            return Some(format!(
                "warning: {address} refuses {name}: {reason}; it stays in the spool, and is offered again later"
            ));
        }
        self.others += 1;
        self.last = Some((address, name, reason));
        None
    }

    /// When [`Self::sum`] has something to say.
    #[must_use]
    pub fn sum_due(&self) -> Option<Instant> {
        self.ends.filter(|_| self.others > 0)
    }

    /// A line about those that were not told one by one, once their time is over.
    pub fn sum(&mut self, now: Instant) -> Option<String> {
        self.ends.filter(|ends| *ends <= now).and_then(|_| self.end())
    }

    /// The same, whether it is over or not.
    pub fn end(&mut self) -> Option<String> {
        let Self { span, others, last, .. } = std::mem::replace(self, Self::new(self.span));
        let (address, name, reason) = last?;
        Some(format!(
            "warning: {address} refuses {others} more intervals within {span:?}, {name} the last: {reason}; they stay in \
             the spool, and are offered again later"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn few_are_told_one_by_one_and_many_are_summed_up() {
        let now = Instant::now();
        let mut refusals = Refusals::new(MINUTE);
        let add = |refusals: &mut Refusals, number, now| {
            refusals.add(now, "c:8443".into(), Name { epoch: 1, first: number, last: number }, "no".into())
        };
        let lines = (0..1_000).filter_map(|number| add(&mut refusals, number, now)).count();
        assert_eq!(lines, 5);
        assert_eq!((refusals.sum(now), refusals.sum_due()), (None, Some(now + MINUTE)));
        let sum = refusals.sum(now + MINUTE).unwrap();
        assert!(sum.contains("995 more") && sum.contains("c:8443") && sum.contains("no"), "{sum}");
        assert_eq!((refusals.sum(now + MINUTE), refusals.sum_due(), refusals.end()), (None, None, None));
        assert!(add(&mut refusals, 1_000, now + 2 * MINUTE).is_some());
        assert_eq!((refusals.sum_due(), refusals.sum(now + 3 * MINUTE)), (None, None), "all are told");
        assert!((0..5).all(|number| add(&mut refusals, number, now + 4 * MINUTE).is_some()));
    }
}
