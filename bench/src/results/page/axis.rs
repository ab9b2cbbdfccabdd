//! Axes: linear from zero, by the collector's own scale, or of decades.

use collector::render::svg;

use super::super::Scale;

/// More than two decades have a tick each; fewer, at 1, 2 and 5.
const FEW_DECADES: i32 = 2;
const MOST_DECADES: i32 = 8;

pub enum Axis {
    Linear(svg::Scale),
    /// From one power of ten to another.
    Logarithmic {
        low: i32,
        high: i32,
    },
}

impl Axis {
    /// An axis that all values are on; on decades nothing at zero or below is.
    pub fn of(scale: Scale, values: impl Iterator<Item = f64> + Clone, most_steps: u32) -> Self {
        let positive = || values.clone().filter(|value| value.is_finite() && *value > 0.0);
        let (low, high) = (positive().fold(f64::MAX, f64::min), positive().fold(0.0, f64::max));
        if scale == Scale::Linear || high == 0.0 {
            let drawable = values.clone().filter_map(|value| svg::drawable(Some(value)));
            return Self::Linear(svg::Scale::of(drawable, most_steps, 0.0));
        }
        // What rounding of the logarithm adds is no reason for another decade.
        let low = decade((low.log10() + 1e-9).floor());
        Self::Logarithmic { low, high: decade((high.log10() - 1e-9).ceil()).max(low + 1) }
    }

    /// Values, and what stands beside them.
    pub fn ticks(&self) -> Vec<(f64, String)> {
        match self {
            Self::Linear(scale) => scale.ticks().into_iter().map(|tick| (tick, scale.label(tick))).collect(),
            Self::Logarithmic { low, high } => {
                let decades = high - low;
                let steps: &[f64] = if decades <= FEW_DECADES { &[1.0, 2.0, 5.0] } else { &[1.0] };
                let stride = (decades / MOST_DECADES + 1).unsigned_abs() as usize;
                let of_decade = |decade: i32| steps.iter().map(move |step| step * 10_f64.powi(decade));
                let all = (*low..*high).step_by(stride).flat_map(of_decade).chain([10_f64.powi(*high)]);
                all.map(|tick| (tick, label(tick))).collect()
            }
        }
    }

    /// From 0 at the beginning to 1 at the end.
    pub fn fraction(&self, value: f64) -> f64 {
        match self {
            Self::Linear(scale) => scale.fraction(value),
            Self::Logarithmic { .. } if value <= 0.0 => 0.0,
            Self::Logarithmic { low, high } => {
                let (low, high) = (f64::from(*low), f64::from(*high));
                ((value.log10() - low) / (high - low)).clamp(0.0, 1.0)
            }
        }
    }

    /// Whether a value has a place on it.
    pub fn has(&self, value: f64) -> bool {
        value.is_finite() && (matches!(self, Self::Linear(_)) || value > 0.0)
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the logarithm of a double is within 400")]
fn decade(power: f64) -> i32 {
    power.clamp(-300.0, 300.0) as i32
}

/// Short: ten million are 10 M.
fn label(value: f64) -> String {
    let short = |value: f64| {
        let text = format!("{value:.6}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    match value {
        _ if value >= 0.999e9 => format!("{} G", short(value / 1e9)),
        _ if value >= 0.999e6 => format!("{} M", short(value / 1e6)),
        _ if value >= 0.999e4 => format!("{} k", short(value / 1e3)),
        _ if value >= 0.999e-6 => short(value),
        _ => format!("{value:.0e}"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn labels(scale: Scale, values: &[f64]) -> Vec<String> {
        Axis::of(scale, values.iter().copied(), 5).ticks().into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn decades_are_labelled_shortly() {
        assert_eq!(
            labels(Scale::Logarithmic, &[1.0, 1e6]),
            ["1", "10", "100", "1000", "10 k", "100 k", "1 M"]
        );
        assert_eq!(labels(Scale::Logarithmic, &[0.65, 1.08]), ["0.1", "0.2", "0.5", "1", "2", "5", "10"]);
        assert_eq!(labels(Scale::Logarithmic, &[3.0]), ["1", "2", "5", "10"]);
        assert_eq!(labels(Scale::Linear, &[0.7]), ["0", "0.2", "0.4", "0.6", "0.8"]);
        // Nothing that decades could show.
        assert_eq!(labels(Scale::Logarithmic, &[0.0]), labels(Scale::Linear, &[0.0]));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_value_has_its_place(values in prop::collection::vec(prop::num::f64::ANY, 0..8), linear: bool) {
            let scale = if linear { Scale::Linear } else { Scale::Logarithmic };
            // Beyond is what no benchmark measures.
            let values: Vec<f64> = values.into_iter().filter(|value| !value.is_finite() || value.abs() < 1e100).collect();
            let axis = Axis::of(scale, values.iter().copied(), 5);
            let ticks = axis.ticks();
            prop_assert!((2..=80).contains(&ticks.len()), "{}", ticks.len());
            prop_assert!(ticks.is_sorted_by(|one, other| one.0 < other.0));
            for value in values.into_iter().filter(|value| axis.has(*value)) {
                prop_assert!((0.0..=1.0).contains(&axis.fraction(value)), "{value}");
            }
        }
    }
}
