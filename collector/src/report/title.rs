//! What a report is called.

use super::period::ReportPeriod;
use crate::language::Text;
use crate::report::section::date;
use crate::store::Day;

/// With its quarter, or its first and its last day.
#[must_use]
pub fn title(period: &ReportPeriod) -> Text {
    let last = Day(period.to.0 - 1);
    match period.quarter {
        Some(quarter) => {
            let (first, last_month) = quarter.months();
            Text::new(
                format!("Network telescope report {quarter} ({} to {last})", period.from),
                format!("インターネット定点観測レポート({}年{first}～{last_month}月)", quarter.year()),
            )
        }
        None => {
            let (from, to) = (date(period.from), date(last));
            Text::new(
                format!("Network telescope report ({} to {})", from.en, to.en),
                format!("インターネット定点観測レポート({}～{})", from.ja, to.ja),
            )
        }
    }
}
