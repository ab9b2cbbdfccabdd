//! Figures out of what was seen.

use anyhow::{Context as _, Result};

use super::bed::Visit;
use super::system::{Reads, System};
use super::traffic::Traffic;
use crate::results::{Aim, Bar, Better, Figure, Measured, Plot};
use crate::statistics::Spread;

/// What was seen of one system under one traffic.
#[derive(Default)]
pub struct Seen {
    /// At full rate, round by round.
    pub at_full_rate: Vec<Visit>,
    /// The highest rates without loss, one of each search that found one.
    pub highest: Vec<f64>,
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
    /// A plot each: rates, loss, processor time, memory.
    pub fn figures(&self) -> Vec<Figure> {
        let rate = "million packets/s";
        vec![
            self.figure("loss_free", "Highest rate counted to 99.9 %", rate, Better::Higher, |seen, _| {
                seen.highest.iter().map(|rate| rate / 1e6).collect()
            }),
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
        let limit = Seen::default();
        let limit = self.of(System::is_limit).map_or(&limit, |(_, seen)| seen);
        let bars = self.systems.iter().zip(self.seen).map(|(system, seen)| {
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

    /// Ten times the best of those that read with libpcap, and 85 % of the bare drop.
    ///
    /// # Errors
    /// Where one of those could not be measured that are compared.
    pub fn aims(&self) -> Result<Vec<Aim>> {
        let highest = |seen: &Seen| Spread::new(seen.highest.clone()).map(|spread| spread.median);
        let median = |of: Vec<f64>| Spread::new(of).map(|spread| spread.median);
        let (_, sensor) = self.of(System::is_sensor).context("no sensor among the systems")?;
        let (_, limit) = self.of(System::is_limit).context("no bare drop among the systems")?;
        let best = |wanted: fn(&System) -> bool| {
            let peers = self.systems.iter().zip(self.seen).filter(|(system, _)| wanted(system));
            let rates = peers.filter_map(|(system, seen)| Some((system, highest(seen)?)));
            rates.max_by(|one, other| one.1.total_cmp(&other.1))
        };
        let all = |system: &System| system.reads == Reads::Libpcap;
        let by_port = |system: &System| system.reads == Reads::Libpcap && system.by_port;
        let ratio = |of: fn(&Visit) -> f64| {
            let pairs = sensor.at_full_rate.iter().zip(&limit.at_full_rate);
            median(pairs.map(|(sensor, limit)| of(sensor) / of(limit)).collect())
        };
        let title = self.traffic.title();
        let mut aims = Vec::new();
        for (which, best) in
            [("with libpcap", best(all)), ("with libpcap and by port or flow", best(by_port))]
        {
            // Without a search there is nothing to compare.
            if let (Some((peer, rate)), Some(own)) = (best, highest(sensor)) {
                aims.push(Aim {
                    of: format!("highest rate of the sensor over the best {which}, {}: {title}", peer.name),
                    aim: 10.0,
                    measured: own / rate,
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
}

/// Why a system has nothing to show in a figure.
fn nothing_of(system: &System, seen: &Seen, figure: &str) -> String {
    match (figure, seen.lost_at) {
        ("loss_free", Some(rate)) => {
            format!("it lost packets at every rate that was tried, down to {rate:.0} packets/s")
        }
        ("loss_free", None) => "no search".into(),
        _ if system.is_limit() => "it has no process".into(),
        _ => "it counted nothing".into(),
    }
}
