//! How noisy the machine is: what others take of its processors, and by how much rounds differ.

mod ceiling;
mod processors;

use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

pub use ceiling::near_ceiling;
pub use processors::Processors;

use crate::statistics::{Spread, Verdict, told_apart};

/// How long others are watched while this program waits.
const GLANCE: Duration = Duration::from_millis(300);
/// A machine's own chores are less than this, of all its CPUs.
const MOST_BY_OTHERS: f64 = 0.05;
/// What a hypervisor takes for others.
const MOST_STOLEN: f64 = 0.01;
/// How far the middle half of a bare drop's rounds may lie apart: on a quiet machine less than half of it.
const MOST_UNREST: f64 = 0.10;

/// Watches the machine from before a measurement until after it.
pub struct Watch {
    others_before: f64,
    begun: Option<Processors>,
}

impl Watch {
    /// Looks a moment at what others do, and begins.
    #[must_use]
    pub fn begin() -> Self {
        Self { others_before: load_by_others(), begun: Processors::now() }
    }

    /// What is to be said of the time since.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let stolen = self.begun.zip(Processors::now()).map_or(0.0, |(begun, now)| now.since(&begun).stolen());
        warnings(self.others_before, load_by_others(), stolen)
    }
}

static OF_PROCESS: OnceLock<Watch> = OnceLock::new();

/// Watches from here on, until [`of_process`] asks.
pub fn watch_process() {
    OF_PROCESS.get_or_init(Watch::begin);
}

/// What is to be said of the time since [`watch_process`]; nothing where nobody has watched.
#[must_use]
pub fn of_process() -> Vec<String> {
    OF_PROCESS.get().map(Watch::warnings).unwrap_or_default()
}

/// The part of all CPUs that is busy while this program does nothing.
fn load_by_others() -> f64 {
    let before = Processors::now();
    thread::sleep(GLANCE);
    before.zip(Processors::now()).map_or(0.0, |(before, now)| now.since(&before).busy())
}

fn warnings(others_before: f64, others_after: f64, stolen: f64) -> Vec<String> {
    let mut warnings = Vec::new();
    let others = others_before.max(others_after);
    if others > MOST_BY_OTHERS {
        warnings.push(format!(
            "other programs took {:.0} % of all CPUs before or after: stop them, and measure again",
            others * 100.0
        ));
    }
    if stolen > MOST_STOLEN {
        warnings.push(format!(
            "the hypervisor gave {:.1} % of the CPUs' time to other machines meanwhile (steal)",
            stolen * 100.0
        ));
    }
    warnings
}

/// A warning where the rounds of what never changes, such as the bare drop, differ too much.
#[must_use]
pub fn of_rounds(label: &str, rounds: &Spread) -> Option<String> {
    let unrest = rounds.unrest();
    (unrest > MOST_UNREST).then(|| {
        format!(
            "the machine is noisy: the middle half of the rounds of '{label}' lies {:.0} % of the median apart \
             (least {:.1}, greatest {:.1})",
            unrest * 100.0,
            rounds.min,
            rounds.max
        )
    })
}

/// A warning where the rounds do not tell two figures apart.
#[must_use]
pub fn of_pair((first, its): (&str, &[f64]), (second, others): (&str, &[f64])) -> Option<String> {
    match told_apart(its, others) {
        Verdict::Apart(_) => None,
        Verdict::NotTold(chance) => Some(format!(
            "'{first}' and '{second}' cannot be told apart in {} rounds (sign test, p = {chance:.2})",
            its.len().min(others.len())
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quiet_machine_is_not_warned_of() {
        assert!(warnings(0.01, 0.02, 0.001).is_empty());
        let words = warnings(0.01, 0.62, 0.034);
        assert!(words[0].contains("62 % of all CPUs") && words[1].contains("3.4 %"), "{words:?}");
    }

    #[test]
    fn rounds_that_differ_are_warned_of() {
        // Million packets/s of the bare drop over a veth pair: quiet, and while something was being built.
        let quiet = Spread::new(vec![10.5, 10.3, 10.6, 10.5, 10.4, 9.9, 10.5, 10.7, 10.4, 10.6]).unwrap();
        let noisy = Spread::new(vec![10.1, 6.3, 9.8, 7.2, 10.4, 5.1, 8.8, 10.2, 7.7, 9.1]).unwrap();
        assert_eq!(of_rounds("drop", &quiet), None);
        assert!(
            of_rounds("drop", &noisy).unwrap().contains("'drop' lies 30 %"),
            "{:?}",
            of_rounds("drop", &noisy)
        );
    }

    #[test]
    fn a_pair_that_is_not_told_apart_is_warned_of() {
        let first = [14.3, 14.0, 15.1, 14.8, 14.4, 14.9, 14.2, 15.0, 14.6, 14.5];
        let second = [14.3, 13.4, 15.4, 14.9, 14.1, 15.2, 14.0, 15.2, 14.3, 14.9];
        let words = of_pair(("frags", &first), ("guess", &second)).unwrap();
        assert!(words.contains("10 rounds") && words.contains("p = 1.00"), "{words}");
        assert_eq!(of_pair(("one", &first), ("other", &second.map(|figure| figure + 9.0))), None);
    }
}
