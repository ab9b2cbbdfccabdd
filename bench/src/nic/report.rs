//! What the slices come to.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use sensor_user::table::grouped;

use super::meters::{self, Meters, TICK};
use super::port::Port;
use super::sender::Sender;
use super::slice::Slice;
use super::variants::Variant;
use crate::draining::Drained;
use crate::results::{Bar, Better, Figure, Measured, Measurement, Plot};
use crate::statistics::Spread;

/// The fewest ticks of a slice that say what its packets cost: fewer are off by more than a twentieth.
const FEWEST_TICKS: u64 = 20;

pub struct Report {
    facts: String,
    /// What is sent from where, where it is.
    sending: Option<String>,
    lines: Vec<Line>,
    meters: Meters,
    drops: Result<BTreeMap<String, u64>, String>,
    digests_lost: u64,
}

/// One program's slices.
struct Line {
    label: &'static str,
    slices: Vec<Slice>,
}

impl Report {
    /// Nothing measured yet.
    pub fn new(port: &Port, mode: String, sender: Option<&Sender>, variants: &[Variant]) -> Result<Self> {
        Ok(Self {
            facts: format!("{}; programs in {mode}", port.facts()),
            sending: sender.map(|sender| sender.from().facts()),
            lines: variants.iter().map(|variant| Line { label: variant.label, slices: Vec::new() }).collect(),
            meters: Meters::read()?,
            drops: meters::driver_drops(port).map_err(|error| error.to_string()),
            digests_lost: 0,
        })
    }

    pub fn note(&mut self, place: usize, slice: &Slice, drained: Option<&Drained>, counts: bool) {
        if counts {
            self.lines[place].slices.push(*slice);
            self.digests_lost += drained.map_or(0, |drained| drained.lost);
        }
    }

    /// All of it, in figures and words.
    pub fn measurement(&self, port: &Port) -> Result<Measurement> {
        let received: u64 = self.slices().map(|slice| slice.received).sum();
        ensure!(
            received > 0,
            "no packet came in by {}: is anything sent to it? (`ip -s link show dev {0}`; a driver that takes none \
             from a program sends none either)",
            port.name()
        );
        let figures = vec![
            self.figure(
                "rate",
                "Packets that the interface took in",
                "million packets/s",
                Better::Higher,
                rate,
            ),
            self.figure(
                "cpu",
                "Interrupt and softirq time of the whole machine for each packet",
                "ns per packet",
                Better::Lower,
                cost,
            ),
            self.figure(
                "dropped",
                "Packets that the interface says were dropped, before or behind the program",
                "%",
                Better::Lower,
                dropped,
            ),
        ];
        Ok(Measurement { figures, aims: Vec::new(), checked: self.checked(port)?, warnings: self.warnings() })
    }

    fn slices(&self) -> impl Iterator<Item = &Slice> {
        self.lines.iter().flat_map(|line| &line.slices)
    }

    fn figure(
        &self,
        name: &str,
        title: &str,
        unit: &str,
        better: Better,
        of: fn(&Slice) -> Option<f64>,
    ) -> Figure {
        let bar = |line: &Line| {
            let measured = Spread::new(line.slices.iter().filter_map(of).collect()).map_or_else(
                || Measured::Absent("no packet came in while it was attached".into()),
                Measured::Spread,
            );
            Bar { label: line.label.into(), measured }
        };
        Figure {
            name: name.into(),
            title: title.into(),
            unit: unit.into(),
            better,
            plot: Plot::Bars(self.lines.iter().map(bar).collect()),
        }
    }

    fn checked(&self, port: &Port) -> Result<Vec<String>> {
        let mut checked = vec![self.facts.clone()];
        if let Some(sending) = &self.sending {
            let sum = |of: fn(&Slice) -> u64| grouped(self.slices().map(of).sum());
            checked.push(format!(
                "sent from {sending}: made {}, sent by its own count {}, received {}",
                sum(|slice| slice.made),
                sum(|slice| slice.sent),
                sum(|slice| slice.received),
            ));
        }
        for Line { label, slices } in &self.lines {
            let of_sensor = || slices.iter().filter_map(|slice| Some((slice.counted?, slice.received)));
            if of_sensor().next().is_none() {
                continue;
            }
            let (counted, received): (Vec<u64>, Vec<u64>) = of_sensor().unzip();
            let [counted, received] = [counted, received].map(|packets| grouped(packets.iter().sum()));
            checked.push(format!("{label} counted {counted}, its interface {received}"));
        }
        let receiving = meters::growth(&self.meters.receiving, &Meters::read()?.receiving);
        let share = |(cpu, number): (&String, &u64)| format!("{cpu} {}", grouped(*number));
        checked.push(format!(
            "receiving softirqs by CPU: {}",
            receiving.iter().map(share).collect::<Vec<_>>().join(", ")
        ));
        match (&self.drops, meters::driver_drops(port)) {
            (Ok(before), Ok(after)) => {
                let grown = meters::growth(before, &after);
                let grown: Vec<_> = grown.iter().map(share).collect();
                let grown = if grown.is_empty() { "none".into() } else { grown.join(", ") };
                checked.push(format!("drops by the driver's own counters (ethtool -S): {grown}"));
            }
            (Err(error), _) => {
                checked.push(format!("the driver's own counters of drops are not known: {error}"))
            }
            (_, Err(error)) => {
                checked.push(format!("the driver's own counters of drops are not known: {error}"))
            }
        }
        checked.push(format!("nothing is attached to {} any more", port.name()));
        Ok(checked)
    }

    fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        let few = self.slices().filter(|slice| slice.interrupt_ticks < FEWEST_TICKS).count();
        if few > 0 {
            warnings.push(format!(
                "cpu: processor time is counted in ticks of {} ms, and {few} of {} times there were fewer than \
                 {FEWEST_TICKS}: more --seconds or more traffic would say more",
                TICK.as_millis(),
                self.slices().count(),
            ));
        }
        let empty = self.slices().filter(|slice| slice.received == 0).count();
        if empty > 0 {
            warnings.push(format!("no packet came in in {empty} of {} times", self.slices().count()));
        }
        if self.digests_lost > 0 {
            warnings.push(format!(
                "{} digests were lost for want of room in a ring, which is cheaper than writing them: name a CPU with \
                 nothing else to do as --drain-cpu",
                grouped(self.digests_lost)
            ));
        }
        if self.sending.is_none() {
            warnings.push("rate: what comes from outside comes at its own rate, whatever is attached".into());
        }
        warnings
    }
}

#[expect(clippy::cast_precision_loss, reason = "a rate, of which only the first digits matter")]
fn rate(slice: &Slice) -> Option<f64> {
    (slice.received > 0).then(|| slice.received as f64 / slice.elapsed.as_secs_f64() / 1e6)
}

#[expect(clippy::cast_precision_loss, reason = "a cost, of which only the first digits matter")]
fn cost(slice: &Slice) -> Option<f64> {
    let time = slice.interrupt_ticks as f64 * TICK.as_secs_f64() * 1e9;
    (slice.received > 0).then(|| time / slice.received as f64)
}

#[expect(clippy::cast_precision_loss, reason = "a part, of which only the first digits matter")]
fn dropped(slice: &Slice) -> Option<f64> {
    let came = slice.received + slice.dropped;
    (came > 0).then(|| slice.dropped as f64 / came as f64 * 100.0)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn figures_of_a_slice() {
        let slice = Slice {
            elapsed: Duration::from_secs(2),
            received: 3_000_000,
            dropped: 1_000_000,
            interrupt_ticks: 30,
            ..Slice::default()
        };
        assert_eq!(rate(&slice), Some(1.5));
        assert_eq!(cost(&slice), Some(100.0));
        assert_eq!(dropped(&slice), Some(25.0));
    }

    #[test]
    fn without_packets_there_are_no_figures() {
        let nothing = Slice { interrupt_ticks: 5, elapsed: Duration::from_secs(1), ..Slice::default() };
        assert_eq!([rate(&nothing), cost(&nothing), dropped(&nothing)], [None; 3]);
    }
}
