//! Figures out of what was seen.

mod aims;

use super::bed::Visit;
use super::system::{Reads, System};
use super::traffic::Traffic;
use crate::results::{Bar, Better, Figure, Measured, Plot};
use crate::statistics::Spread;

/// What was seen of one system under one traffic.
#[derive(Default)]
pub struct Seen {
    /// At full rate, round by round.
    pub at_full_rate: Vec<Visit>,
    /// The highest rates without loss, one of each search that found one.
    pub highest: Vec<f64>,
    /// What each search found the highest rate to be below: the lowest rate at which packets were lost.
    pub bounds: Vec<f64>,
    /// The lowest rate that a search tried which found none.
    pub lost_at: Option<f64>,
    /// Why it could not be measured.
    pub absent: Option<String>,
}

/// One traffic's: a place for each system, in their order.
pub struct Outcome<'a> {
    pub traffic: Traffic,
    pub systems: &'a [System],
    pub seen: &'a [Seen],
}

impl Outcome<'_> {
    /// A plot each: rates, loss, lost digests, processor time, memory.
    pub fn figures(&self) -> Vec<Figure> {
        let rate = "million packets/s";
        vec![
            self.figure("loss_free", "Highest rate counted to 99.9 %", rate, Better::Higher, |seen, _| {
                seen.highest.iter().map(|rate| rate / 1e6).collect()
            }),
            // Between the two is what the search's steps leave open.
            self.figure(
                "lost_at",
                "Lowest rate at which packets were lost",
                rate,
                Better::Higher,
                |seen, _| seen.bounds.iter().map(|rate| rate / 1e6).collect(),
            ),
            self.figure(
                "full_rate",
                "What was sent at full rate, on the CPU that receives, too",
                rate,
                Better::Higher,
                |seen, _| seen.at_full_rate.iter().map(|visit| visit.rate / 1e6).collect(),
            ),
            self.figure("lost", "Lost at full rate", "%", Better::Lower, |seen, _| {
                seen.at_full_rate.iter().map(|visit| (1.0 - visit.share) * 100.0).collect()
            }),
            self.figure_of(
                |system| system.reads == Reads::Xdp,
                "digests_lost",
                "Digests lost at full rate, of the packets observed",
                "%",
                Better::Lower,
                |seen, _| {
                    let lost = seen.at_full_rate.iter().filter_map(|visit| visit.digests_lost);
                    lost.map(|part| part * 100.0).collect()
                },
            ),
            self.figure(
                "kernel",
                "Kernel, above the bare drop of the same round",
                "ns per packet sent",
                Better::Lower,
                |seen, limit| {
                    let pairs = seen.at_full_rate.iter().zip(&limit.at_full_rate);
                    pairs.map(|(visit, limit)| visit.kernel - limit.kernel).collect()
                },
            ),
            self.figure(
                "sending",
                "Generator and kernel together",
                "ns per packet sent",
                Better::Lower,
                |seen, _| seen.at_full_rate.iter().map(|visit| visit.kernel).collect(),
            ),
            self.figure(
                "process",
                "Processes on another CPU",
                "ns per packet counted",
                Better::Lower,
                |seen, _| seen.at_full_rate.iter().filter_map(|visit| visit.process).collect(),
            ),
            self.figure(
                "memory",
                "Most memory of processes, rings and maps",
                "MiB",
                Better::Lower,
                |seen, _| {
                    seen.at_full_rate
                        .iter()
                        .filter_map(|visit| visit.memory)
                        .map(|bytes| bytes / f64::from(1 << 20))
                        .collect()
                },
            ),
        ]
    }

    fn figure(
        &self,
        name: &str,
        title: &str,
        unit: &str,
        better: Better,
        values: impl Fn(&Seen, &Seen) -> Vec<f64>,
    ) -> Figure {
        self.figure_of(|_| true, name, title, unit, better, values)
    }

    /// A bar for each of some systems.
    fn figure_of(
        &self,
        of: impl Fn(&System) -> bool,
        name: &str,
        title: &str,
        unit: &str,
        better: Better,
        values: impl Fn(&Seen, &Seen) -> Vec<f64>,
    ) -> Figure {
        let limit = Seen::default();
        let limit = self.of(System::is_limit).map_or(&limit, |(_, seen)| seen);
        let systems = self.systems.iter().zip(self.seen).filter(|(system, _)| of(system));
        let bars = systems.map(|(system, seen)| {
            let spread = Spread::new(values(seen, limit)).filter(|_| seen.absent.is_none());
            let reason = || seen.absent.clone().unwrap_or_else(|| nothing_of(system, seen, name));
            Bar {
                label: system.name.clone(),
                measured: spread.map_or_else(|| Measured::Absent(reason()), Measured::Spread),
            }
        });
        Figure {
            name: format!("{name}_{}", self.traffic.name()),
            title: format!("{title}: {}", self.traffic.title()),
            unit: unit.into(),
            better,
            plot: Plot::Bars(bars.collect()),
        }
    }

    fn of(&self, wanted: impl Fn(&System) -> bool) -> Option<(&System, &Seen)> {
        self.systems.iter().zip(self.seen).find(|(system, _)| wanted(system))
    }
}

/// Why a system has nothing to show in a figure.
fn nothing_of(system: &System, seen: &Seen, figure: &str) -> String {
    match (figure, seen.lost_at) {
        ("loss_free", Some(rate)) => {
            format!("it lost packets at every rate that was tried, down to {rate:.0} packets/s")
        }
        ("loss_free" | "lost_at", _) => "no search".into(),
        ("digests_lost", _) => "it makes no digests".into(),
        _ if system.is_limit() => "it has no process".into(),
        _ => "it counted nothing".into(),
    }
}
