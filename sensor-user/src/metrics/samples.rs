//! Numbers on their way out.

use super::registry::Metric;

/// One number, or one distribution.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Whole(u64),
    Real(f64),
    Distribution {
        /// Upper bounds, and how many were at most as large, growing.
        buckets: Vec<(f64, u64)>,
        count: u64,
        sum: f64,
    },
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Whole(number)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Real(number)
    }
}

/// A value, and what it is of.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// In the order of the metric's labels.
    pub labels: Vec<String>,
    pub value: Value,
}

/// A metric with all of its samples, which may be none.
#[derive(Clone, Debug)]
pub struct Family {
    pub metric: &'static Metric,
    pub samples: Vec<Sample>,
}

/// What a metric's samples are put into.
#[derive(Debug, Default)]
pub struct Samples(pub Vec<Sample>);

impl Samples {
    /// The one sample of a metric without labels.
    pub fn put(&mut self, value: impl Into<Value>) {
        self.0.push(Sample { labels: Vec::new(), value: value.into() });
    }

    /// A sample with these labels.
    pub fn put_of<const LABELS: usize>(&mut self, labels: [String; LABELS], value: impl Into<Value>) {
        self.0.push(Sample { labels: labels.into(), value: value.into() });
    }

    /// A sample for each number, by name.
    pub fn put_all(&mut self, named: impl IntoIterator<Item = (&'static str, u64)>) {
        named.into_iter().for_each(|(name, number)| self.put_of([name.to_owned()], number));
    }
}
