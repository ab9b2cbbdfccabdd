//! What may be chosen among.

use clap::ValueEnum;
use serde::Deserialize;

/// How to attach.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// In the driver where it can, else in the network stack, with a warning.
    #[default]
    Auto,
    /// In the driver, or not at all.
    Native,
    /// In the network stack: slower, and with any driver.
    Generic,
}

/// What becomes of packets to observed destinations. All others always pass.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    #[default]
    Pass,
    Drop,
}

/// How intervals are shown.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Output {
    /// One JSON document a line.
    #[default]
    Json,
    /// Tables for people.
    Table,
}

/// How flows are written to files.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum FlowsFormat {
    #[default]
    Parquet,
    Csv,
}
