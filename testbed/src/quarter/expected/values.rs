//! Values by day of the quarter, from the packets that were sent.

use std::collections::BTreeSet;

use jiff::civil::Date;

use crate::plan::{Packet, Plan};

/// The quarter's days, or those of the quarter before.
pub struct Days<'a> {
    plan: &'a Plan,
    /// Places of the first and of the last but one.
    from: usize,
    to: usize,
}

impl<'a> Days<'a> {
    pub fn new(plan: &'a Plan) -> Self {
        Self { plan, from: first(plan), to: plan.days.len() }
    }

    pub fn previous(plan: &'a Plan) -> Self {
        Self { plan, from: 0, to: first(plan) }
    }

    pub fn dates(&self) -> Vec<String> {
        self.days().iter().map(Date::to_string).collect()
    }

    fn days(&self) -> &'a [Date] {
        &self.plan.days[self.from..self.to]
    }

    /// Sensors that are up on each day.
    pub fn sensors(&self) -> Vec<usize> {
        let number = self.plan.description.sensors.len();
        let up = |day: &Date| (0..number).filter(|sensor| self.plan.is_up(*sensor, *day)).count();
        self.days().iter().map(up).collect()
    }

    /// Packets by day.
    pub fn counts(&self, is_one: impl Fn(&Packet) -> bool) -> Vec<u64> {
        let mut counts = vec![0; self.to - self.from];
        for packet in self.plan.packets.iter().filter(|packet| is_one(packet)) {
            if let Some(count) =
                usize::from(packet.day).checked_sub(self.from).and_then(|day| counts.get_mut(day))
            {
                *count += 1;
            }
        }
        counts
    }

    /// Packets per sensor per day: a day without any sensor has none, which is not zero.
    pub fn packets(&self, is_one: impl Fn(&Packet) -> bool) -> Vec<Option<f64>> {
        let counts = self.counts(is_one).into_iter().zip(self.sensors());
        counts.map(|(count, sensors)| (sensors > 0).then(|| count as f64 / sensors as f64)).collect()
    }

    /// Different source addresses by day, over all sensors.
    pub fn sources(&self, is_one: impl Fn(&Packet) -> bool) -> Vec<Option<f64>> {
        let mut sources = vec![BTreeSet::new(); self.to - self.from];
        for packet in self.plan.packets.iter().filter(|packet| is_one(packet)) {
            if let Some(day) =
                usize::from(packet.day).checked_sub(self.from).and_then(|day| sources.get_mut(day))
            {
                day.insert(packet.source);
            }
        }
        let seen = sources.into_iter().zip(self.sensors());
        seen.map(|(sources, sensors)| (sensors > 0).then_some(sources.len() as f64)).collect()
    }
}

/// The place of the quarter's first day.
fn first(plan: &Plan) -> usize {
    plan.days.iter().position(|day| plan.description.quarter.contains(*day)).unwrap_or(0)
}

/// The mean of the days that there are.
pub fn mean(values: &[Option<f64>]) -> f64 {
    let seen: Vec<f64> = values.iter().flatten().copied().collect();
    if seen.is_empty() { 0.0 } else { seen.iter().sum::<f64>() / seen.len() as f64 }
}
