//! The CPUs that this process may use, and which of them does what.

use anyhow::{Context as _, Result, bail, ensure};
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

/// The CPUs that this process may run on, by number: one at least.
///
/// # Errors
/// Where the kernel does not say.
pub fn allowed() -> Result<Vec<usize>> {
    let allowed = sched_getaffinity(Pid::from_raw(0)).context("cannot ask for this process's CPUs")?;
    let cpus: Vec<usize> = (0..CpuSet::count()).filter(|cpu| allowed.is_set(*cpu).unwrap_or(false)).collect();
    ensure!(!cpus.is_empty(), "this process may use no CPU with a number below {}", CpuSet::count());
    Ok(cpus)
}

/// The CPU that sends and receives, and another for what is measured: those that are asked for, else the first two that
/// this process may use.
///
/// # Errors
/// Where it may use one alone, and not both were asked for.
pub fn sender_and_other(sender: Option<usize>, other: Option<usize>) -> Result<[usize; 2]> {
    choose(&allowed()?, sender, other)
}

fn choose(allowed: &[usize], sender: Option<usize>, other: Option<usize>) -> Result<[usize; 2]> {
    let besides = |taken: Option<usize>| allowed.iter().copied().find(|cpu| Some(*cpu) != taken);
    let first = sender.or_else(|| besides(other));
    match (first, other.or_else(|| besides(first))) {
        (Some(sender), Some(other)) => Ok([sender, other]),
        _ => bail!(
            "this process may use CPU {allowed:?} alone, and this takes two: one that sends and receives, and another for \
             what is measured. Allow it more (taskset, the control group's cpuset), or take a machine with more"
        ),
    }
}

/// Binds this thread, and those that it starts and that do not bind themselves, to a CPU.
///
/// # Errors
/// Where the kernel refuses.
pub fn stay_on(cpu: usize) -> Result<()> {
    let mut only = CpuSet::new();
    only.set(cpu)
        .and_then(|()| sched_setaffinity(Pid::from_raw(0), &only))
        .with_context(|| format!("cannot stay on CPU {cpu}"))
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn cpus_are_those_that_are_allowed_and_not_the_first_of_the_machine() {
        assert_eq!(choose(&[3, 5, 7], None, None).unwrap(), [3, 5]);
        assert_eq!(choose(&[3, 5, 7], Some(5), None).unwrap(), [5, 3]);
        assert_eq!(choose(&[3, 5, 7], None, Some(3)).unwrap(), [5, 3]);
        assert_eq!(choose(&[3, 5, 7], Some(3), Some(7)).unwrap(), [3, 7]);
    }

    #[test]
    fn one_cpu_alone_is_an_error_unless_both_are_named() {
        for (sender, other) in [(None, None), (Some(4), None), (None, Some(4))] {
            let error = choose(&[4], sender, other).unwrap_err().to_string();
            assert!(error.contains("CPU [4] alone"), "{error}");
        }
        assert_eq!(choose(&[4], Some(4), Some(4)).unwrap(), [4, 4]);
    }

    #[test]
    fn who_stays_on_a_cpu_may_use_that_one() {
        let last = allowed().unwrap().pop().unwrap();
        let staying = thread::spawn(move || stay_on(last).and_then(|()| allowed()));
        assert_eq!(staying.join().unwrap().unwrap(), [last]);
    }
}
