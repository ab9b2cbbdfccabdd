//! Figures that may be the generator's, and not those of what it sends to.

/// From this part of the generator's own rate on, what is measured may be the generator.
const NEAR: f64 = 0.9;

/// A warning where a rate is so near to what the generator makes by itself that the figure may be the generator's.
/// Both are in the same unit.
#[must_use]
pub fn near_ceiling(label: &str, rate: f64, ceiling: f64) -> Option<String> {
    (rate >= NEAR * ceiling).then(|| {
        format!(
            "'{label}' is at {:.0} % of the generator's own ceiling: the figure says what the generator can do, and not \
             what '{label}' could",
            rate / ceiling * 100.0
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_near_is_warned_of() {
        assert_eq!(near_ceiling("sensor", 11.6, 62.0), None);
        let words = near_ceiling("drop", 9.4, 10.0).unwrap();
        assert!(words.contains("'drop' is at 94 %"), "{words}");
    }
}
