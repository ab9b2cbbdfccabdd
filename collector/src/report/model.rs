//! A report as plain data: what is asked of the store comes to this, and all that is shown is made of it.
//!
//! It is also the report's JSON. Words are in all languages; values are numbers, never words.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::language::Text;

/// Version of the JSON: it grows where a reader of the last one would go wrong.
pub const FORMAT: u32 = 1;

/// A whole report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    pub format: u32,
    pub title: Text,
    pub period: Span,
    /// The period before, of the same kind, which ranks are compared with.
    pub previous: Span,
    pub sensors: Vec<SensorDays>,
    pub sections: Vec<Section>,
    /// What stands behind the figures: versions of region tables, lists of ports and addresses.
    pub sources: Vec<Text>,
}

/// Days, of which the last is excluded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// Such as `2024Q2`; absent where it is no quarter.
    pub name: Option<String>,
    /// Such as `2024-04-01`.
    pub from: String,
    pub to: String,
    pub days: u32,
}

/// How much of the period a sensor was counting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SensorDays {
    pub sensor: String,
    /// Days' worth of up-time in the period, and in the previous one.
    pub observed_days: f64,
    pub previous_observed_days: f64,
}

/// One heading and what stands under it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Section {
    /// Unique in the report, of `a-z0-9-`: an anchor, and the name of its files.
    pub id: String,
    pub title: Text,
    /// Sentences that the numbers below bear out.
    pub summary: Vec<Text>,
    pub blocks: Vec<Block>,
    /// The section's numbers by name, for machines: `share`, `growth`, `first_day`.
    pub facts: BTreeMap<String, Value>,
}

/// What a section shows, in order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Block {
    Figure(Figure),
    Table(Table),
    Matrix(Matrix),
}

/// How series are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Style {
    Lines,
    /// Areas on top of each other.
    Stacked,
}

/// Values by day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// Unique in the report, of `a-z0-9-`.
    pub id: String,
    pub title: Text,
    pub style: Style,
    /// What the left axis counts, such as 'packets per sensor per day'.
    pub unit: Text,
    /// What the right axis counts, where a series is on it.
    pub right_unit: Option<Text>,
    /// Such as `2024-04-01`; each series has a value for each.
    pub days: Vec<String>,
    pub series: Vec<Series>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Series {
    pub id: String,
    pub name: Text,
    /// Absent is not observed, which is a gap and never zero.
    pub values: Vec<Option<f64>>,
    pub is_on_right_axis: bool,
}

/// What a column holds, and so how it is written and aligned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnKind {
    Text,
    /// Grouped by thousands.
    Count,
    /// With one decimal.
    Decimal,
    /// Of 1, shown as per cent.
    Share,
    /// With the times sign: `1.8 ×`.
    Ratio,
    /// A rank, or the words for below the tenth where it is absent.
    Rank,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Column {
    pub id: String,
    pub name: Text,
    pub kind: ColumnKind,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Cell {
    Nothing,
    Number(f64),
    Text(Text),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// Unique in the report, of `a-z0-9-`.
    pub id: String,
    pub title: Text,
    pub columns: Vec<Column>,
    pub rows: Vec<Vec<Cell>>,
}

/// Counts by row and day, such as victims by day: shown in shades.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Matrix {
    /// Unique in the report, of `a-z0-9-`.
    pub id: String,
    pub title: Text,
    pub unit: Text,
    pub days: Vec<String>,
    pub rows: Vec<MatrixRow>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MatrixRow {
    pub name: Text,
    /// Absent is not observed.
    pub values: Vec<Option<u64>>,
}
