//! Days in words.

use jiff::civil::{Date, DateTime};

use super::words::Words;
use crate::language::Language;
use crate::report::model::Span;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A day such as `2024-04-01`, or an hour such as `2024-04-01T06:00Z`.
#[must_use]
pub fn moment(text: &str) -> Option<DateTime> {
    text.strip_suffix('Z').unwrap_or(text).parse().ok()
}

/// Such as `1 April 2024`.
#[must_use]
pub fn date(date: Date, language: Language) -> String {
    let (year, month, day) = (date.year(), date.month(), date.day());
    match language {
        Language::English => format!("{day} {} {year}", month_name(month)),
        Language::Japanese => format!("{year}年{month}月{day}日"),
    }
}

/// A day of a report in words, or as it is where it is no day.
#[must_use]
pub fn day(text: &str, language: Language) -> String {
    match moment(text) {
        Some(moment) if moment == moment.date().into() => date(moment.date(), language),
        _ => text.to_owned(),
    }
}

/// Such as `April 2024`, and shorter.
#[must_use]
pub fn month_forms(date: Date, language: Language) -> Vec<String> {
    let (year, month) = (date.year(), date.month());
    match language {
        Language::English => {
            let name = month_name(month);
            let short = name.get(..3).unwrap_or(name);
            vec![format!("{name} {year}"), format!("{short} {year}"), short.to_owned()]
        }
        Language::Japanese => {
            vec![format!("{year}年{month}月"), format!("{year}/{month}"), format!("{month}月")]
        }
    }
}

/// Such as `Apr`.
#[must_use]
pub fn month_short(date: Date, language: Language) -> String {
    month_forms(date, language).pop().unwrap_or_default()
}

#[must_use]
pub fn year(date: Date, language: Language) -> String {
    match language {
        Language::English => date.year().to_string(),
        Language::Japanese => format!("{}年", date.year()),
    }
}

/// A period in words: its first and last day, and how many they are.
#[must_use]
pub fn span(span: &Span, language: Language) -> String {
    let first = moment(&span.from).map(DateTime::date);
    let last = moment(&span.to).and_then(|to| to.date().yesterday().ok());
    let days = span.days;
    let (Some(first), Some(last)) = (first, last) else {
        return format!("{} – {}", span.from, span.to);
    };
    match language {
        Language::English => {
            let unit = if days == 1 { "day" } else { "days" };
            let first_words = date(first, language);
            let first_words = match first_words.strip_suffix(&format!(" {}", last.year())) {
                Some(short) if first != last => short,
                _ => &first_words,
            };
            match first == last {
                true => format!("{first_words} (UTC)"),
                false => format!("{first_words} – {} ({days} {unit}, UTC)", date(last, language)),
            }
        }
        Language::Japanese if first == last => format!("{}（UTC）", date(first, language)),
        Language::Japanese => {
            format!("{}～{}（{days}日間、UTC）", date(first, language), date(last, language))
        }
    }
}

/// Two days given as texts, first and last.
#[must_use]
pub fn from_to(days: &[String], language: Language) -> String {
    match days {
        [] => Words::of(language).nothing_observed.to_owned(),
        [only] => day(only, language),
        [first, .., last] => format!("{} – {}", day(first, language), day(last, language)),
    }
}

fn month_name(month: i8) -> &'static str {
    usize::try_from(month - 1).ok().and_then(|index| MONTHS.get(index)).copied().unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(from: &str, to: &str, days: u32) -> Span {
        Span { name: None, from: from.into(), to: to.into(), days }
    }

    #[test]
    fn periods_end_on_their_last_day() {
        let quarter = of("2024-04-01", "2024-07-01", 91);
        assert_eq!(span(&quarter, Language::English), "1 April – 30 June 2024 (91 days, UTC)");
        assert_eq!(span(&quarter, Language::Japanese), "2024年4月1日～2024年6月30日（91日間、UTC）");
        let turn = of("2023-12-31", "2024-01-02", 2);
        assert_eq!(span(&turn, Language::English), "31 December 2023 – 1 January 2024 (2 days, UTC)");
        assert_eq!(span(&of("2024-02-29", "2024-03-01", 1), Language::English), "29 February 2024 (UTC)");
        assert_eq!(span(&of("then", "now", 3), Language::English), "then – now");
    }

    #[test]
    fn hours_are_moments_too() {
        assert_eq!(moment("2024-04-01T06:00Z").map(|moment| moment.hour()), Some(6));
        assert_eq!(moment("2024-04-01").map(|moment| moment.hour()), Some(0));
        assert_eq!(day("<b>", Language::English), "<b>");
    }
}
