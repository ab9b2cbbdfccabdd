//! What a report looks like: a page of HTML with its figures as SVG, Markdown, and JSON.
//!
//! Nothing here knows where the numbers come from: [`Report`] is all that is read. Every word in it may be anyone's,
//! and is escaped where it is written. The same report gives the same bytes.

mod calendar;
pub mod escape;
pub mod html;
mod markdown;
pub mod numbers;
pub mod svg;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod words;

pub use html::html;
pub use markdown::markdown;

use crate::report::model::Report;

/// The report for machines: all languages at once, values unrounded, what is not a number as `null`.
#[must_use]
pub fn json(report: &Report) -> String {
    let mut json =
        serde_json::to_string_pretty(report).expect("every key of a report is text, so it always is JSON");
    json.push('\n');
    json
}
