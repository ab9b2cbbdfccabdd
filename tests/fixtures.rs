//! Every fixture through the two machines that follow the rules: the kernel and the host.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use end_to_end::fixture::{self, Effect, Fixture};
use end_to_end::kernel::Kernel;
use end_to_end::{host, privileged};
use sensor_user::config::Settings;

/// Runs every fixture that the machine takes, and tells of all that came out wrong at once.
fn check(mut run: impl FnMut(&Fixture) -> Result<Option<Effect>>) -> Result<usize> {
    let (mut wrong, mut checked) = (String::new(), 0);
    for fixture in fixture::all()? {
        let Fixture { name, says, expected, .. } = &fixture;
        let Some(effect) = run(&fixture).with_context(|| name.clone())? else {
            continue;
        };
        checked += 1;
        if effect != *expected {
            write!(wrong, "\n{name}: {says}\n  expected {expected:?}\n  but was  {effect:?}")?;
        }
    }
    ensure!(wrong.is_empty(), "fixtures fail:{wrong}");
    Ok(checked)
}

#[test]
fn every_fixture_through_the_kernel() -> Result<()> {
    if !privileged() {
        return Ok(());
    }
    // A configuration is part of the program that is loaded: one program for each.
    let mut loaded: Vec<(Settings, Kernel)> = Vec::new();
    let checked = check(|Fixture { settings, frame, .. }| {
        let place = match loaded.iter().position(|(other, _)| other == settings) {
            Some(place) => place,
            None => {
                loaded.push((settings.clone(), Kernel::load(settings)?));
                loaded.len() - 1
            }
        };
        let kernel = &mut loaded[place].1;
        kernel.takes(frame).then(|| kernel.run(frame)).transpose()
    })?;
    println!("{checked} frames through {} programs", loaded.len());
    for (_, kernel) in &loaded {
        let breaches = kernel.watcher.cut().breaches;
        ensure!(breaches.is_empty(), "{breaches:?}");
    }
    Ok(())
}

#[test]
fn every_fixture_through_the_host() -> Result<()> {
    let checked = check(|Fixture { settings, frame, .. }| Ok(Some(host::run(settings, frame))))?;
    println!("{checked} frames");
    Ok(())
}

/// Names of fixtures, a family being one.
fn names() -> Result<BTreeSet<String>> {
    let family = |fixture: Fixture| fixture.name.split('@').next().unwrap_or_default().to_owned();
    Ok(fixture::all()?.into_iter().map(family).collect())
}

/// The words in backticks of the last column of every table in `docs/decoding.md` that is headed so.
fn names_in_the_rules() -> Result<BTreeSet<String>> {
    let path = fixture::package().join(Path::new("../docs/decoding.md"));
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut names = BTreeSet::new();
    let mut in_table = false;
    for line in text.lines() {
        let Some(cells) = line.strip_prefix('|').and_then(|line| line.strip_suffix('|')) else {
            in_table = false;
            continue;
        };
        let last = cells.rsplit('|').next().unwrap_or_default().trim();
        in_table |= last == "fixtures";
        if in_table {
            names.extend(last.split('`').skip(1).step_by(2).map(str::to_owned));
        }
    }
    Ok(names)
}

#[test]
fn the_rules_name_every_fixture_and_no_other() -> Result<()> {
    let (fixtures, rules) = (names()?, names_in_the_rules()?);
    let unknown: Vec<_> = rules.difference(&fixtures).collect();
    ensure!(unknown.is_empty(), "docs/decoding.md names fixtures that there are not: {unknown:?}");
    let unruly: Vec<_> = fixtures.difference(&rules).collect();
    ensure!(unruly.is_empty(), "docs/decoding.md has no rule for these fixtures: {unruly:?}");
    Ok(())
}

#[test]
fn every_outcome_class_and_signature_has_a_fixture() -> Result<()> {
    use sensor_ebpf::abi::{Outcome, Signature, TcpClass};
    let raised: BTreeSet<String> =
        fixture::all()?.into_iter().flat_map(|fixture| fixture.expected.raised.into_keys()).collect();
    let outcomes = Outcome::ALL.map(|outcome| format!("outcomes.{}", outcome.name()));
    let classes = TcpClass::ALL.map(|class| format!("tcp_classes.{}", class.name()));
    let signatures = Signature::ALL.map(|signature| format!("signatures.{}", signature.name()));
    for name in outcomes.iter().chain(&classes).chain(&signatures) {
        ensure!(raised.contains(name), "no fixture raises {name}");
    }
    Ok(())
}

/// A name stands for one rule, in whichever file it is.
#[test]
fn fixtures_have_names_of_their_own() -> Result<()> {
    let mut seen = BTreeSet::new();
    for fixture in fixture::all()? {
        ensure!(seen.insert(fixture.name.clone()), "two fixtures are called {}", fixture.name);
    }
    Ok(())
}
