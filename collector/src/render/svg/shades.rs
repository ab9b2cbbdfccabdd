//! Classes of counts, each with a shade: counts of a telescope differ by powers of ten, and so do the classes.

use super::palette::SHADES;
use crate::render::numbers::count;

/// The least count of each class, ascending, at most six; the first is 1. Zero is in none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shades {
    least: Vec<u64>,
    most: u64,
}

impl Shades {
    /// For counts up to the greatest.
    #[must_use]
    pub fn upto(most: u64) -> Self {
        let least: Vec<u64> = if most <= SHADES as u64 {
            (1..=most).collect()
        } else if most < 1_000 {
            [1, 3, 10, 30, 100, 300].into_iter().filter(|least| *least <= most).collect()
        } else {
            let powers = most.ilog10() as usize + 1;
            let of_class = powers.div_ceil(SHADES);
            (0..powers).step_by(of_class).map(|power| 10_u64.pow(power as u32)).collect()
        };
        Self { least, most }
    }

    /// The class of a count, from 0; absent for zero.
    #[must_use]
    pub fn class(&self, count: u64) -> Option<usize> {
        self.least.iter().rposition(|least| *least <= count)
    }

    /// The shade of a class: few classes are as far apart as many.
    #[must_use]
    pub fn shade(&self, class: usize) -> usize {
        match self.least.len() {
            0 | 1 => SHADES / 2,
            classes => class * (SHADES - 1) / (classes - 1),
        }
    }

    /// Each class in words, such as `10–29`.
    #[must_use]
    pub fn labels(&self) -> Vec<String> {
        let ends = self.least.iter().skip(1).map(|next| next - 1).chain([self.most]);
        let label = |(least, end): (&u64, u64)| match *least == end {
            true => count(end as f64),
            false => format!("{}–{}", short(*least), short(end)),
        };
        self.least.iter().zip(ends).map(label).collect()
    }
}

fn short(number: u64) -> String {
    count(number as f64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn classes_follow_the_greatest_count() {
        assert_eq!(Shades::upto(0).labels(), [] as [&str; 0]);
        assert_eq!(Shades::upto(3).labels(), ["1", "2", "3"]);
        assert_eq!(Shades::upto(120).labels(), ["1–2", "3–9", "10–29", "30–99", "100–120"]);
        assert_eq!(Shades::upto(2_000).labels(), ["1–9", "10–99", "100–999", "1,000–2,000"]);
    }

    proptest! {
        #[test]
        fn every_count_has_a_class_and_zero_none(most in 1..=u64::MAX, part in 0.0..=1.0_f64) {
            let shades = Shades::upto(most);
            let count = ((most as f64 * part) as u64).clamp(1, most);
            let class = shades.class(count).unwrap();
            prop_assert!(class < shades.labels().len() && shades.labels().len() <= SHADES);
            prop_assert!(shades.shade(class) < SHADES);
            prop_assert_eq!(shades.class(0), None);
        }
    }
}
