//! What the sensor is to reach beside its peers and its limit.

use anyhow::{Context as _, Result};

use super::{Outcome, Seen};
use crate::peers::bed::Visit;
use crate::peers::system::{Reads, System};
use crate::results::{Aim, Better};
use crate::statistics::Spread;

/// A peer that the sensor is compared with.
struct Best<'a> {
    system: &'a System,
    seen: &'a Seen,
    /// Its highest rate is at most so many packets per second.
    bound: f64,
}

impl Outcome<'_> {
    /// Ten times the best of those that read with libpcap, and 85 % of the bare drop.
    ///
    /// A search ends with a bracket, and a short one with a wide one. So a peer counts with the upper end of its bracket, the
    /// lowest rate at which it lost packets, and the sensor with the lower end of its own.
    ///
    /// # Errors
    /// Where bare drop or sensor were not measured.
    pub fn aims(&self) -> Result<Vec<Aim>> {
        let (_, sensor) = self.of(System::is_sensor).context("no sensor among the systems")?;
        let (_, limit) = self.of(System::is_limit).context("no bare drop among the systems")?;
        let ratio = |of: fn(&Visit) -> f64| {
            let pairs = sensor.at_full_rate.iter().zip(&limit.at_full_rate);
            median(pairs.map(|(sensor, limit)| of(sensor) / of(limit)).collect())
        };
        let title = self.traffic.title();
        // Where every rate was too much for it, it has reached none.
        let own = median(sensor.highest.clone()).or(sensor.lost_at.map(|_| 0.0));
        let mut aims = Vec::new();
        for (which, best) in self.best() {
            if let (Some(best), Some(own)) = (best, own) {
                aims.push(Aim {
                    of: format!(
                        "highest rate of the sensor over the best {which}, {}: {title}",
                        best.words()
                    ),
                    aim: 10.0,
                    measured: own / best.bound,
                    unit: "times".into(),
                    better: Better::Higher,
                });
            }
        }
        let by_clock =
            ratio(|visit| visit.rate * visit.share_in_time).context("the sensor was not measured")?;
        let by_processor =
            ratio(|visit| visit.share_in_time / visit.kernel).context("the sensor was not measured")?;
        for (how, share) in [("by the clock", by_clock), ("by processor time", by_processor)] {
            aims.push(Aim {
                of: format!("the sensor's rate as a part of the bare drop's, {how}: {title}"),
                aim: 85.0,
                measured: share * 100.0,
                unit: "%".into(),
                better: Better::Higher,
            });
        }
        Ok(aims)
    }

    /// Which aims could not be compared with anything.
    pub fn warnings(&self) -> Vec<String> {
        let title = self.traffic.title();
        let searched = self
            .of(System::is_sensor)
            .is_some_and(|(_, sensor)| !sensor.highest.is_empty() || sensor.lost_at.is_some());
        if !searched {
            return vec![format!("{title}: without a search there are no highest rates to compare")];
        }
        let missing = self.best().into_iter().filter(|(_, best)| best.is_none());
        missing
            .map(|(which, _)| {
                format!("{title}: no peer {which} was measured, so that the sensor is compared with none")
            })
            .collect()
    }

    fn best(&self) -> [(&'static str, Option<Best<'_>>); 2] {
        let best = |by_port: bool| {
            let peers = self.systems.iter().zip(self.seen).filter(|(system, seen)| {
                system.reads == Reads::Libpcap && (system.by_port || !by_port) && seen.absent.is_none()
            });
            let peers = peers.filter_map(|(system, seen)| {
                Some(Best { system, seen, bound: median(seen.bounds.clone())? })
            });
            peers.max_by(|one, other| one.bound.total_cmp(&other.bound))
        };
        [("with libpcap", best(false)), ("with libpcap and by port or flow", best(true))]
    }
}

impl Best<'_> {
    /// Its name, and its bracket.
    fn words(&self) -> String {
        let Self { system, seen, bound } = self;
        let counted = median(seen.highest.clone())
            .map_or_else(|| "no rate".into(), |rate| format!("{:.3} million packets/s", rate / 1e6));
        format!(
            "{}, which lost packets from {:.3} million packets/s on and counted {counted}",
            system.name,
            bound / 1e6
        )
    }
}

fn median(of: Vec<f64>) -> Option<f64> {
    Spread::new(of).map(|spread| spread.median)
}

#[cfg(test)]
mod tests;
