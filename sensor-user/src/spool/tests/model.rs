//! The spool against a plain model, in lockstep, over a disk that fails and a machine that stops.

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::disk::Crash;
use super::limits;
use super::world::{Step, World};

/// Runs that are always made: found a fault once, or reach far.
const SEEDS: [u8; 4] = [1, 2, 3, 4];

fn crash() -> impl Strategy<Value = Crash> {
    prop_oneof![Just(Crash::Lost), Just(Crash::Kept), Just(Crash::Torn)]
}

fn step() -> impl Strategy<Value = Step> {
    let append = (9..120_usize, prop::option::of(0..300_usize), prop::bool::weighted(0.9), 0..8_u8)
        .prop_map(|(counts, flows, released, tag)| Step::Append { counts, flows, released, tag: tag / 7 });
    let ship = (0..4_usize, prop::bool::weighted(0.7), prop::bool::weighted(0.6))
        .prop_map(|(skip, stored, answered)| Step::Ship { skip, stored, answered });
    prop_oneof![
        30 => append,
        12 => ship,
        2 => Just(Step::ReleaseAll),
        1 => any::<usize>().prop_map(|which| Step::LateAnswer { which }),
        1 => Just(Step::Epoch),
        1 => Just(Step::Kill),
        2 => crash().prop_map(Step::Crash),
        3 => (1..40_u64, crash()).prop_map(|(operations, how)| Step::CrashSoon { operations, how }),
        2 => prop_oneof![Just(0), Just(20), Just(200)].prop_map(Step::Faults),
        1 => prop::option::of(500..9000_usize).prop_map(Step::Capacity),
    ]
}

fn run((seed, max_bytes, max_age, steps): (u64, u64, u64, Vec<Step>)) {
    let mut limits = limits(max_bytes);
    limits.max_age = std::time::Duration::from_secs(max_age);
    let mut world = World::new(seed, limits);
    steps.into_iter().for_each(|step| world.step(step));
    world.finish();
}

fn runs() -> impl Strategy<Value = (u64, u64, u64, Vec<Step>)> {
    let age = prop_oneof![Just(u64::MAX / 4), 5..60_u64];
    (any::<u64>(), 3000..9000_u64, age, prop::collection::vec(step(), 1..150))
}

proptest! {
    #![proptest_config(Config { failure_persistence: None, max_shrink_iters: 2_000, ..Config::default() })]
    #[test]
    fn nothing_is_lost_and_nothing_is_twice(run_of in runs()) {
        run(run_of);
    }
}

#[test]
fn nothing_is_lost_and_nothing_is_twice_in_known_runs() {
    for seed in SEEDS {
        let random = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
        let config =
            Config { failure_persistence: None, cases: 50, max_shrink_iters: 2_000, ..Config::default() };
        let mut runner = TestRunner::new_with_rng(config, random);
        runner
            .run(&runs(), |run_of| {
                run(run_of);
                Ok(())
            })
            .unwrap();
    }
}
