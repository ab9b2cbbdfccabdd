//! The machine stops at every change that a script makes to the disk, in every way.

use super::disk::Crash;
use super::limits;
use super::world::{Step, World};

/// Appends, sends, stores, fills up and merges: each kind of change comes at least once.
fn script() -> Vec<Step> {
    let append = |counts, flows| Step::Append { counts, flows, released: true, tag: 0 };
    let mut steps = Vec::new();
    for round in 0..9 {
        steps.extend([append(60, Some(200)), append(100, None), append(30, Some(90))]);
        if round % 2 == 0 {
            steps.push(Step::Ship { skip: 1, stored: true, answered: round % 4 == 0 });
        }
        if round == 6 {
            steps.push(Step::Kill);
        }
    }
    steps.extend([Step::LateAnswer { which: 0 }, append(20, Some(20)), Step::LateAnswer { which: 1 }]);
    steps
}

const MAX_BYTES: u64 = 3600;

#[test]
fn the_script_does_all_there_is_to_do() {
    let mut world = World::new(0, limits(MAX_BYTES));
    script().into_iter().for_each(|step| world.step(step));
    // Its spool was opened anew once, which begins its totals anew.
    let status = world.spool.as_ref().unwrap().status();
    assert!(status.merged_intervals > 0 && status.dropped.intervals > 0, "{status:?}");
    world.finish();
}

#[test]
fn a_crash_at_every_change_loses_nothing_and_counts_nothing_twice() {
    let mut world = World::new(0, limits(MAX_BYTES));
    script().into_iter().for_each(|step| world.step(step));
    let operations = world.disk.operations();
    for how in [Crash::Lost, Crash::Kept, Crash::Torn, Crash::Torn] {
        for at in 1..=operations {
            let mut world = World::new(at, limits(MAX_BYTES));
            world.step(Step::CrashSoon { operations: at, how });
            script().into_iter().for_each(|step| world.step(step));
            world.finish();
        }
    }
}

#[test]
fn two_crashes_in_a_row_lose_nothing_either() {
    for first in (1..200).step_by(7) {
        for second in 1..12 {
            let mut world = World::new(first, limits(MAX_BYTES));
            world.step(Step::CrashSoon { operations: first, how: Crash::Torn });
            let mut crashed = false;
            for step in script() {
                let before = world.disk.operations();
                world.step(step);
                if !crashed && before < first && world.disk.operations() >= first {
                    crashed = true;
                    world.step(Step::CrashSoon { operations: second, how: Crash::Torn });
                }
            }
            world.finish();
        }
    }
}
