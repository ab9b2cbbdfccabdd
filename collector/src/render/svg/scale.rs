//! A scale of values: its ticks are 1, 2 or 5 times a power of ten apart, and zero is always on it.

use crate::render::numbers::{decimals, power_of_ten};

/// Values beyond are drawn at the edge, and those below are drawn as zero, so that no sum or quotient overflows.
const GREATEST: f64 = 1e200;
const LEAST: f64 = 1e-200;

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    low: f64,
    high: f64,
    step: f64,
}

/// A value that can be drawn, absent where it is no number.
#[must_use]
pub fn drawable(value: Option<f64>) -> Option<f64> {
    let value = value.filter(|value| value.is_finite())?.clamp(-GREATEST, GREATEST);
    Some(if value.abs() < LEAST { 0.0 } else { value })
}

impl Scale {
    /// A scale that all values are on, with at most so many steps and one more at each end, none of them below `least`.
    #[must_use]
    pub fn of(values: impl Iterator<Item = f64>, most_steps: u32, least: f64) -> Self {
        let (low, high) =
            values.fold((0.0_f64, 0.0_f64), |(low, high), value| (low.min(value), high.max(value)));
        let (low, high) = if low == high { (0.0, 1.0) } else { (low, high) };
        let step = nice(((high - low) / f64::from(most_steps.max(1))).max(least));
        Self { low: (low / step).floor() * step, high: (high / step).ceil() * step, step }
    }

    #[must_use]
    pub fn ticks(&self) -> Vec<f64> {
        let Self { low, high, step } = *self;
        let steps = ((high - low) / step).round() as u32;
        let first = (low / step).round();
        (0..=steps).map(|index| (first + f64::from(index)) * step).collect()
    }

    /// From 0 at the bottom to 1 at the top.
    #[must_use]
    pub fn fraction(&self, value: f64) -> f64 {
        ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }

    /// What stands beside a tick.
    #[must_use]
    pub fn label(&self, tick: f64) -> String {
        if tick == 0.0 {
            return "0".into();
        }
        match -self.step.log10().floor() {
            places if places <= 0.0 => decimals(tick, 0),
            places if places <= 6.0 => decimals(tick, places as usize),
            _ => power_of_ten(tick),
        }
    }
}

/// The least of 1, 2, or 5 times a power of ten that is not below.
fn nice(least: f64) -> f64 {
    let power = 10.0_f64.powi(least.log10().floor() as i32);
    let digits = least / power;
    // What a division lost is no reason for the next greater step.
    let slack = 1.0 + 1e-9;
    let first = [1.0, 2.0, 5.0].into_iter().find(|step| digits <= step * slack).unwrap_or(10.0);
    first * power
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn labels(high: f64) -> Vec<String> {
        let scale = Scale::of([high].into_iter(), 5, 0.0);
        scale.ticks().into_iter().map(|tick| scale.label(tick)).collect()
    }

    #[test]
    fn ticks_are_round_and_grouped() {
        assert_eq!(labels(2_345.0), ["0", "500", "1,000", "1,500", "2,000", "2,500"]);
        assert_eq!(labels(0.7), ["0", "0.2", "0.4", "0.6", "0.8"]);
        assert_eq!(labels(0.0), ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(labels(1e12).last().unwrap(), "1,000,000,000,000");
        assert_eq!(labels(3e-9), ["0", "1×10⁻⁹", "2×10⁻⁹", "3×10⁻⁹"]);
        assert_eq!(labels(-30.0), ["−30", "−20", "−10", "0"]);
    }

    #[test]
    fn counts_have_no_parts_of_one() {
        for (high, expected) in [(0.0, "0 1"), (1.0, "0 1"), (3.0, "0 1 2 3"), (7.0, "0 2 4 6 8")] {
            let scale = Scale::of([high].into_iter(), 5, 1.0);
            let labels: Vec<String> = scale.ticks().into_iter().map(|tick| scale.label(tick)).collect();
            assert_eq!(labels.join(" "), expected);
        }
    }

    proptest! {
        #[test]
        fn every_value_is_on_its_scale(values in prop::collection::vec(prop::num::f64::ANY, 1..8)) {
            let values: Vec<f64> = values.into_iter().filter_map(|value| drawable(Some(value))).collect();
            let scale = Scale::of(values.iter().copied(), 5, 0.0);
            let ticks = scale.ticks();
            prop_assert!((2..=8).contains(&ticks.len()), "{:?}", ticks);
            let slack = 1e-9 * scale.step;
            for value in values {
                prop_assert!(ticks[0] - slack <= value && value <= ticks[ticks.len() - 1] + slack);
                prop_assert!((0.0..=1.0).contains(&scale.fraction(value)));
            }
            prop_assert!(ticks.contains(&0.0));
        }
    }
}
