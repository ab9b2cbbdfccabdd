//! Figures that may be the path's, and not those of what is at its end.

/// From this part of the ceiling's rate on, what is measured may be the ceiling.
const NEAR: f64 = 0.9;

/// A warning where a rate is so near to its ceiling's, in the same unit, that the figure may be the ceiling's: the generator
/// alone for the bare drop, and the bare drop of the same run for whatever does more than to drop.
#[must_use]
pub fn near_ceiling(label: &str, rate: f64, (of, ceiling): (&str, f64)) -> Option<String> {
    (rate >= NEAR * ceiling).then(|| {
        format!(
            "'{label}' is at {:.0} % of {of}: the figure says what that can do, and not what '{label}' could",
            rate / ceiling * 100.0
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_near_is_warned_of() {
        assert_eq!(near_ceiling("sensor", 11.6, ("the bare drop", 62.0)), None);
        let words = near_ceiling("drop", 9.4, ("the generator alone", 10.0)).unwrap();
        assert!(words.contains("'drop' is at 94 % of the generator alone"), "{words}");
    }
}
