//! Numbers as people read them: grouped by thousands, alike in all languages.

use crate::language::Language;

/// What stands where there is no number.
pub const NOTHING: &str = "–";

/// From here on, digits are no longer counted but written as a power of ten.
const MOST_WRITTEN_OUT: f64 = 1e15;

/// A count: no decimals.
#[must_use]
pub fn count(value: f64) -> String {
    decimals(value, 0)
}

/// Grouped, with so many decimals.
#[must_use]
pub fn decimals(value: f64, places: usize) -> String {
    if !value.is_finite() {
        return NOTHING.into();
    }
    if value.abs() >= MOST_WRITTEN_OUT {
        return power_of_ten(value);
    }
    let digits = format!("{:.places$}", value.abs());
    let (whole, fraction) = digits.split_once('.').map_or((digits.as_str(), None), |(w, f)| (w, Some(f)));
    let is_zero = digits.bytes().all(|byte| matches!(byte, b'0' | b'.'));
    let mut text = String::from(if value < 0.0 && !is_zero { "−" } else { "" });
    text.push_str(&wire::grouped(whole));
    if let Some(fraction) = fraction {
        text.push('.');
        text.push_str(fraction);
    }
    text
}

/// How many decimals tell something of values that are read together, so that they stand under each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measure(usize);

impl Measure {
    #[must_use]
    pub fn of(values: impl Iterator<Item = f64>) -> Self {
        let (most, are_whole) =
            values.filter(|value| value.is_finite()).fold((0.0_f64, true), |(most, whole), value| {
                (most.max(value.abs()), whole && value.fract() == 0.0)
            });
        Self(match most {
            _ if are_whole || most >= 1_000.0 => 0,
            _ if most >= 10.0 => 1,
            _ if most >= 0.01 => 2,
            _ => 6,
        })
    }

    /// A value with so many, with more where they would make it nothing, or as a power of ten.
    #[must_use]
    pub fn write(self, value: f64) -> String {
        let is_lost = |text: &str| value != 0.0 && text.bytes().all(|byte| matches!(byte, b'0' | b'.'));
        [self.0, 2, 6]
            .into_iter()
            .map(|places| decimals(value, places))
            .find(|text| !is_lost(text))
            .unwrap_or_else(|| power_of_ten(value))
    }
}

/// What was measured, alone.
#[must_use]
pub fn measured(value: f64) -> String {
    Measure::of([value].into_iter()).write(value)
}

/// Of 1, as per cent; what is there is never written as nothing.
#[must_use]
pub fn share(value: f64) -> String {
    if !value.is_finite() {
        return NOTHING.into();
    }
    if value > 0.0 && value < 0.000_5 {
        return "<0.1%".into();
    }
    format!("{}%", decimals(value * 100.0, 1))
}

/// How many times as much.
#[must_use]
pub fn ratio(value: f64, language: Language) -> String {
    if !value.is_finite() {
        return NOTHING.into();
    }
    let number = decimals(value, if value != 0.0 && value.abs() < 0.095 { 2 } else { 1 });
    match language {
        Language::English => format!("{number} ×"),
        Language::Japanese => format!("{number}倍"),
    }
}

/// Such as `1.5×10¹⁵`.
pub fn power_of_ten(value: f64) -> String {
    let written = format!("{value:.3e}");
    let (digits, power) = written.split_once('e').unwrap_or((&written, "0"));
    let digits = digits.trim_end_matches('0').trim_end_matches('.').replace('-', "−");
    let raised = power.chars().map(|character| match character {
        '-' => '⁻',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        '4' => '⁴',
        '5' => '⁵',
        '6' => '⁶',
        '7' => '⁷',
        '8' => '⁸',
        '9' => '⁹',
        _ => '⁰',
    });
    format!("{digits}×10{}", raised.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(count(0.0), "0");
        assert_eq!(count(999.6), "1,000");
        assert_eq!(count(1e12), "1,000,000,000,000");
        assert_eq!(count(-1234.0), "−1,234");
        assert_eq!(count(-0.2), "0");
        assert_eq!(count(f64::NAN), NOTHING);
        assert_eq!(decimals(1234.56, 1), "1,234.6");
        assert_eq!(count(1.5e15), "1.5×10¹⁵");
    }

    #[test]
    fn what_is_there_is_not_nothing() {
        assert_eq!(measured(2e-9), "2×10⁻⁹");
        assert_eq!(measured(0.000_25), "0.000250");
        assert_eq!(measured(2.345_6), "2.35");
        let together = [2_000.4, 764.0, 0.4];
        let measure = Measure::of(together.into_iter());
        assert_eq!(together.map(|value| measure.write(value)), ["2,000", "764", "0.40"]);
        let together = [816.7, 764.0];
        let measure = Measure::of(together.into_iter());
        assert_eq!(together.map(|value| measure.write(value)), ["816.7", "764.0"]);
        assert_eq!(share(0.000_01), "<0.1%");
        assert_eq!(share(0.881_4), "88.1%");
        assert_eq!(share(0.0), "0.0%");
    }

    #[test]
    fn a_ratio_has_its_sign() {
        assert_eq!(ratio(1.8, Language::English), "1.8 ×");
        assert_eq!(ratio(1.8, Language::Japanese), "1.8倍");
        assert_eq!(ratio(0.05, Language::English), "0.05 ×");
        assert_eq!(ratio(f64::INFINITY, Language::English), NOTHING);
    }
}
