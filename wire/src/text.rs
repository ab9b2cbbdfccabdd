//! Words that may be anyone's, made fit for one line of a log or a terminal.

use std::error::Error;

/// Characters of a line about an error.
const LONGEST_LINE: usize = 2_000;
/// Characters of what an error quotes.
const LONGEST_EXCERPT: usize = 200;

/// Whether a character is not seen where it is printed, but changes what is: one of control, or one of those that
/// reverse the direction or take no room.
#[must_use]
pub fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
        )
}

/// Digits with their thousands apart.
#[must_use]
pub fn grouped(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A text with its hidden characters escaped, as Rust escapes them.
#[must_use]
pub fn visible(text: &str) -> String {
    cut(text, usize::MAX)
}

/// What an error quotes of what somebody else wrote: at most 200 characters, the hidden ones escaped.
#[must_use]
pub fn excerpt(text: &str) -> String {
    cut(text, LONGEST_EXCERPT)
}

/// An error with its causes, on one line of at most 2,000 characters, the hidden ones escaped. A cause that its effect's
/// message quotes is not told again.
#[must_use]
pub fn one_line(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    let lines: Vec<&str> = text.split('\n').map(str::trim).filter(|line| !line.is_empty()).collect();
    cut(&lines.join(" "), LONGEST_LINE)
}

/// As many characters of a text as fit, the hidden ones escaped, and a mark where there are more.
fn cut(text: &str, most: usize) -> String {
    let mut shown = String::new();
    let mut room = most;
    for character in text.chars() {
        let width = if is_hidden(character) { character.escape_default().len() } else { 1 };
        let Some(left) = room.checked_sub(width) else {
            shown.push('…');
            break;
        };
        room = left;
        if width == 1 {
            shown.push(character);
        } else {
            shown.extend(character.escape_default());
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{what}")]
    struct Told {
        what: &'static str,
        source: Option<Box<Self>>,
    }

    fn told(what: &'static str, source: Option<Told>) -> Told {
        Told { what, source: source.map(Box::new) }
    }

    #[test]
    fn causes_are_told_once_and_on_one_line() {
        let cause = told("no room\n  on the disk\r\n", None);
        let error = told("cannot write a", Some(told("cannot write", Some(cause))));
        assert_eq!(one_line(&error), "cannot write a: no room on the disk");
    }

    #[test]
    fn no_word_of_anyone_else_moves_a_cursor_or_fills_a_log() {
        assert_eq!(one_line(&told("a\u{1b}[2J\tb\u{202e}c", None)), "a\\u{1b}[2J\\tb\\u{202e}c");
        let long = Box::leak("東\u{7}".repeat(100_000).into_boxed_str());
        let line = one_line(&told(long, None));
        assert!(line.chars().count() <= 2_001 && line.ends_with('…'), "{line}");
        assert_eq!(excerpt(&"x".repeat(200)), "x".repeat(200));
        assert_eq!(excerpt(&"x".repeat(201)), "x".repeat(200) + "…");
        assert_eq!(visible("\u{7f}\u{9b}é"), "\\u{7f}\\u{9b}é");
    }
}
