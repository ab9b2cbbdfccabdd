//! What is not as it has to be.

use std::collections::BTreeMap;

use serde::Serialize;

/// One thing that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    pub what: String,
    pub expected: String,
    pub reported: String,
}

impl Difference {
    pub fn new(what: impl Into<String>, expected: impl ToString, reported: impl ToString) -> Self {
        Self { what: what.into(), expected: expected.to_string(), reported: reported.to_string() }
    }
}

/// Things that were looked at, and those of them that differ.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    pub number: usize,
    pub differences: Vec<Difference>,
}

impl Checked {
    /// Looks at one thing.
    pub fn equal<T: PartialEq + ToString>(&mut self, what: impl Into<String>, expected: &T, reported: &T) {
        self.number += 1;
        if expected != reported {
            self.differences.push(Difference::new(what, expected.to_string(), reported.to_string()));
        }
    }

    /// Looks at a thing that may be wrong in words.
    pub fn that(&mut self, holds: bool, otherwise: impl FnOnce() -> Difference) {
        self.number += 1;
        if !holds {
            self.differences.push(otherwise());
        }
    }

    /// Looks at each key of both; one that is missing is 0.
    pub fn counts(&mut self, what: &str, expected: &BTreeMap<String, u64>, reported: &BTreeMap<String, u64>) {
        for (key, count) in expected {
            let found = reported.get(key).copied().unwrap_or(0);
            self.equal(format!("{what}: {key}"), count, &found);
        }
        for (key, count) in reported.iter().filter(|(key, _)| !expected.contains_key(*key)) {
            self.equal(format!("{what}: {key}"), &0, count);
        }
    }

    pub fn extend(&mut self, other: Self) {
        self.number += other.number;
        self.differences.extend(other.differences);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(of: &[(&str, u64)]) -> BTreeMap<String, u64> {
        of.iter().map(|(key, count)| ((*key).to_owned(), *count)).collect()
    }

    #[test]
    fn a_packet_too_few_a_row_too_few_and_a_row_too_many_are_noticed() {
        let expected = counts(&[("a", 3), ("b", 4)]);
        let mut checked = Checked::default();
        checked.counts("store", &expected, &expected);
        assert_eq!((checked.number, checked.differences.len()), (2, 0));
        for wrong in [&[("a", 2), ("b", 4)][..], &[("a", 3)], &[("a", 3), ("b", 4), ("c", 1)]] {
            let mut checked = Checked::default();
            checked.counts("store", &expected, &counts(wrong));
            assert_eq!(checked.differences.len(), 1, "{wrong:?}");
        }
    }
}
