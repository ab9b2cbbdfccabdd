//! Numbers in little room.

use std::time::Duration;

use crate::table::grouped;

/// A number in at most five characters: whole below ten thousand, else by its first three digits.
pub fn short(number: u64) -> String {
    const UNITS: [(&str, u64); 6] = [
        ("k", 1_000),
        ("M", 1_000_000),
        ("G", 1_000_000_000),
        ("T", 1_000_000_000_000),
        ("P", 1_000_000_000_000_000),
        ("E", 1_000_000_000_000_000_000),
    ];
    if number < 10_000 {
        return grouped(number);
    }
    let (unit, size) = UNITS.into_iter().rfind(|(_, size)| number >= *size).unwrap_or(UNITS[0]);
    // Cut off and not rounded: 999,999 is no million.
    let hundredths = number / (size / 100);
    match hundredths {
        ..1_000 => format!("{}.{:02}{unit}", hundredths / 100, hundredths % 100),
        1_000..10_000 => format!("{}.{}{unit}", hundredths / 100, hundredths % 100 / 10),
        _ => format!("{}{unit}", hundredths / 100),
    }
}

/// A rate: whole numbers, but for those below ten.
pub fn rate(per_second: f64, form: fn(u64) -> String) -> String {
    // What would be shown as 10.0.
    if per_second > 0.0 && per_second < 9.95 {
        return format!("{:.1}", per_second.max(0.1));
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rate for people; beyond 2^64 it is the largest number"
    )]
    form(per_second.round() as u64)
}

/// A time in its two largest units.
pub fn time(time: Duration) -> String {
    let seconds = time.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    match seconds {
        ..60 => format!("{seconds} s"),
        60..3_600 => format!("{minutes} min {} s", seconds % 60),
        3_600..86_400 => format!("{hours} h {} min", minutes % 60),
        _ => format!("{days} d {} h", hours % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_numbers_have_five_characters_at_most() {
        for (number, text) in [
            (0, "0"),
            (9_999, "9,999"),
            (10_000, "10.0k"),
            (15_678, "15.6k"),
            (999_999, "999k"),
            (1_234_567, "1.23M"),
            (48_900_000_000, "48.9G"),
            (u64::MAX, "18.4E"),
        ] {
            assert_eq!(short(number), text);
            assert!(text.len() <= 5);
        }
    }

    #[test]
    fn rates_below_ten_have_a_fraction_and_none_is_shown_as_nothing() {
        let texts = [0.0, 0.02, 1.26, 9.96, 1_234.4, 2e6].map(|number| rate(number, short));
        assert_eq!(texts, ["0", "0.1", "1.3", "10", "1,234", "2.00M"]);
    }

    #[test]
    fn times_have_two_units() {
        let texts = [59, 61, 7_260, 90_000].map(|seconds| time(Duration::from_secs(seconds)));
        assert_eq!(texts, ["59 s", "1 min 1 s", "2 h 1 min", "1 d 1 h"]);
    }
}
