//! What every store promises, whatever its engine: the same tests for each.

pub mod committing;
pub mod days;
pub mod keeping;
pub mod model;
pub mod rows;
mod sample;

use std::path::Path;

use super::{Finding, FindingKind, Outcome, Period, Reader, RollupFilter, Store};
pub use sample::{Sample, flow};

/// Opens a store in a folder, that of before where there is one; with flows' rows kept.
pub type Open = fn(&Path) -> Box<dyn Store>;

/// Makes a test of each promise, for the store that `$open` opens.
macro_rules! conformance {
    ($open:expr) => {
        conformance!(@ $open,
            committing: a_batch_is_counted_once, a_name_with_other_content_is_a_conflict,
                merged_intervals_are_counted_once, one_bad_batch_keeps_no_other_from_the_store,
                what_is_in_no_flow_is_told, a_number_beyond_all_measure_is_refused,
                sums_of_many_end_at_the_highest_number, times_beyond_all_measure_are_refused,
                what_was_committed_is_there_after_a_restart;
            days: a_row_counts_on_the_day_it_was_seen, days_end_at_midnight_in_leap_years_too,
                no_packets_is_not_no_sensor, hours_are_of_the_newest_days_alone,
                questions_about_slices_have_the_answers_of_their_sql,
                sources_are_told_apart_as_their_sql_does;
            keeping: flows_go_and_their_sums_stay, a_clock_that_is_ahead_removes_nothing,
                what_is_stored_or_was_is_known, the_last_that_came_tells_of_a_sensor, what_was_removed_is_not_counted_again,
                a_copy_made_while_batches_come_is_sound, readers_see_whole_groups, gaps_are_told,
                clocks_are_judged, every_table_can_be_scanned, questions_change_nothing;
            model: sums_are_those_of_a_plain_model;
            rows: rows_are_those_that_match, flows_of_backscatter_name_victims, intervals_tell_of_days,
                a_reader_stays_at_a_moment;
        );
    };
    (@ $open:expr, $($module:ident: $($name:ident),+;)+) => {
        $($(
            #[test]
            fn $name() {
                $crate::store::conformance::$module::$name($open);
            }
        )+)+
    };
}
pub(crate) use conformance;

/// Everything that is wrong, by the store's own check.
pub fn breaches(reader: &dyn Reader) -> Vec<String> {
    findings(reader, FindingKind::Breach)
}

pub fn findings(reader: &dyn Reader, of: FindingKind) -> Vec<String> {
    let mut found = Vec::new();
    let tell = &mut |Finding { kind, what }| {
        if kind == of {
            found.push(what);
        }
    };
    reader.verify(tell).unwrap();
    found
}

/// Packets in all flows.
pub fn packets(reader: &dyn Reader) -> u64 {
    let sums = reader.port_sums(&RollupFilter::of(Period::ALL), &[], 10).unwrap();
    sums.first().map_or(0, |sum| sum.packets)
}

/// Commits one batch by itself.
pub fn commit(store: &mut dyn Store, sample: &Sample) -> Outcome {
    store.commit(&[sample.incoming()]).unwrap().remove(0)
}
