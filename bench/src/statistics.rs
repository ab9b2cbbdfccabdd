//! Figures of several rounds: least, median, greatest. Outliers are kept.

use serde::Serialize;

/// The spread of one figure over all rounds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    pub min: f64,
    pub median: f64,
    pub max: f64,
}

impl Spread {
    /// The spread of at least one figure.
    pub fn new(mut figures: Vec<f64>) -> Option<Self> {
        figures.sort_by(f64::total_cmp);
        let (min, max) = (*figures.first()?, *figures.last()?);
        let middle = figures.len() / 2;
        let median = if figures.len().is_multiple_of(2) {
            f64::midpoint(figures[middle - 1], figures[middle])
        } else {
            figures[middle]
        };
        Some(Self { min, median, max })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_of_odd_and_even() {
        assert_eq!(Spread::new(vec![]), None);
        let odd = Spread { min: 1.0, median: 2.0, max: 9.0 };
        assert_eq!(Spread::new(vec![9.0, 1.0, 2.0]), Some(odd));
        let even = Spread { min: 1.0, median: 2.5, max: 9.0 };
        assert_eq!(Spread::new(vec![3.0, 9.0, 1.0, 2.0]), Some(even));
    }
}
