//! Figures: rounded, written, and looked at for what stands out.

/// To six decimals: what is left of how floating-point numbers were added up is beyond.
#[must_use]
pub fn rounded(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

/// The mean of the days that were observed, none where there were none.
#[must_use]
pub fn mean(values: &[Option<f64>]) -> Option<f64> {
    let (sum, count) =
        values.iter().flatten().fold((0.0, 0_u32), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}

/// The middle, or the mean of both in the middle; none of nothing.
#[must_use]
pub fn median(values: &[f64]) -> Option<f64> {
    median_of(&mut values.to_vec())
}

/// The same of values that are put in order.
pub fn median_of(values: &mut [f64]) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    Some(if values.len() % 2 == 1 { upper } else { f64::midpoint(values[middle - 1], upper) })
}

/// A share, of nothing none.
#[must_use]
pub fn share(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| rounded(part / whole))
}

/// A number with its thousands apart, and one decimal below a hundred.
#[must_use]
pub fn written(value: f64) -> String {
    let decimals = usize::from(value.abs() < 100.0 && value.fract() != 0.0);
    let text = format!("{value:.decimals$}");
    let (whole, rest) = text.split_once('.').map_or((&*text, None), |(whole, rest)| (whole, Some(rest)));
    let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |digits| ("-", digits));
    let grouped = format!("{sign}{}", wire::grouped(digits));
    match rest {
        Some(rest) => format!("{grouped}.{rest}"),
        None => grouped,
    }
}

/// A share as per cent, with one decimal below ten.
#[must_use]
pub fn percent(share: f64) -> String {
    let value = share * 100.0;
    if value.abs() < 9.95 && value != 0.0 { format!("{value:.1}%") } else { format!("{value:.0}%") }
}

/// Days that a rise is compared with, at most, and at least.
const BEFORE: usize = 28;
const LEAST_BEFORE: usize = 3;
/// Observed days that make it last, of which all but one have to be as high.
const LASTING: usize = 7;
/// How many times the median before.
pub const RISE: f64 = 1.5;

/// A rise that lasts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rise {
    /// The place of its first day.
    pub first: usize,
    /// Median of up to 28 observed days before, and of all observed days from the first on.
    pub before: f64,
    pub after: f64,
}

/// The first day at `from` or later that is at least one and a half times the median of up to 28 observed days before
/// it, with all but one of the seven observed days that begin with it, where the observed day before it is not.
#[must_use]
pub fn lasting_rise(values: &[Option<f64>], from: usize) -> Option<Rise> {
    (from..values.len()).find_map(|first| {
        values[first]?;
        // The last of them first.
        let days: Vec<f64> = values[..first].iter().rev().flatten().take(BEFORE).copied().collect();
        let after: Vec<f64> = values[first..].iter().flatten().copied().collect();
        if days.len() < LEAST_BEFORE || after.len() < LASTING {
            return None;
        }
        let before = median(&days)?;
        let is_high = |value: &f64| *value > 0.0 && *value >= RISE * before;
        let high = after[..LASTING].iter().filter(|value| is_high(value)).count();
        (is_high(&after[0]) && !is_high(&days[0]) && high + 1 >= LASTING)
            .then(|| Some(Rise { first, before, after: median(&after)? }))
            .flatten()
    })
}

/// Days far below what is usual.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outage {
    pub first: usize,
    pub last: usize,
    /// Days of it that were observed.
    pub days: usize,
    /// The median of the other observed days.
    pub usual: f64,
    /// The mean of the days of it.
    pub mean: f64,
}

/// The longest run of at least `least` observed days below a share of the median of all; the first of those as long. A
/// day that was not observed neither is one of them nor ends a run.
#[must_use]
pub fn outage(values: &[Option<f64>], below: f64, least: usize) -> Option<Outage> {
    let observed: Vec<(usize, f64)> =
        values.iter().enumerate().filter_map(|(place, value)| value.map(|value| (place, value))).collect();
    let all: Vec<f64> = observed.iter().map(|(_, value)| *value).collect();
    let limit = below * median(&all)?;
    let mut longest: &[(usize, f64)] = &[];
    for run in observed.chunk_by(|one, other| (one.1 < limit) == (other.1 < limit)) {
        if run[0].1 < limit && run.len() > longest.len() {
            longest = run;
        }
    }
    if longest.len() < least.max(1) {
        return None;
    }
    let (first, last) = (longest[0].0, longest[longest.len() - 1].0);
    let others: Vec<f64> = observed
        .iter()
        .filter(|(place, _)| !(first..=last).contains(place))
        .map(|(_, value)| *value)
        .collect();
    let mean = longest.iter().map(|(_, value)| value).sum::<f64>() / longest.len() as f64;
    Some(Outage { first, last, days: longest.len(), usual: median(&others)?, mean })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_people_do() {
        let all = [0.0, 0.25, 7.0, 99.94, 100.4, 1234.5, -1234567.0].map(written);
        assert_eq!(all, ["0", "0.2", "7", "99.9", "100", "1,234", "-1,234,567"]);
        assert_eq!([0.0, 0.004, 0.5, 0.88, 1.0].map(percent), ["0%", "0.4%", "50%", "88%", "100%"]);
    }

    #[test]
    fn what_is_in_the_middle() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(mean(&[None, Some(1.0), Some(2.0)]), Some(1.5));
        assert_eq!(mean(&[None]), None);
    }

    fn days(low: usize, high: usize, values: [f64; 2]) -> Vec<Option<f64>> {
        [vec![Some(values[0]); low], vec![Some(values[1]); high]].concat()
    }

    #[test]
    fn a_rise_has_to_last() {
        let rise = lasting_rise(&days(10, 20, [10.0, 30.0]), 0).unwrap();
        assert_eq!((rise.first, rise.before, rise.after), (10, 10.0, 30.0));
        // Six days are not seven, one low day among them is let pass, and a gap is no low day.
        assert_eq!(lasting_rise(&days(10, 6, [10.0, 30.0]), 0), None);
        assert_eq!(lasting_rise(&days(2, 20, [10.0, 30.0]), 0), None);
        assert_eq!(lasting_rise(&days(10, 20, [10.0, 14.0]), 0), None);
        let mut gaps = days(10, 20, [10.0, 30.0]);
        (gaps[10], gaps[12], gaps[14]) = (None, None, Some(1.0));
        assert_eq!(lasting_rise(&gaps, 0).unwrap().first, 11);
        let mut spike = days(30, 0, [10.0, 0.0]);
        spike[15] = Some(1000.0);
        assert_eq!(lasting_rise(&spike, 0), None);
        // What rose before is none of the period's.
        assert_eq!(lasting_rise(&days(10, 60, [10.0, 30.0]), 45), None);
        assert_eq!(lasting_rise(&[None; 30], 0), None);
    }

    #[test]
    fn an_outage_is_a_run_of_low_days() {
        let mut values = days(10, 20, [100.0, 100.0]);
        for day in [4, 8, 9, 10, 12, 13, 14] {
            values[day] = Some(5.0);
        }
        values[11] = None;
        let found = outage(&values, 0.5, 3).unwrap();
        assert_eq!(found, Outage { first: 8, last: 14, days: 6, usual: 100.0, mean: 5.0 });
        assert_eq!(outage(&values, 0.5, 7), None);
        assert_eq!(outage(&values, 0.01, 1), None);
        assert_eq!(outage(&[None, None], 0.5, 1), None);
        assert_eq!(outage(&[Some(0.0); 5], 0.5, 1), None);
    }
}
