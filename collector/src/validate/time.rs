//! Times that can be.

use std::time::Duration;

use jiff::Timestamp;
use wire::Header;

use super::{Fault, Neighbours, Rules};

/// The longest that an agent can be told to make an interval.
const LONGEST_INTERVAL: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// By how much flows may be of another time than their interval. Digests are stamped when they are read, and a clock may
/// be set forward and back again in one interval, of which [`Header::clock_step`] tells the sum alone. The store takes
/// what is outside of the interval as its begin or its end.
const SLACK_OF_FLOWS: Duration = Duration::from_secs(24 * 60 * 60);

/// Holds an interval's times against each other and this host's clock.
pub fn check(header: &Header, rules: &Rules, now: u64) -> Result<(), Fault> {
    let &Header { first, last, start, end, .. } = header;
    if start > end {
        return Err(Fault::Time(format!("it starts {}, after its end {}", show(start), show(end))));
    }
    let ahead = nanoseconds(rules.max_clock_ahead);
    if end > now.saturating_add(ahead) {
        return Err(Fault::Time(format!(
            "it ends {}, {} ahead of the collector's clock, at most {} are taken",
            show(end),
            length(end - now),
            length(ahead),
        )));
    }
    let oldest = nanoseconds(rules.oldest);
    if end < now.saturating_sub(oldest) {
        return Err(Fault::Time(format!(
            "it ended {}, {} ago by the collector's clock, at most {} are taken",
            show(end),
            length(now - end),
            length(oldest),
        )));
    }
    // Merged intervals are as long as all of them.
    let longest = nanoseconds(LONGEST_INTERVAL).saturating_mul((last - first).saturating_add(1));
    if end - start > longest {
        return Err(Fault::Time(format!(
            "it is {} long, longer than any agent makes one",
            length(end - start)
        )));
    }
    // Its epoch is asked nothing: it is a name, made by a clock that may have been set since.
    Ok(())
}

/// Holds an interval's times against those of the intervals next to it. Those further away are not asked: what lies
/// between them may have set the clock back.
pub fn check_order(header: &Header, neighbours: &Neighbours) -> Result<(), Fault> {
    let back = |step: i64| step.min(0).unsigned_abs();
    let Neighbours { before, after } = neighbours;
    let lower = before.map(|span| (span.name, span.start, header.end, span.clock_step));
    let higher = after.map(|span| (span.name, header.start, span.end, span.clock_step));
    for (other, lower_start, higher_end, step) in lower.into_iter().chain(higher) {
        let steps = back(step).saturating_add(back(header.clock_step));
        if higher_end.saturating_add(steps) < lower_start {
            return Err(Fault::Order(format!(
                "it is from {} to {}, and {other} is known: of the two, the one with the higher sequence ends {} \
                 before the other one starts",
                show(header.start),
                show(header.end),
                length(lower_start - higher_end),
            )));
        }
    }
    Ok(())
}

/// The times that flows of an interval may have.
pub fn of_flows(header: &Header, rules: &Rules) -> std::ops::RangeInclusive<u64> {
    if rules.trust_times {
        return 0..=u64::MAX;
    }
    let slack = nanoseconds(SLACK_OF_FLOWS).saturating_add(header.clock_step.unsigned_abs());
    header.start.saturating_sub(slack)..=header.end.saturating_add(slack)
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// A time for people, to the second.
pub fn show(time: u64) -> String {
    let shown = Timestamp::from_nanosecond(time.into());
    shown.map_or_else(|_| format!("{time} ns"), |time| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

/// A length of time for people, in the unit that fits.
fn length(nanoseconds: u64) -> String {
    let seconds = nanoseconds / 1_000_000_000;
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} minutes", seconds / 60),
        7_200..172_800 => format!("{} hours", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}
