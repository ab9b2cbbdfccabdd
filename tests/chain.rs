//! The whole chain under everything that may befall it: what is stored is what was sent.

use std::env;
use std::thread;

use anyhow::{Context as _, Error, Result, ensure};
use end_to_end::agent::Host;
use end_to_end::chain::{Round, Scene, Told};
use end_to_end::privileged;
use testbed::{Generator, Link, Namespace, mix};

/// Rounds in all, unless `APUS_ROUNDS` says another number.
const ROUNDS: u64 = 200;
/// Scenes that rounds are played on at once.
const SCENES: u64 = 2;

/// Random schedules of faults. A failing round names its seed: `APUS_SEED` begins with it, and `APUS_ROUNDS=1` ends with it.
#[test]
fn whatever_happens_what_is_stored_is_what_was_sent() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    let number =
        |name: &str, otherwise: u64| env::var(name).map_or(Ok(otherwise), |text| text.parse::<u64>());
    let rounds = number("APUS_ROUNDS", ROUNDS).context("APUS_ROUNDS is no number")?;
    let first = number("APUS_SEED", 1).context("APUS_SEED is no number")?;
    let told = thread::scope(|scope| {
        let players: Vec<_> = (0..SCENES.min(rounds))
            .map(|place| scope.spawn(move || play((first + place..first + rounds).step_by(SCENES as usize))))
            .collect();
        // All are waited for before the first error is told.
        let results: Vec<_> = players.into_iter().map(thread::ScopedJoinHandle::join).collect();
        results.into_iter().try_fold(Told::default(), |told, result| {
            Ok::<_, Error>(told.and(result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?))
        })
    })?;
    println!("{rounds} rounds: {told:?}");
    // Merging takes a spool that is full by its own measure, and so more intervals than a round has.
    let Told { packets, intervals, merged: _, clock_steps, without_flows, packets_in_no_flow } = told;
    let traces = [packets, intervals, clock_steps, without_flows, packets_in_no_flow];
    // Faults that leave no trace in so many rounds are none.
    ensure!(rounds < ROUNDS || !traces.contains(&0), "something that should happen never does: {told:?}");
    Ok(())
}

fn play(seeds: impl Iterator<Item = u64>) -> Result<Told> {
    let (sender, collectors) = (Namespace::new()?, [Namespace::new()?, Namespace::new()?]);
    let host = Host::new()?;
    let link = Link::between(&sender, &host.namespace)?;
    let scene = Scene::new(&host, [&collectors[0], &collectors[1]])?;
    let mix = mix::telescope();
    let mut generator = Generator::new(&mix)?;
    let mut told = Told::default();
    for seed in seeds {
        let round = Round::new(&scene, &link, seed)?.run(&mut generator, &mix);
        told = told.and(round.with_context(|| format!("seed {seed}"))?);
    }
    Ok(told)
}
