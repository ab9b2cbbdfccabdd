//! Figures of several rounds: least, quartiles, median, greatest. Outliers are kept.

mod sign_test;

use serde::{Deserialize, Serialize};

pub use sign_test::{Verdict, at_most, told_apart};

/// The spread of one figure over all rounds.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub struct Spread {
    /// How many rounds there were.
    pub rounds: usize,
    pub min: f64,
    pub lower_quartile: f64,
    pub median: f64,
    pub upper_quartile: f64,
    pub max: f64,
}

impl Spread {
    /// The spread of at least one figure.
    #[must_use]
    pub fn new(mut figures: Vec<f64>) -> Option<Self> {
        figures.sort_by(f64::total_cmp);
        let (min, max) = (*figures.first()?, *figures.last()?);
        let [lower_quartile, median, upper_quartile] =
            [0.25, 0.5, 0.75].map(|quantile| quantile_of(&figures, quantile));
        Some(Self { rounds: figures.len(), min, lower_quartile, median, upper_quartile, max })
    }

    /// A figure that there is one of.
    #[must_use]
    pub const fn once(figure: f64) -> Self {
        Self {
            rounds: 1,
            min: figure,
            lower_quartile: figure,
            median: figure,
            upper_quartile: figure,
            max: figure,
        }
    }

    /// How far the middle half of the rounds lies apart, as a part of the median: what one outlier does not move.
    #[must_use]
    pub fn unrest(&self) -> f64 {
        (self.upper_quartile - self.lower_quartile) / self.median.abs().max(f64::MIN_POSITIVE)
    }

    /// The same in another unit.
    #[must_use]
    pub fn scaled(self, factor: f64) -> Self {
        let Self { rounds, min, lower_quartile, median, upper_quartile, max } = self;
        let [min, lower_quartile, median, upper_quartile, max] =
            [min, lower_quartile, median, upper_quartile, max].map(|figure| figure * factor);
        Self { rounds, min, lower_quartile, median, upper_quartile, max }
    }
}

/// Between two figures where the quantile falls between them (type 7 of Hyndman and Fan, 1996).
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a place among some rounds"
)]
fn quantile_of(sorted: &[f64], quantile: f64) -> f64 {
    let place = quantile * (sorted.len() - 1) as f64;
    let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    below + (above - below) * place.fract()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_spread_is_in_order_and_keeps_every_round(figures in prop::collection::vec(-1e9..1e9, 1..50)) {
            let spread = Spread::new(figures.clone()).unwrap();
            let Spread { rounds, min, lower_quartile, median, upper_quartile, max } = spread;
            prop_assert_eq!(rounds, figures.len());
            prop_assert!([min, lower_quartile, median, upper_quartile, max].is_sorted());
            prop_assert!(figures.contains(&min) && figures.contains(&max));
            prop_assert!(figures.iter().filter(|figure| **figure <= median).count() * 2 >= rounds);
            let mut other_order = figures;
            other_order.reverse();
            prop_assert_eq!(Spread::new(other_order), Some(spread));
        }
    }

    #[test]
    fn median_of_odd_and_even() {
        assert_eq!(Spread::new(vec![]), None);
        let spread = |rounds, [min, lower_quartile, median, upper_quartile, max]: [f64; 5]| {
            Some(Spread { rounds, min, lower_quartile, median, upper_quartile, max })
        };
        assert_eq!(Spread::new(vec![9.0, 1.0, 2.0]), spread(3, [1.0, 1.5, 2.0, 5.5, 9.0]));
        assert_eq!(Spread::new(vec![9.0, 1.0, 2.0, 3.0]), spread(4, [1.0, 1.75, 2.5, 4.5, 9.0]));
        assert_eq!(Spread::new(vec![7.0]), spread(1, [7.0; 5]));
    }
}
