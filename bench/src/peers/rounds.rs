//! Rounds at full rate, then searches: in each round, and at each step, every system has its turn, in the order of
//! [`turns`].

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::Extent;
use super::bed::{Bed, Lot, Sending, Visit};
use super::figures::Seen;
use super::search::{COUNTED, Search};
use super::system::System;
use super::traffic::Traffic;
use super::turns::turns;

/// From this part of the packets on, lost digests are warned of.
const DIGESTS_LOST: f64 = 0.001;

/// One traffic's rounds, and what was seen in them.
pub struct Rounds<'a> {
    bed: &'a Bed<'a>,
    systems: &'a [System],
    traffic: Traffic,
    extent: Extent,
    sending: Sending,
    deadline: Option<Instant>,
    /// A place for each system.
    pub seen: Vec<Seen>,
    pub checked: Vec<String>,
    pub warnings: Vec<String>,
}

impl<'a> Rounds<'a> {
    pub fn new(
        bed: &'a Bed<'a>,
        systems: &'a [System],
        traffic: Traffic,
        extent: Extent,
        at_most: Option<Duration>,
    ) -> Result<Self> {
        let sending = Sending::new(traffic.mix())?;
        let seen = systems.iter().map(|_| Seen::default()).collect();
        let deadline = at_most.map(|time| Instant::now() + time);
        let (checked, warnings) = (Vec::new(), Vec::new());
        Ok(Self { bed, systems, traffic, extent, sending, deadline, seen, checked, warnings })
    }

    /// Measures.
    ///
    /// # Errors
    /// Where the bare drop or the sensor fails, or somebody wants all of it to end.
    pub fn run(&mut self) -> Result<()> {
        for round in 1..=self.extent.rounds {
            // At least one, whatever the time.
            if round > 1 && self.is_over() {
                self.warn(format!(
                    "{} of {} rounds at full rate, for want of time",
                    round - 1,
                    self.extent.rounds
                ));
                break;
            }
            for place in turns(round - 1, self.systems.len()) {
                if let Some(visit) = self.visit(place, None, self.extent.round_seconds)? {
                    self.seen[place].at_full_rate.push(visit);
                }
            }
        }
        for search in 1..=self.extent.searches {
            if !self.search((search - 1).saturating_mul(self.extent.steps))? {
                self.warn(format!(
                    "search {search} of {} was ended early, for want of time",
                    self.extent.searches
                ));
                break;
            }
        }
        self.conclude()
    }

    /// One search, each of its steps for every system in turn; before it there were so many steps. Says whether there was
    /// time for all of it.
    fn search(&mut self, steps_before: u32) -> Result<bool> {
        let mut searches: Vec<Option<Search>> = self.seen.iter().map(begin).collect();
        let mut is_whole = true;
        for step in 1..=self.extent.steps {
            for place in turns(steps_before.saturating_add(step - 1), searches.len()) {
                // At least one, whatever the time: otherwise there would be no figure.
                if step > 1 && self.is_over() {
                    is_whole = false;
                    break;
                }
                let Some((rate, search)) =
                    searches[place].as_mut().and_then(|search| Some((search.next()?, search)))
                else {
                    continue;
                };
                if let Some(Visit { rate, share_in_time, .. }) =
                    self.visit(place, Some(rate), self.extent.step_seconds)?
                {
                    search.note(rate, share_in_time);
                }
            }
        }
        for (seen, search) in self.seen.iter_mut().zip(searches) {
            let Some(search) = search.filter(|_| seen.absent.is_none()) else {
                continue;
            };
            seen.bounds.extend(search.bound());
            match search.highest() {
                Some(highest) => seen.highest.push(highest),
                None => {
                    seen.lost_at =
                        Some(seen.lost_at.map_or(search.lost_at(), |rate| rate.min(search.lost_at())))
                }
            }
        }
        Ok(is_whole)
    }

    /// What became of one lot; nothing where the system is absent, which is then noted.
    fn visit(&mut self, place: usize, rate: Option<f64>, seconds: f64) -> Result<Option<Visit>> {
        let (system, seen) = (&self.systems[place], &mut self.seen[place]);
        if seen.absent.is_some() {
            return Ok(None);
        }
        match self.bed.visit(system, &mut self.sending, Lot { rate, time: Duration::from_secs_f64(seconds) })
        {
            Ok(visit) => Ok(Some(visit)),
            Err(error) if self.bed.interrupted.load(Ordering::Relaxed) => {
                Err(error.context(format!("interrupted while {} was measured", system.name)))
            }
            Err(error) if system.is_limit() || system.is_sensor() => {
                Err(error.context(format!("{} cannot be measured", system.name)))
            }
            Err(error) => {
                let reason = format!("{error:#}");
                self.warnings.push(format!("{}: {} is absent: {reason}", self.traffic.title(), system.name));
                self.seen[place].absent = Some(reason);
                Ok(None)
            }
        }
    }

    fn is_over(&self) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    fn warn(&mut self, what: String) {
        self.warnings.push(format!("{}: {what}", self.traffic.title()));
    }

    /// What was checked, and what the figures are not.
    fn conclude(&mut self) -> Result<()> {
        let title = self.traffic.title();
        let limit =
            self.systems.iter().position(System::is_limit).context("no bare drop among the systems")?;
        for (place, system) in self.systems.iter().enumerate() {
            let Seen { at_full_rate, absent, .. } = &self.seen[place];
            if absent.is_some() {
                continue;
            }
            let lossless = at_full_rate.iter().filter(|visit| visit.share_in_time >= COUNTED).count();
            let rounds = at_full_rate.len();
            self.checked.push(format!(
                "{title}: {} counted at least 99.9 % in time at full rate in {lossless} of {rounds} rounds",
                system.name
            ));
            if place == limit && lossless < rounds {
                bail!(
                    "{title}: packets were lost on their way to the bare drop: this machine is too busy to measure on"
                );
            }
            let lost = at_full_rate.iter().filter_map(|visit| visit.digests_lost).fold(0.0, f64::max);
            if lost > DIGESTS_LOST {
                self.warnings.push(format!(
                    "{title}: {} lost the digests of up to {:.1} % of the packets that it counted at full rate: they are \
                     in its counters, and in no flow",
                    system.name,
                    lost * 100.0
                ));
            }
            if let (false, Some(rate)) = (self.seen[place].highest.is_empty(), self.seen[place].lost_at) {
                self.warnings.push(format!(
                    "{title}: one search found no rate at which {} counts, down to {rate:.0} packets/s; another did",
                    system.name
                ));
            }
            if place != limit && lossless == rounds {
                self.warnings.push(format!(
                    "{title}: {} lost nothing at full rate: its highest rate is the generator's, which shares a CPU with it",
                    system.name
                ));
            }
        }
        Ok(())
    }
}

/// Where a search begins: at what was seen at full rate.
fn begin(seen: &Seen) -> Option<Search> {
    let rounds = seen.at_full_rate.len().max(1);
    #[expect(clippy::cast_precision_loss, reason = "a few rounds")]
    let mean = |of: fn(&Visit) -> f64| seen.at_full_rate.iter().map(of).sum::<f64>() / rounds as f64;
    // One lossy round is enough for a search: the rate is not one at which nothing is lost.
    let least = seen.at_full_rate.iter().map(|visit| visit.share_in_time).fold(1.0, f64::min);
    let share =
        if least >= COUNTED { 1.0 } else { mean(|visit| visit.share_in_time).min(COUNTED - f64::EPSILON) };
    (seen.absent.is_none() && !seen.at_full_rate.is_empty())
        .then(|| Search::new(mean(|visit| visit.rate), share))
}
