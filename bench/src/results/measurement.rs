//! One benchmark's figures.

use serde::{Deserialize, Serialize};

use crate::statistics::Spread;

/// What one benchmark has measured in one run.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Measurement {
    /// A plot each, and a table in the terminal.
    pub figures: Vec<Figure>,
    pub aims: Vec<Aim>,
    /// What was checked while measuring, a sentence each: 'sent 50,331,648, counted 50,331,648'.
    pub checked: Vec<String>,
    /// Why a figure is to be taken with care: noise, something absent, the generator's own ceiling.
    pub warnings: Vec<String>,
}

/// One plot.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Figure {
    /// Unique within its benchmark, for tables of documents: `above_drop`.
    pub name: String,
    pub title: String,
    /// Of the values: 'ns per packet', 'million packets/s', '%'.
    pub unit: String,
    pub better: Better,
    pub plot: Plot,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Better {
    Lower,
    Higher,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Plot {
    /// A bar for each variant, its length the median, with a whisker from the least to the greatest.
    Bars(Vec<Bar>),
    /// How a figure grows, or goes over time.
    Lines { x: Axis, y: Scale, series: Vec<Series> },
    /// Latencies, in the figure's unit.
    Quantiles(Vec<Quantiles>),
}

/// One variant.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Bar {
    pub label: String,
    pub measured: Measured,
}

/// What was measured, or why it was not: nobody is left out silently.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Measured {
    Spread(Spread),
    Absent(String),
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Axis {
    /// With its unit: 'sources', 'seconds', 'packets/s sent'.
    pub title: String,
    pub scale: Scale,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    Linear,
    /// Decades; nothing at zero or below can be shown.
    Logarithmic,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Series {
    pub label: String,
    /// By growing x.
    pub points: Vec<Point>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Point {
    pub x: f64,
    pub y: Spread,
}

/// Of one histogram.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Quantiles {
    pub label: String,
    /// How many values there were.
    pub count: u64,
    pub p50: f64,
    pub p90: f64,
    pub p99: f64,
    pub p999: f64,
    pub max: f64,
}

/// A figure that there is an aim for.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Aim {
    /// What is aimed at: 'the sensor's share of the bare drop'.
    pub of: String,
    pub aim: f64,
    pub measured: f64,
    pub unit: String,
    pub better: Better,
}

impl Aim {
    #[must_use]
    pub fn is_met(&self) -> bool {
        match self.better {
            Better::Lower => self.measured <= self.aim,
            Better::Higher => self.measured >= self.aim,
        }
    }
}

impl Figure {
    /// A plot of bars.
    #[must_use]
    pub fn bars(name: &str, title: &str, unit: &str, better: Better, bars: Vec<Bar>) -> Self {
        let plot = Plot::Bars(bars);
        Self { name: name.into(), title: title.into(), unit: unit.into(), better, plot }
    }
}

impl Bar {
    /// A bar of all rounds; without any it is absent.
    #[must_use]
    pub fn of_rounds(label: &str, rounds: Vec<f64>) -> Self {
        let measured =
            Spread::new(rounds).map_or_else(|| Measured::Absent("no rounds".into()), Measured::Spread);
        Self { label: label.into(), measured }
    }

    /// A bar of what there is one of.
    #[must_use]
    pub fn once(label: &str, figure: f64) -> Self {
        Self { label: label.into(), measured: Measured::Spread(Spread::once(figure)) }
    }
}
