//! Lines for the operator, on the standard error; how many is for `RUST_LOG` to say, and for [`Quiet`].

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use log::LevelFilter;

/// Lines about one matter in [`PERIOD`].
const LINES: u32 = 5;
const PERIOD: Duration = Duration::from_secs(60);
/// Matters that are told apart; those beyond them share one.
const MATTERS: usize = 4096;
/// What the matters that find no place share.
const REST: &str = "";

/// Makes lines appear: those of information and worse, unless `RUST_LOG` says otherwise.
pub fn start() {
    let mut builder = env_logger::Builder::new();
    builder.filter_level(LevelFilter::Info).parse_default_env().format(|out, record| {
        let level = match record.level() {
            log::Level::Error => "error: ",
            log::Level::Warn => "warning: ",
            _ => "",
        };
        // Whatever is in it, it is one line, and moves no cursor.
        writeln!(out, "apus-collector: {level}{}", wire::visible(&record.args().to_string()))
    });
    // A second logger in one process is the first one.
    let _already_set = builder.try_init();
}

/// Keeps what anyone can cause at any rate from filling the log: of each matter some lines a minute, and then how many
/// there would have been.
#[derive(Debug, Default)]
pub struct Quiet(Mutex<HashMap<String, Matter>>);

#[derive(Clone, Copy, Debug)]
struct Matter {
    since: Instant,
    lines: u32,
    unsaid: u64,
}

impl Quiet {
    /// Warns, unless enough has been said of this matter.
    pub fn warn(&self, matter: &str, line: impl FnOnce() -> String) {
        if let Some(unsaid) = self.admit(matter, Instant::now()) {
            let line = line();
            if unsaid == 0 {
                log::warn!("{line}");
            } else {
                log::warn!(
                    "{line} (and {unsaid} more of {} before it)",
                    if matter.is_empty() { "others" } else { matter }
                );
            }
        }
    }

    /// Whether to say it, and how much has not been said before it.
    fn admit(&self, matter: &str, now: Instant) -> Option<u64> {
        let mut matters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !matters.contains_key(matter) && matters.len() >= MATTERS {
            matters.retain(|_, known| now.duration_since(known.since) < PERIOD);
        }
        let key = if matters.contains_key(matter) || matters.len() < MATTERS { matter } else { REST };
        let fresh = Matter { since: now, lines: 0, unsaid: 0 };
        let known = matters.entry(key.to_owned()).or_insert(fresh);
        if now.duration_since(known.since) >= PERIOD {
            let unsaid = known.unsaid;
            *known = Matter { lines: 1, ..fresh };
            return Some(unsaid);
        }
        if known.lines == LINES {
            known.unsaid += 1;
            return None;
        }
        known.lines += 1;
        Some(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matter_is_told_some_times_and_then_counted() {
        let quiet = Quiet::default();
        let now = Instant::now();
        let said = (0..100).filter(|_| quiet.admit("192.0.2.1", now).is_some()).count();
        assert_eq!(said, 5);
        assert_eq!(quiet.admit("192.0.2.2", now), Some(0), "another matter is not affected");
        assert_eq!(quiet.admit("192.0.2.1", now + PERIOD), Some(95));
    }

    #[test]
    fn no_number_of_matters_takes_more_room() {
        let quiet = Quiet::default();
        let now = Instant::now();
        let said = (0..3 * MATTERS).filter(|number| quiet.admit(&number.to_string(), now).is_some()).count();
        assert_eq!(said, MATTERS + LINES as usize);
        assert!(quiet.0.lock().unwrap().len() <= MATTERS + 1);
    }
}
