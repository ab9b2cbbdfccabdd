//! How long what is kept.

/// How long what is kept, in days of UTC; forever where a number is absent.
///
/// What outlives its time is removed by whole days, in small steps between commits. What has been stored once is known
/// forever, so that nothing old is counted twice. Days are counted from today, but from no later day than the one after
/// the newest stored interval's: a host's clock that is wrong by years removes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Retention {
    /// Rows of flows. 0 does not keep them at all; their sums are kept all the same.
    pub flow_days: Option<u32>,
    /// Intervals and their counters, and what is left of their flows then.
    pub counter_days: Option<u32>,
    /// Sums by day.
    pub rollup_days: Option<u32>,
    /// Sums by hour.
    pub hour_days: Option<u32>,
}

impl Default for Retention {
    fn default() -> Self {
        Self { flow_days: Some(30), counter_days: Some(400), rollup_days: None, hour_days: Some(8) }
    }
}

impl Retention {
    /// Removes nothing.
    pub const FOREVER: Self =
        Self { flow_days: None, counter_days: None, rollup_days: None, hour_days: None };

    /// Whether rows of flows are kept at all.
    #[must_use]
    pub fn keeps_flows(&self) -> bool {
        self.flow_days != Some(0)
    }
}
