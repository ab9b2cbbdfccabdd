//! What has happened, counted, and written as Prometheus reads it: its text format, version 0.0.4.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A count that only grows.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    pub fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// So many of them, at zero.
    #[must_use]
    pub fn many(length: usize) -> Vec<Self> {
        std::iter::repeat_with(Self::default).take(length).collect()
    }
}

/// How many there are at present.
#[derive(Debug, Default)]
pub struct Level(AtomicU64);

impl Level {
    pub fn set(&self, value: usize) {
        self.0.store(value as u64, Ordering::Relaxed);
    }

    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// How long things took.
#[derive(Debug)]
pub struct Times {
    /// Upper bounds of the buckets, in milliseconds.
    bounds: &'static [u64],
    /// The last is of all that took longer.
    buckets: Vec<Count>,
    microseconds: Count,
}

impl Times {
    #[must_use]
    pub fn new(bounds: &'static [u64]) -> Self {
        Self { bounds, buckets: Count::many(bounds.len() + 1), microseconds: Count::default() }
    }

    pub fn add(&self, took: Duration) {
        let place = self.bounds.iter().position(|bound| took <= Duration::from_millis(*bound));
        if let Some(bucket) = self.buckets.get(place.unwrap_or(self.bounds.len())) {
            bucket.add(1);
        }
        self.microseconds.add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    }

    /// How many there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.buckets.iter().map(Count::get).sum()
    }
}

/// A label and its value, one of few fixed words.
pub type Label = (&'static str, &'static str);

/// Families of metrics, written one after the other.
#[derive(Debug, Default)]
pub struct Families(String);

impl Families {
    fn begin(&mut self, name: &str, kind: &str, help: &str) -> String {
        let name = format!("apus_collector_{name}");
        let _infallible = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
        name
    }

    /// Counts, each with its labels.
    pub fn counters(&mut self, name: &str, help: &str, samples: impl IntoIterator<Item = (Vec<Label>, u64)>) {
        let name = self.begin(name, "counter", help);
        for (labels, value) in samples {
            let _infallible = writeln!(self.0, "{name}{} {value}", braced(&labels));
        }
    }

    /// A count without labels.
    pub fn counter(&mut self, name: &str, help: &str, count: &Count) {
        self.counters(name, help, [(Vec::new(), count.get())]);
    }

    pub fn gauge(&mut self, name: &str, help: &str, level: &Level) {
        let name = self.begin(name, "gauge", help);
        let _infallible = writeln!(self.0, "{name} {}", level.get());
    }

    /// Histograms, each with its labels, in seconds.
    pub fn times<'a>(
        &mut self,
        name: &str,
        help: &str,
        of: impl IntoIterator<Item = (Vec<Label>, &'a Times)>,
    ) {
        let name = self.begin(name, "histogram", help);
        for (labels, times) in of {
            let comma = if labels.is_empty() { "" } else { "," };
            let inside = listed(&labels);
            let mut sum = 0;
            for (count, bound) in times.buckets.iter().zip(times.bounds) {
                sum += count.get();
                let (whole, thousandths) = (bound / 1000, bound % 1000);
                let _infallible =
                    writeln!(self.0, "{name}_bucket{{{inside}{comma}le=\"{whole}.{thousandths:03}\"}} {sum}");
            }
            // What was counted since does not make it less than a bucket.
            let sum = times.count().max(sum);
            let microseconds = times.microseconds.get();
            let (whole, millionths) = (microseconds / 1_000_000, microseconds % 1_000_000);
            let braced = braced(&labels);
            let _infallible = writeln!(
                self.0,
                "{name}_bucket{{{inside}{comma}le=\"+Inf\"}} {sum}\n{name}_sum{braced} {whole}.{millionths:06}\n\
                 {name}_count{braced} {sum}"
            );
        }
    }

    #[must_use]
    pub fn text(self) -> String {
        self.0
    }
}

fn listed(labels: &[Label]) -> String {
    let pairs: Vec<String> = labels.iter().map(|(label, value)| format!("{label}=\"{value}\"")).collect();
    pairs.join(",")
}

fn braced(labels: &[Label]) -> String {
    if labels.is_empty() { String::new() } else { format!("{{{}}}", listed(labels)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_a_histogram_in_seconds() {
        let times = Times::new(&[1, 2_000]);
        // A bucket has what took as long as its bound, and nothing that took longer.
        for microseconds in [0, 1_000, 1_001, 2_000_001] {
            times.add(Duration::from_micros(microseconds));
        }
        let mut families = Families::default();
        families.times("x_seconds", "How long.", [(vec![("weight", "light")], &times)]);
        families.counters("y_total", "Some.", [(vec![("a", "b"), ("c", "d")], 7)]);
        let expected = "\
            # HELP apus_collector_x_seconds How long.\n\
            # TYPE apus_collector_x_seconds histogram\n\
            apus_collector_x_seconds_bucket{weight=\"light\",le=\"0.001\"} 2\n\
            apus_collector_x_seconds_bucket{weight=\"light\",le=\"2.000\"} 3\n\
            apus_collector_x_seconds_bucket{weight=\"light\",le=\"+Inf\"} 4\n\
            apus_collector_x_seconds_sum{weight=\"light\"} 2.002002\n\
            apus_collector_x_seconds_count{weight=\"light\"} 4\n\
            # HELP apus_collector_y_total Some.\n\
            # TYPE apus_collector_y_total counter\n\
            apus_collector_y_total{a=\"b\",c=\"d\"} 7\n";
        assert_eq!(families.text(), expected);
    }
}
